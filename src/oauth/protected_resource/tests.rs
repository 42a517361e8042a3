//! Tests of asking a server, over real connections on loopback.

use wiremock::matchers::{body_partial_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const INSERTED: &str = "/.well-known/oauth-protected-resource/mcp";
const ROOT: &str = "/.well-known/oauth-protected-resource";

/// RFC 9728 section 3.1
#[test]
fn the_well_known_places_and_their_order() {
    for (server, expected) in [
        (
            "https://mcp.example/a/mcp",
            &[
                "https://mcp.example/.well-known/oauth-protected-resource/a/mcp",
                "https://mcp.example/.well-known/oauth-protected-resource",
            ][..],
        ),
        (
            "https://mcp.example/mcp/?team=1",
            &[
                "https://mcp.example/.well-known/oauth-protected-resource/mcp?team=1",
                "https://mcp.example/.well-known/oauth-protected-resource",
            ],
        ),
        ("https://mcp.example:8443", &["https://mcp.example:8443/.well-known/oauth-protected-resource"]),
    ] {
        let found: Vec<String> =
            places(&Url::parse(server).unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{server}");
    }
}

fn document(resource: &str, issuer: &str) -> ResponseTemplate {
    let body = serde_json::json!({ "resource": resource, "authorization_servers": [issuer] });
    ResponseTemplate::new(200).set_body_json(body).insert_header("cache-control", "max-age=900")
}

/// A server whose `/mcp` answers this, and these places that.
async fn serving(knock: ResponseTemplate, places: &[(&str, ResponseTemplate)]) -> (MockServer, Url) {
    let server = MockServer::start().await;
    let first = serde_json::json!({ "jsonrpc": "2.0", "method": "initialize" });
    Mock::given(method("POST"))
        .and(path("/mcp"))
        .and(body_partial_json(first))
        .respond_with(knock)
        .mount(&server)
        .await;
    for (at, answer) in places {
        Mock::given(method("GET")).and(path(*at)).respond_with(answer.clone()).mount(&server).await;
    }
    let url = Url::parse(&format!("{}/mcp", server.uri())).unwrap();
    (server, url)
}

fn challenging(header: &str) -> ResponseTemplate {
    ResponseTemplate::new(401).insert_header("www-authenticate", header)
}

async fn asked(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| !request.headers.contains_key("authorization")));
    requests.iter().map(|request| format!("{} {}", request.method, request.url.path())).collect()
}

