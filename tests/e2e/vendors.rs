//! Every vendor that is built in, played whole: slash command, sign-in by each way, token, refresh, status, logout.
//!
//! What the program sends is what is shipped: only the addresses are led to a server of ours, which keeps its paths, and plays
//! the vendor. What it must send stands in `vendors/table.rs` and `vendors/wire/`, by hand, after what is known of the vendor:
//! a descriptor is never compared with itself.

mod facts;
mod led;
mod one_file;
mod refusals;
mod story;
mod table;
mod unshipped;
mod wire;

use latchkey::provider::{BUILTINS, builtin};

use self::story::{Story, Vendor};

/// What is known of a vendor.
fn known(name: &str) -> Vendor {
    *table::VENDORS.iter().find(|vendor| vendor.name == name).expect("it is in the table")
}

/// A vendor that is built in, at a server of ours.
async fn begin(vendor: Vendor) -> Story {
    Story::begin(vendor, |server| {
        let name = vendor.name;
        let shipped = builtin(name).expect("it is built in").text;
        let led = led::overrides(name, shipped, server);
        let operator = vendor.operator.replace("{issuer}", &server.issuer());
        // A table that has only tables in it is written without its own line.
        let own = format!("[providers.{name}]\n");
        let led = if led.contains(&own) { led } else { format!("{own}{led}") };
        led.replacen(&own, &format!("{own}{operator}\n"), 1)
    })
    .await
}

macro_rules! played {
    ($($name:ident)*) => {
        /// Those that are played.
        const PLAYED: &[&str] = &[$(stringify!($name)),*];
        $(
            /// VENDORS, T1, T2, T8, T11, T12, G14, I1
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                begin(known(stringify!($name))).await.play_all().await;
            }
        )*
    };
}

played! { antigravity claude codex copilot gemini github grok kimi minimax oidc qwen }

/// VENDORS: nobody is built in without being played.
#[test]
fn every_vendor_is_played() {
    // An MCP server is none by itself: its own tests sign in to one.
    let mut known: Vec<&str> = PLAYED.iter().copied().chain(["mcp"]).collect();
    known.sort_unstable();
    assert_eq!(BUILTINS.iter().map(|builtin| builtin.name).collect::<Vec<_>>(), known);
}
