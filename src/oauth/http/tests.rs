//! Tests of the HTTP client, over real connections on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::provider::BodyFormat;
use crate::secret::Secret;

const SHORT: Duration = Duration::from_millis(150);

fn post_to(url: &str) -> Post {
    let provider = crate::oauth::token::testing::provider(url);
    Post::anonymous(&provider, &provider.token_endpoint, BodyFormat::Form)
        .secret("code", &Secret::new("c0de"))
}

/// The outcome in short: a status with the body's length, or the error.
async fn send(client: &Client, url: &str) -> Result<(u16, Option<usize>), SendError> {
    client.send(&post_to(url)).await.map(|reply| (reply.status, reply.body.map(|body| body.len())))
}

/// A server that treats every connection with `serve`, and counts them.
async fn server<F>(
    scheme: &str,
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> (String, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}/token", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream));
        }
    });
    (url, count)
}

/// Reads a whole small request.
async fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut buffer = [0_u8; 1024];
    while !seen.ends_with(b"code=c0de") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

/// T7: and nothing is resolved, let alone sent.
#[tokio::test]
async fn secrets_do_not_travel_over_plain_http() {
    let sent = send(&Client::new(), "http://id.example/token").await;
    assert_eq!(sent, Err(SendError::NotSent(TransportError::Insecure { host: "id.example".to_owned() })));
}

/// G16
#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let sent = send(&Client::new(), &url).await;
    assert!(matches!(sent, Err(SendError::NotSent(TransportError::Unreachable { .. }))), "{sent:?}");
}

/// G16
#[tokio::test]
async fn failed_tls_is_not_sent() {
    let (url, _) = server("https", |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let sent = send(&Client::new(), &url).await;
    assert!(matches!(sent, Err(SendError::NotSent(TransportError::Unreachable { .. }))), "{sent:?}");
}

/// G11, G16
#[tokio::test]
async fn tls_that_stalls_is_not_sent_and_ends_with_the_connect_bound() {
    let (url, _) = server("https", |stream| async move {
        sleep(Duration::from_secs(5)).await;
        drop(stream);
    })
    .await;
    let sent = send(&Client::with_bounds(SHORT, Duration::from_mins(1)), &url).await;
    let expected = TransportError::ConnectTimedOut { host: "127.0.0.1".to_owned(), seconds: 0 };
    assert_eq!(sent, Err(SendError::NotSent(expected)));
}

/// G16, T7: and it is not sent again.
#[tokio::test]
async fn a_connection_that_closes_without_an_answer_leaves_the_outcome_unknown() {
    let (url, count) = server("http", |mut stream| async move { read_request(&mut stream).await }).await;
    let sent = send(&Client::new(), &url).await;
    assert!(matches!(sent, Err(SendError::Unknown(UnknownCause::ConnectionLost { .. }))), "{sent:?}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

/// G16
#[tokio::test]
async fn half_an_answer_leaves_the_outcome_unknown() {
    let (url, _) = server("http", |mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"access_token\":").await;
    })
    .await;
    let sent = send(&Client::new(), &url).await;
    assert!(matches!(sent, Err(SendError::Unknown(UnknownCause::ConnectionLost { .. }))), "{sent:?}");
}

/// G11: one byte after the other does not extend the bound.
#[tokio::test]
async fn a_server_that_dribbles_is_bounded() {
    let (url, _) = server("http", |mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let begun = std::time::Instant::now();
    let sent = send(&Client::with_bounds(SHORT, SHORT), &url).await;
    assert_eq!(sent, Err(SendError::Unknown(UnknownCause::TimedOut { seconds: 0 })));
    assert!((SHORT * 2..SHORT * 10).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

/// G11, T7: interim answers are no answer, however many come.
#[tokio::test]
async fn a_flood_of_interim_answers_is_bounded() {
    for interim in ["100 Continue", "102 Processing", "103 Early Hints"] {
        let (url, _) = server("http", move |mut stream| async move {
            read_request(&mut stream).await;
            let flood = format!("HTTP/1.1 {interim}\r\n\r\n").repeat(100);
            // Longer than the bound, and not for ever: a busy machine has others to serve.
            for _ in 0..200 {
                if stream.write_all(flood.as_bytes()).await.is_err() {
                    return;
                }
                sleep(SHORT / 50).await;
            }
            std::future::pending::<()>().await;
        })
        .await;
        let client = Client::with_bounds(SHORT, SHORT);
        let sent = tokio::time::timeout(Duration::from_mins(1), send(&client, &url)).await;
        assert!(matches!(sent, Ok(Err(SendError::Unknown(_)))), "{interim}: {sent:?}");
    }
}

/// G11: the connect bound is not the reply's.
#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let (url, _) = server("http", |mut stream| async move {
        read_request(&mut stream).await;
        sleep(SHORT * 2).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    })
    .await;
    assert_eq!(send(&Client::with_bounds(SHORT, SHORT * 20), &url).await, Ok((200, Some(2))));
    assert!(REPLY_BOUND > Duration::from_secs(35) && EXCHANGE_BOUND == CONNECT_BOUND + REPLY_BOUND);
}

/// T7
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        let answer = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
        Mock::given(path(format!("/{status}"))).respond_with(answer).expect(1).mount(&server).await;
    }
    Mock::given(path("/elsewhere")).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    for status in [301, 302, 303, 307, 308] {
        let sent = send(&Client::new(), &format!("{}/{status}", server.uri())).await;
        assert_eq!(sent, Ok((status, Some(0))));
    }
}

