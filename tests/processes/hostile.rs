//! An authorization server that means harm, against a refresh by the real program: refused, told in plain words, bounded in
//! time and size, followed nowhere, and nothing leaked. `lost` and `replies` have servers that are merely out of order.

mod said;

use latchkey::credential::CredentialState;
use latchkey_test_authority::{Asked, Hostile, Raw};

use crate::asking::{Answer, ask};
use crate::host::Host;

const TOKEN: [&str; 2] = ["token", "acme"];
/// More than sockets buffer on this host, and nothing beside what is sent to a client that takes all.
const BUFFERED: u64 = 24 * 1024 * 1024;
const CLIENT_SECRET: &str = "S3cret/of+the=client&of:acme";

/// A host whose token endpoint is `hostile`'s, with a sign-in that is due for a refresh and a client secret.
async fn host_of(hostile: &Hostile) -> (Host, String) {
    let host = Host::new();
    let text = std::fs::read_to_string(&host.config).unwrap();
    let own = format!("{:?}", host.authority.token_endpoint());
    assert!(text.contains(&own));
    let text = text.replace(&own, &format!("{:?}", hostile.url("/token")));
    std::fs::write(&host.config, format!("{text}client_secret_env = \"ACME_SECRET\"\n")).unwrap();
    let tokens = host.expired("acme").await;
    (host, tokens.refresh)
}

async fn loud(host: &Host, arguments: &[&str]) -> Answer {
    // The log of ours has no colours: an escape in it is somebody else's.
    ask(host, arguments, &[("LATCHKEY_LOG", "trace"), ("NO_COLOR", "1"), ("ACME_SECRET", CLIENT_SECRET)])
        .await
}

/// Everything that somebody may read after a refresh: the program's own words at TRACE, what status says, what is kept.
async fn everything_said(host: &Host, answer: &Answer) -> String {
    let mut all = answer.said.clone();
    for arguments in [&["status"][..], &["status", "--json"], &["check"]] {
        let answer = loud(host, arguments).await;
        all += &(answer.printed + &answer.said);
    }
    all + &host.stored("acme").and_then(|held| held.last_error).unwrap_or_default()
}

/// No run of twelve characters of `secret` is in `text`, in any case.
fn assert_no_piece(secret: &str, text: &str, what: &str) {
    let text = text.to_ascii_lowercase();
    let secret = secret.to_ascii_lowercase().into_bytes();
    for piece in secret.windows(12).map(|piece| std::str::from_utf8(piece).unwrap()) {
        assert!(!text.contains(piece), "{what}: {piece:?} of a secret is in\n{text}");
    }
}

