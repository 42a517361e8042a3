//! Tests of the walk, over real connections on loopback, and of names that lead elsewhere.

use std::sync::Arc;

use wiremock::matchers::{header, headers, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::oauth::guard::Always;

fn tried(issuer: &str) -> Vec<String> {
    places(&Url::parse(issuer).unwrap()).iter().map(ToString::to_string).collect()
}

/// T13: RFC 8414 sections 3.1 and 5, OpenID Connect Discovery section 4.
#[test]
fn the_addresses_and_their_order() {
    for issuer in ["https://id.example", "https://id.example/"] {
        assert_eq!(
            tried(issuer),
            [
                "https://id.example/.well-known/oauth-authorization-server",
                "https://id.example/.well-known/openid-configuration",
                "https://id.example/.well-known/openid-configuration/",
            ]
        );
    }
    for issuer in ["https://id.example:8443/a/b", "https://id.example:8443/a/b/"] {
        assert_eq!(
            tried(issuer),
            [
                "https://id.example:8443/.well-known/oauth-authorization-server/a/b",
                "https://id.example:8443/.well-known/openid-configuration/a/b",
                "https://id.example:8443/a/b/.well-known/openid-configuration",
                "https://id.example:8443/a/b/.well-known/openid-configuration/",
            ]
        );
    }
}

fn document(issuer: &str) -> ResponseTemplate {
    let body = serde_json::json!({
        "issuer": issuer, "token_endpoint": "http://127.0.0.1:9/token", "grant_types_supported": ["authorization_code"]
    });
    ResponseTemplate::new(200).set_body_json(body)
}

const RFC8414: &str = "/.well-known/oauth-authorization-server/t";
const INSERTED: &str = "/.well-known/openid-configuration/t";
const APPENDED: &str = "/t/.well-known/openid-configuration";

async fn answering(answers: impl IntoIterator<Item = (&str, ResponseTemplate)>) -> MockServer {
    let server = MockServer::start().await;
    for (at, answer) in answers {
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&server).await;
    }
    server
}

fn issuer(server: &MockServer) -> String {
    format!("{}/t", server.uri())
}

async fn asked(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().map(|request| request.url.path().to_owned()).collect()
}

/// Where the document was found.
async fn found(server: &MockServer) -> Result<String, DiscoveryError> {
    match discover(&Client::new(), &issuer(server), None).await? {
        Found::Document(document) => Ok(document.url.path().to_owned()),
        Found::Unchanged { .. } => panic!("nothing was known before"),
    }
}

/// T13, T7: whatever stands at an address that is no document, the next is tried.
#[tokio::test]
async fn what_is_no_document_of_this_issuer_is_passed_over() {
    let elsewhere = answering([("/", document("x"))]).await;
    for other in [
        ResponseTemplate::new(404),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_string("[]"),
        ResponseTemplate::new(302).insert_header("location", elsewhere.uri().as_str()),
        ResponseTemplate::new(200)
            .set_body_string(format!("{{\"issuer\":\"{}\"}}", "x".repeat(METADATA_CAP))),
        ResponseTemplate::new(500),
        document("https://other.example"),
    ] {
        let server = answering([(RFC8414, other.clone()), (INSERTED, other)]).await;
        Mock::given(path(APPENDED)).respond_with(document(&issuer(&server))).mount(&server).await;
        assert_eq!(found(&server).await.as_deref(), Ok(APPENDED));
        assert_eq!(asked(&server).await, [RFC8414, INSERTED, APPENDED]);
    }
    assert_eq!(asked(&elsewhere).await.len(), 0, "a redirect was followed");
}

/// T13: what is said where there is none, in order of what the operator can do about it.
#[tokio::test]
async fn an_issuer_without_a_document_is_told_by_why() {
    let server = answering([(INSERTED, ResponseTemplate::new(302))]).await;
    let error = found(&server).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DiscoveryError::NotFound { .. }) && error.leaves_the_old(), "{text}");
    assert!(text.contains("HTTP 404") && text.contains("a redirect") && text.contains("name the endpoints"));

    let server = answering([(INSERTED, ResponseTemplate::new(503))]).await;
    let error = found(&server).await.unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("HTTP 503"), "{error}");

    let server = MockServer::start().await;
    let other = format!("{}/", issuer(&server));
    Mock::given(path(RFC8414)).respond_with(document(&other)).mount(&server).await;
    let error = found(&server).await.unwrap_err();
    assert!(!error.is_passing() && !error.leaves_the_old(), "{error}");
    let source = MetadataError::OtherIssuer { found: other, configured: issuer(&server) };
    assert_eq!(error, DiscoveryError::Refused { url: format!("{}{RFC8414}", server.uri()), source });
}

