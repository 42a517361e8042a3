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
mod wire;

use latchkey::provider::{BUILTINS, builtin};

use self::story::Story;

/// The vendor, at a server of ours.
pub async fn begin(name: &str) -> Story {
    let vendor = table::VENDORS.iter().find(|vendor| vendor.name == name).expect("it is in the table");
    Story::begin(*vendor, |server| {
        let shipped = builtin(name).expect("it is built in").text;
        let mut led = led::overrides(name, shipped, server);
        let operator = vendor.operator.replace("{issuer}", &server.issuer());
        let own = format!("[providers.{name}]\n");
        // A table that has only tables in it is written without its own line.
        led = if led.contains(&own) { led } else { format!("{own}{led}") };
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
                begin(stringify!($name)).await.play_all().await;
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