fn assert_plain(text: &str, what: &str) {
    let odd =
        text.chars().find(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{200f}\u{2066}".contains(*c));
    assert_eq!(odd, None, "{what}:\n{text}");
    for live in ["@everyone", "@here", "<@", "<#", "<!"] {
        assert!(!text.contains(live), "{what}: {live} is in\n{text}");
    }
}

fn json(body: &str) -> Raw {
    Raw::json("200 OK", body)
}

/// T7, T10, G11, G16, C9, Z1: whatever comes in place of an answer, no token is printed or stored, the sign-in is kept, the
/// request is not repeated beyond the one more try, and an endless answer is hung up on.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_dropped_and_the_sign_in_is_kept() {
    // {"access_token":"at-served-bomb"}, compressed: nothing here undoes that, so that no bomb goes off.
    const GZIP: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0x4c, 0x4e, 0x4e, 0x2d,
        0x2e, 0x8e, 0x2f, 0xc9, 0xcf, 0x4e, 0xcd, 0x53, 0xb2, 0x52, 0x4a, 0x2c, 0xd1, 0x2d, 0x4e, 0x2d, 0x2a,
        0x4b, 0x4d, 0xd1, 0x4d, 0xca, 0xcf, 0x4d, 0x52, 0xaa, 0x05, 0x00, 0x99, 0xdf, 0x48, 0x72, 0x21, 0x00,
        0x00, 0x00,
    ];
    let mut headers = vec!["x: y"; 5_000];
    headers.push("content-type: application/json");
    let long = format!("x-long: {}", "y".repeat(1_000_000));
    let deep = format!("{{\"a\":{}", "[".repeat(60_000));
    for (what, answer) in [
        ("a body in chunks without end", Raw::endless_chunks("200 OK")),
        ("a body of a tebibyte", Raw::endless_length("200 OK")),
        ("a refusal without end", Raw::endless_chunks("400 Bad Request")),
        ("a head without end", Raw::endless_head("200 OK")),
        ("a status line without end", Raw::Endless(b"HTTP/1.1 200 ".to_vec(), b"OKOKOKOK".repeat(1_000))),
        ("a trailer without end", Raw::Endless(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n".to_vec(),
            format!("x: {}\r\n", "y".repeat(1_000)).into_bytes(),
        )),
        ("a chunk's extension without end", Raw::Endless(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;".to_vec(),
            vec![b'x'; 1_000],
        )),
        ("thousands of headers", Raw::http("200 OK", &headers, "{\"access_token\":\"at-served-headers\"}")),
        ("a header of a megabyte", Raw::http("200 OK", &[&long], "{\"access_token\":\"at-served-header\"}")),
        ("a compressed body", Raw::http("200 OK", &["content-encoding: gzip"], GZIP)),
        ("no HTTP", Raw::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())),
        ("HTTP of old", Raw::Bytes(b"{\"access_token\":\"at-served-old\"}".to_vec())),
        ("TLS", Raw::Bytes(b"\x15\x03\x01\x00\x02\x02\x28".to_vec())),
        ("nothing", Raw::Close),
        ("no content", Raw::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n{\"access_token\":\"at-served-204\"}".to_vec())),
        ("two lengths", Raw::Bytes(
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 32\r\n\r\n{\"access_token\":\"at-served-two\"}".to_vec(),
        )),
        ("half a character", Raw::json("200 OK", b"{\"access_token\":\"at-served-\xff\xfe\"}")),
        ("JSON that is too deep", json(&deep)),
        ("a number beyond all", json("{\"access_token\":\"at-served-1e400\",\"expires_in\":1e400}")),
        ("half a surrogate", json("{\"access_token\":\"at-served-\\ud800\"}")),
        ("a token with a line break", json("{\"access_token\":\"at-served\\r\\nX-Evil: 1\"}")),
        ("a token with a NUL", json("{\"access_token\":\"at-served\\u0000\"}")),
        ("a token with an escape", json("{\"access_token\":\"at-served\\u001b[31m\"}")),
        ("a refresh token with a line break", json("{\"access_token\":\"at-served\",\"refresh_token\":\"rt-served\\nb\"}")),
        ("a token that is an object", json("{\"access_token\":{\"access_token\":\"at-served-in\"}}")),
        ("an error and a token", json("{\"access_token\":\"at-served-too\",\"error\":{}}")),
    ] {
        let hostile = Hostile::always(answer);
        let (host, refresh) = host_of(&hostile).await;
        let answer = loud(&host, &TOKEN).await;
        assert!(matches!(answer.end(), (Some(2 | 4), "")), "{what}: {answer:?}");
        assert!(hostile.sent() < BUFFERED, "{what}: {} bytes were taken", hostile.sent());
        assert!((1..=2).contains(&hostile.connections()), "{what}: {} connections", hostile.connections());
        let held = host.stored("acme").unwrap();
        assert_eq!(held.generation, 1, "{what}");
        assert_ne!(held.state, CredentialState::NeedsLogin, "{what}: {}", answer.said);
        let all = everything_said(&host, &answer).await;
        assert_plain(&all, what);
        assert_no_piece(&refresh, &all, what);
        assert!(!all.contains("t-served"), "{what}: a token is in\n{all}");
    }
}

/// T7: a token request is followed nowhere, whatever the redirect; the other server sees nobody, and the operator is told.
#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_takes_a_refresh_token_elsewhere() {
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let trap = Hostile::always(json("{\"access_token\":\"at-of-the-trap\"}"));
        let hostile = Hostile::always(Raw::redirect(status, &trap.url("/token")));
        let (host, refresh) = host_of(&hostile).await;
        let answer = loud(&host, &TOKEN).await;
        assert_eq!(answer.end(), (Some(2), ""), "{status}: {}", answer.said);
        assert!(answer.said.contains("redirects elsewhere, which is not followed"), "{}", answer.said);
        assert_eq!((hostile.asked().len(), trap.connections()), (1, 0), "{status}");
        let held = host.stored("acme").unwrap();
        assert_eq!((held.state, held.generation), (CredentialState::Ok, 1), "{status}");
        assert_no_piece(&refresh, &everything_said(&host, &answer).await, status);
    }
}

/// What a server says of a request, out of it: a whole answer.
type Told = fn(&Asked) -> Raw;

fn refused(code: &str, description: &str) -> Raw {
    let body = serde_json::json!({"error": code, "error_description": description});
    Raw::json("401 Unauthorized", body.to_string())
}
