//! `cargo run --example demo`: a whole story on this machine, with the real bot.
//!
//! Owns the order of the story and its verdict: it ends non-zero if anything is not as told. Discord is the tests'
//! stand-in and the providers are small authorization servers with real sign-in pages, all on loopback; the bot and
//! `latchkey token` are the real program. With `--interactive` it stops at the sign-in links, so that a person can open
//! them. Must not: reach anything but loopback, or leave a process behind.
#![expect(clippy::print_stdout, reason = "a demo shows what happens")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "anything that is not as told ends the demo")]

mod stage;
mod story;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let interactive = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--interactive"] => true,
        _ => {
            eprintln!("usage: cargo run --example demo [-- --interactive]");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    // A panic anywhere in the story is something that was not as told; it has said what.
    let told = runtime.block_on(async { tokio::spawn(story::tell(interactive)).await });
    runtime.shutdown_background();
    if told.is_ok() {
        println!("\nAll of it was as told.");
        ExitCode::SUCCESS
    } else {
        eprintln!("\nSomething was not as told.");
        ExitCode::FAILURE
    }
}