/// T13: a document that has not changed costs no body; one that has is taken.
#[tokio::test]
async fn a_known_document_is_asked_for_by_its_validators() {
    let server = MockServer::start().await;
    let at: Url = format!("{}{APPENDED}", server.uri()).parse().unwrap();
    let validators = Validators {
        etag: Some("\"v1\"".to_owned()),
        last_modified: Some("Sat, 21 Nov 2026 12:00:00 GMT".to_owned()),
    };
    let unchanged = ResponseTemplate::new(304).insert_header("cache-control", "max-age=900");
    Mock::given(path(APPENDED))
        .and(header("if-none-match", "\"v1\""))
        .and(headers("if-modified-since", vec!["Sat", "21 Nov 2026 12:00:00 GMT"]))
        .respond_with(unchanged)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let changed = document(&issuer(&server))
        .insert_header("etag", "\"v2\"")
        .insert_header("cache-control", "max-age=60");
    Mock::given(path(APPENDED)).respond_with(changed).mount(&server).await;
    let known = Some((&at, &validators));
    let ask = || async { discover(&Client::new(), &issuer(&server), known).await.unwrap() };
    assert_eq!(ask().await, Found::Unchanged { fresh_for: 900 });
    let Found::Document(document) = ask().await else { panic!("it has changed") };
    assert_eq!(document.validators, Validators { etag: Some("\"v2\"".to_owned()), last_modified: None });
    assert_eq!(document.fresh_for, freshness::SHORTEST);
    assert_eq!(asked(&server).await, [APPENDED, APPENDED]);
}

/// T13: a name that leads into our own network is asked for nothing, however it is spelt.
#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_asked() {
    for inner in ["10.0.0.1", "169.254.169.254", "127.0.0.1", "fd00:ec2::254"] {
        let client = Client::with_names(Always(vec!["1.1.1.1", inner]));
        let error = discover(&client, "https://id.example", None).await.unwrap_err();
        assert!(
            error.to_string().contains(&format!("leads to {inner}, which is not a public address")),
            "{error}"
        );
    }
    for issuer in ["https://192.168.0.1", "https://localhost.:1", "http://id.example", "nonsense"] {
        let error = discover(&Client::new(), issuer, None).await.unwrap_err();
        assert!(matches!(error, DiscoveryError::NotAsked { .. }), "{error}");
    }
}

/// A server that closes the connection instead of answering at [`RFC8414`], and has its document at [`APPENDED`]. Its issuer,
/// and its task.
async fn closing_at_the_first_place() -> (String, tokio::task::JoinHandle<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/t", listener.local_addr().unwrap());
    let own = issuer.clone();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let length = stream.read(&mut request).await.unwrap();
            let asked = String::from_utf8_lossy(&request[..length]).into_owned();
            let said = match asked.split(' ').nth(1) {
                Some(RFC8414) => continue,
                Some(INSERTED) => None,
                _ => Some(own.as_str()),
            };
            let body = said.map(|issuer| format!("{{\"issuer\":\"{issuer}\"}}")).unwrap_or_default();
            let status = if said.is_some() { "200 OK" } else { "404 Not Found" };
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (issuer, serving)
}

/// T13: a place that gives no answer hides none of the others, and what others refuse says nothing against the document whose
/// own place gives none.
#[tokio::test]
async fn a_place_without_an_answer_is_passed_over() {
    let (at, serving) = closing_at_the_first_place().await;
    let found = discover(&Client::new(), &at, None).await.unwrap();
    assert!(matches!(found, Found::Document(document) if document.url.path() == APPENDED));
    serving.abort();

    let server = MockServer::start().await;
    let other = document("https://other.example");
    Mock::given(path(INSERTED)).respond_with(other).mount(&server).await;
    Mock::given(path(RFC8414)).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let at: Url = format!("{}{RFC8414}", server.uri()).parse().unwrap();
    let validators = Validators::default();
    let asked = async |known| discover(&Client::new(), &issuer(&server), known).await.unwrap_err();
    let error = asked(Some((&at, &validators))).await;
    assert!(error.is_passing() && error.to_string().contains("HTTP 503"), "{error}");
    let error = asked(None).await;
    assert!(!error.leaves_the_old(), "{error}");
}

/// T7: a server that sends for ever is not listened to for ever.
#[tokio::test]
async fn a_server_that_never_ends_is_left() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = Arc::new(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    // Open until the end, also for the next place, at which nobody answers.
    let open = Arc::clone(&listener);
    let serving = tokio::spawn(async move {
        let (mut stream, _) = open.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        // One blank at a time: far below the cap when the time is up.
        while stream.write_all(b"1\r\n \r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let client = Client::new();
    let walk =
        Walk { client: &client, issuer: &issuer, reach: Reach::Loopback, patience: Duration::from_secs(1) };
    let places = places(&issuer.parse().unwrap());
    let walked = tokio::time::timeout(Duration::from_mins(1), walk.over(places, None)).await;
    let error = walked.expect("it is left at all").unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("no whole answer within 1 s"), "{error}");
    serving.abort();
}
