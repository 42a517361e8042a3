//! The socket: how many connections there are at a time.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::serve::listen::CONNECTIONS;

/// How long an answer that must not come is waited for.
const A_WHILE: Duration = Duration::from_secs(1);
const BOUND: Duration = Duration::from_mins(1);

/// Whether the page has closed this one.
fn is_closed(stream: &TcpStream) -> bool {
    !matches!(stream.try_read(&mut [0; 64]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// T15: while as many connections as there may be do nothing, the next one waits; it has its turn as soon as one ends.
#[tokio::test]
async fn connections_past_their_number_wait_for_their_turn() {
    let world = World::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let closing = CancellationToken::new();
    let serving = tokio::spawn(world.server.clone().serve(listener, closing.clone()));
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let mut next = TcpStream::connect(address).await.unwrap();
    next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let early = tokio::time::timeout(A_WHILE, next.read_to_end(&mut answer)).await;
    // On a slow machine, the first may have been closed by now for saying nothing.
    assert!(early.is_err() || idle.iter().any(is_closed), "{}", String::from_utf8_lossy(&answer));
    drop(idle);
    if early.is_err() {
        tokio::time::timeout(BOUND, next.read_to_end(&mut answer)).await.expect("its turn comes").unwrap();
    }
    assert!(answer.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&answer));
    closing.cancel();
    tokio::time::timeout(BOUND, serving).await.expect("it ends").unwrap();
}
