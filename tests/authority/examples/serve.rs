//! Serves the scripted authorization server at a fixed address, to look at its pages or to try the product by
//! hand: `cargo run -p latchkey-test-authority --example serve -- 127.0.0.1:9100`. Ends with Ctrl-C.

use latchkey_test_authority::{Authority, CLIENT, Settings};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program for people says where it listens")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9100".into());
    let authority = Authority::start_at(&address, Settings::default());
    println!("issuer {}  client {CLIENT}  device page {}", authority.issuer(), authority.url("/device"));
    tokio::signal::ctrl_c().await
}
