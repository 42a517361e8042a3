//! The question, against servers that answer as they should and otherwise.

use std::net::TcpListener;

use super::*;

/// A server on loopback that answers one request with `text`, after `pause`.
fn answering(text: &'static str, pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request);
        std::thread::sleep(pause);
        let _ = stream.write_all(text.as_bytes());
    });
    address
}

/// Z4: a listen on all interfaces is reached over loopback, any other as it is.
#[test]
fn a_wildcard_is_reached_over_loopback() {
    let reached = |text: &str| reachable(text.parse().unwrap()).to_string();
    assert_eq!(reached("0.0.0.0:8485"), "127.0.0.1:8485");
    assert_eq!(reached("[::]:8485"), "[::1]:8485");
    assert_eq!(reached("10.1.2.3:9"), "10.1.2.3:9");
}

/// Z4: what answers is read whole, and what is no answer is told apart.
#[test]
fn an_answer_is_read_whole_or_not_at_all() {
    let good = answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}", Duration::ZERO);
    assert_eq!(ask(good, "/readyz"), Ok((503, "{}".to_owned())));
    let strange = answering("SSH-2.0-OpenSSH\r\n\r\n", Duration::ZERO);
    assert_eq!(ask(strange, "/readyz").unwrap_err(), "what answers there speaks no HTTP");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(ask(nobody, "/readyz").unwrap_err().starts_with("Connection refused"));
}

/// Z4: a bot that hangs costs three seconds, and no more.
#[test]
fn who_hangs_is_waited_for_three_seconds() {
    let hangs = answering("HTTP/1.1 200 OK\r\n\r\n{}", Duration::from_secs(20));
    assert_eq!(ask(hangs, "/readyz").unwrap_err(), "no answer within 3 s");
}

/// What is said of a bot that is not as it should be.
#[test]
fn what_is_lacking_is_said_with_what_to_do() {
    let answer = Answer {
        ready: Some(false),
        alive: Some(false),
        lacking: vec!["not connected to Discord yet".to_owned(), "the disk is full".to_owned()],
        ended: vec!["the token socket".to_owned()],
    };
    insta::assert_snapshot!(wording(false, &answer), @r"
    the bot is not ready:
      not connected to Discord yet
      the disk is full
    ");
    insta::assert_snapshot!(wording(true, &answer), @r"
    the bot is not live:
      the token socket
    restart it; what the log says of it is worth a report
    ");
}
