//! A log that nobody reads, with its pipe full.

use std::io::{PipeWriter, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use latchkey_test_authority::{Endpoint, Fault, Reuse};
use rustix::fs::OFlags;

use crate::host::{Host, LONG, printed};

/// A pipe without any room, and who could read it.
fn full() -> (std::io::PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'.'; 64]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

fn ends(mut command: Command) -> String {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + LONG;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it waits for a reader");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    printed(&child.wait_with_output().unwrap())
}

/// A provider that loses the first answer, which is worth a line in the log.
async fn loses_an_answer(host: &Host) {
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseAfter);
    host.expired("acme").await;
}

/// G29, G31: the refreshing process loses the line, and goes on to store what came.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_does_not_wait_for_a_reader_of_its_log() {
    let host = Host::new();
    loses_an_answer(&host).await;
    let (_reader, writer) = full();
    let mut flight = host.latchkey(&["flight", "acme", "--min-valid", "60"]);
    flight.stderr(writer);
    assert_eq!(ends(flight), r#"{"code":0,"message":null}"#);
    assert_eq!((host.stored("acme").unwrap().generation, host.authority.refreshes()), (2, 2));
}

/// G10: nor does who asked for it: the token is out although nobody reads what was logged on the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_printed_though_nobody_reads_the_log() {
    let host = Host::new();
    loses_an_answer(&host).await;
    host.used_today("acme").await;
    let (_reader, writer) = full();
    let mut command = host.latchkey(&["token", "acme"]);
    command.stderr(writer);
    let token = ends(command);
    assert!(host.authority.accepts(&token), "{token}");
}