/// T7: a connection left over from earlier may be dead, and a request on it neither sent nor unsent.
#[tokio::test]
async fn every_request_has_a_fresh_connection() {
    let (url, count) = server("http", |mut stream| async move {
        loop {
            read_request(&mut stream).await;
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.is_err() {
                return;
            }
        }
    })
    .await;
    let client = Client::new();
    for expected in 1..=3 {
        assert_eq!(send(&client, &url).await, Ok((200, Some(2))));
        assert_eq!(count.load(Ordering::SeqCst), expected);
    }
}

/// T7, T10
#[tokio::test]
async fn a_body_over_the_cap_is_dropped_whole() {
    let server = MockServer::start().await;
    for size in [BODY_CAP, BODY_CAP + 1] {
        let answer = ResponseTemplate::new(200).set_body_bytes(vec![b' '; size]);
        Mock::given(path(format!("/{size}"))).respond_with(answer).mount(&server).await;
    }
    let client = Client::new();
    let send = async |size: usize| send(&client, &format!("{}/{size}", server.uri())).await;
    assert_eq!(send(BODY_CAP).await, Ok((200, Some(BODY_CAP))));
    assert_eq!(send(BODY_CAP + 1).await, Ok((200, None)));
}

/// G16
#[test]
fn retry_after_is_seconds_or_a_date() {
    // 1994-11-06 08:49:37 UTC.
    const AT: UnixSeconds = 784_111_777;
    for (text, seconds) in [
        ("30", Some(30)),
        (" 0 ", Some(0)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
        ("99999999999", Some(86_400)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ] {
        let asked = Reply::of(429, Some(text), "").retry_after(AT);
        assert_eq!(asked, seconds.map(Duration::from_secs), "{text}");
    }
    assert_eq!(Reply::of(429, None, "").retry_after(AT), None);
}

/// G16, S14: a date is of the server's clock. Ours may be an hour off in either direction.
#[test]
fn a_retry_after_date_counts_from_the_servers_own_time() {
    const AT: UnixSeconds = 784_111_777;
    let mut reply = Reply::of(429, Some("Sun, 06 Nov 1994 08:50:37 GMT"), "");
    for (date, off, seconds) in [
        (Some("Sun, 06 Nov 1994 08:49:37 GMT"), -3_600, 60),
        (Some("Sun, 06 Nov 1994 08:49:37 GMT"), 3_600, 60),
        (Some("Sun, 06 Nov 1994 08:51:00 GMT"), 0, 0),
        (Some("yesterday"), 0, 60),
        (None, 0, 60),
        (None, -3_600, 3_660),
    ] {
        reply.date = date.map(str::to_owned);
        assert_eq!(reply.retry_after(AT + off), Some(Duration::from_secs(seconds)), "{date:?} {off}");
    }
}

/// G11: the bounds that are in force, on a clock that runs as fast as the test does. An answer that dribbles to its end
/// in time is taken; one that never ends is given up after both bounds together, and not before.
#[tokio::test(start_paused = true)]
async fn an_answer_that_dribbles_has_two_minutes_and_ten_seconds() {
    let dribbling = |bytes: usize| {
        move |mut stream: TcpStream| async move {
            read_request(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            for _ in 0..bytes {
                sleep(Duration::from_secs(1)).await;
                if stream.write_all(b" ").await.is_err() {
                    return;
                }
            }
        }
    };
    let begun = tokio::time::Instant::now();
    let (url, _) = server("http", dribbling(119)).await;
    assert_eq!(send(&Client::new(), &url).await, Ok((200, Some(119))));
    assert!(begun.elapsed() < REPLY_BOUND, "{:?}", begun.elapsed());

    let begun = tokio::time::Instant::now();
    let (url, count) = server("http", dribbling(10_000)).await;
    let sent = send(&Client::new(), &url).await;
    assert_eq!(sent, Err(SendError::Unknown(UnknownCause::TimedOut { seconds: 130 })));
    assert_eq!((begun.elapsed().as_secs(), count.load(Ordering::SeqCst)), (130, 1));
}