/// RFC 9728 section 5: what the challenge names comes first.
#[tokio::test]
async fn the_challenge_says_where_the_document_stands() {
    let (server, url) = serving(ResponseTemplate::new(404), &[]).await;
    let header =
        format!(r#"Basic realm="x", Bearer resource_metadata="{}/about", scope="a b a""#, server.uri());
    Mock::given(method("GET")).and(path("/mcp")).respond_with(challenging(&header)).mount(&server).await;
    Mock::given(path("/about"))
        .respond_with(document(url.as_str(), "http://127.0.0.1:9"))
        .mount(&server)
        .await;
    let told = ask(&Client::new(), &url).await.unwrap();
    let (at, _, read) = told.document.unwrap();
    assert_eq!(
        (at.path(), read.issuers, told.scopes, told.fresh_for),
        ("/about", vec!["http://127.0.0.1:9".to_owned()], Some(vec!["a".to_owned(), "b".to_owned()]), 900)
    );
    assert_eq!(asked(&server).await, ["POST /mcp", "GET /mcp", "GET /about"]);
}

/// RFC 9728 section 3.1: without a challenge, or where nothing stands there, the well-known places are asked.
#[tokio::test]
async fn without_a_word_the_well_known_places_are_asked() {
    let nothing = ResponseTemplate::new(404);
    for knock in [challenging("Bearer"), challenging(r#"Bearer resource_metadata="/relative""#)] {
        let (server, url) = serving(knock, &[(INSERTED, nothing.clone())]).await;
        let root = document(&server.uri(), "http://127.0.0.1:9");
        Mock::given(path(ROOT)).respond_with(root).mount(&server).await;
        let told = ask(&Client::new(), &url).await.unwrap();
        assert_eq!(told.document.map(|(at, ..)| at.path().to_owned()).as_deref(), Some(ROOT));
        let get = |place| format!("GET {place}");
        assert_eq!(asked(&server).await, ["POST /mcp".to_owned(), get(INSERTED), get(ROOT)]);
    }
    let (server, url) = serving(ResponseTemplate::new(200), &[(ROOT, nothing)]).await;
    let told = ask(&Client::new(), &url).await.unwrap();
    assert!(told.document.is_none() && told.tried.contains("HTTP 404"), "{told:?}");
    assert_eq!(asked(&server).await.len(), 3);
}

/// T13, T7: what a server must not name is refused, and nobody is asked for it; what fails is no "there is none".
#[tokio::test]
async fn what_a_server_must_not_name_is_refused() {
    for named in ["https://id.example/x", "http://10.0.0.1/x", "http://169.254.169.254/x"] {
        let header = format!("Bearer resource_metadata=\"{named}\"");
        let (server, url) = serving(challenging(&header), &[]).await;
        let refused = ask(&Client::new(), &url).await.unwrap_err();
        assert!(
            matches!(
                &refused,
                DiscoveryError::ServerRefused { source: ResourceError::OutOfReach { .. }, .. }
            ),
            "{refused}"
        );
        assert_eq!(asked(&server).await.len(), 1);
    }
    let (_server, url) =
        serving(challenging("Bearer"), &[(INSERTED, document("http://127.0.0.1:1/mcp", "http://[::1]"))])
            .await;
    let refused = ask(&Client::new(), &url).await.unwrap_err();
    assert!(!refused.is_passing() && !refused.leaves_the_old(), "{refused}");
    let failing = ResponseTemplate::new(503);
    let (_server, url) = serving(challenging("Bearer"), &[(INSERTED, failing)]).await;
    let failed = ask(&Client::new(), &url).await.unwrap_err();
    assert!(failed.is_passing(), "{failed}");
}

/// T7: a server that gives the knock no answer has its document all the same; without one, the knock's failure is told.
#[tokio::test]
async fn a_knock_without_an_answer_hides_no_document() {
    let client = Client::new();
    let hangs = || ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    let patience = Duration::from_secs(1);
    let (server, url) = serving(hangs(), &[]).await;
    Mock::given(path(ROOT)).respond_with(document(&server.uri(), "http://127.0.0.1:9")).mount(&server).await;
    let told = Asking { client: &client, server: &url, patience }.whole().await.unwrap();
    assert_eq!(told.document.map(|(at, ..)| at.path().to_owned()).as_deref(), Some(ROOT));
    let (_server, url) = serving(hangs(), &[]).await;
    let failed = Asking { client: &client, server: &url, patience }.whole().await.unwrap_err();
    assert!(failed.is_passing() && failed.to_string().contains("no whole answer within 1 s"), "{failed}");
}

/// T10: whatever an address holds, nothing of it forges a link or a mention in what people read.
#[tokio::test]
async fn the_places_are_told_fit_to_show() {
    let header = |server: &str| format!("Bearer resource_metadata=\"{server}/@everyone~*[x](y)\"");
    let server = MockServer::start().await;
    let answer = challenging(&header(&server.uri()));
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    let url = Url::parse(&format!("{}/mcp", server.uri())).unwrap();
    let told = ask(&Client::new(), &url).await.unwrap();
    assert!(told.tried.contains("/@\u{200b}everyone (x)(y): HTTP 404"), "{}", told.tried);
}

/// T7: a stream that never ends, a redirect, a server that is away.
#[tokio::test]
async fn a_server_that_is_away_is_tried_later() {
    let gone = Url::parse("http://127.0.0.1:1/mcp").unwrap();
    assert!(ask(&Client::new(), &gone).await.unwrap_err().is_passing());
    let elsewhere = MockServer::start().await;
    let away = ResponseTemplate::new(307).insert_header("location", elsewhere.uri().as_str());
    let (_server, url) = serving(away.clone(), &[(INSERTED, away.clone()), (ROOT, away)]).await;
    let told = ask(&Client::new(), &url).await.unwrap();
    assert!(told.document.is_none() && told.tried.contains("a redirect, which is not followed"), "{told:?}");
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
}
