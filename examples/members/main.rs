//! `cargo run --example members`: the pictures of `docs/members.md`, drawn from what the real bot says.
//!
//! Owns the names of the pictures and the order of the stories; the demo's stage is theirs too. Each story is played with the
//! real program and a stand-in for Discord, and each picture is what a member sees at that moment, drawn by headless
//! Chromium (Debian's `chromium` and `fonts-dejavu-core`). With `--dry` the stories are played and nothing is drawn. What
//! differs from one run to the next (codes, addresses) is replaced by what never does, so that a picture changes only with
//! the words in it. Must not: reach anything but loopback, or leave a process behind.
#![expect(clippy::print_stdout, reason = "it says what it draws")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "anything that is not as told ends it")]

mod chromium;
#[path = "../demo/stage.rs"]
#[expect(dead_code, reason = "the demo runs the program too")]
mod stage;
mod stories;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dry = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--dry"] => true,
        _ => {
            eprintln!("usage: cargo run --example members [-- --dry]");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let told = runtime.block_on(async { tokio::spawn(stories::tell()).await });
    runtime.shutdown_background();
    let Ok(pictures) = told else {
        eprintln!("\nSomething was not as told.");
        return ExitCode::FAILURE;
    };
    if !dry {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/members");
        chromium::draw(&pictures, &folder);
    }
    println!("{} pictures, all of it as told.", pictures.len());
    ExitCode::SUCCESS
}
