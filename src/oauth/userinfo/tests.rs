//! Tests of the question whose a token is.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use wiremock::matchers::{header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::oauth::token::testing::provider;

const TOKEN: &str = "at-1/2";

/// What is made of an answer of this status and body, beside an id token with these claims.
async fn asked(status: u16, body: &str, id_token: Option<&str>, id: &str) -> Result<Account, UserinfoError> {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .respond_with(ResponseTemplate::new(status).set_body_string(body))
        .expect(1)
        .mount(&server)
        .await;
    let mut provider = provider("https://id.example/token");
    provider.account_claims.id = vec![id.to_owned()];
    let id_token =
        id_token.map(|claims| Secret::new(format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(claims))));
    let endpoint = Url::parse(&server.uri()).unwrap();
    userinfo(&Client::new(), &provider, &endpoint, &Secret::new(TOKEN), id_token.as_ref()).await
}

/// I2, T8: what the answers of the field name, and that one about somebody else is not believed (OpenID Connect Core 5.3.2).
#[tokio::test]
async fn an_answer_is_believed_if_the_id_token_agrees() {
    let account = |id, email| Ok(Account::new(id, email));
    let other = || Err(UserinfoError::OtherSubject);
    for (body, id_token, id, expected) in [
        (r#"{"sub":"ada","email":"a@b.c"}"#, None, "sub", account(Some("ada"), Some("a@b.c"))),
        (r#"{"sub":"ada"}"#, Some(r#"{"sub":"ada"}"#), "sub", account(Some("ada"), None)),
        (r#"{"sub":"ben"}"#, Some(r#"{"sub":"ada"}"#), "sub", other()),
        (
            r#"{"id":"107","email":"a@b.c"}"#,
            Some(r#"{"sub":"107"}"#),
            "id",
            account(Some("107"), Some("a@b.c")),
        ),
        (r#"{"id":"108","email":"a@b.c"}"#, Some(r#"{"sub":"107"}"#), "id", other()),
        (r#"{"id":583231,"login":"octocat","email":null}"#, None, "id", account(Some("583231"), None)),
        (r#"{"sub":"ada","uuid":"u"}"#, Some(r#"{"sub":"ada"}"#), "uuid", account(Some("u"), None)),
        (r#"{"sub":"ben","uuid":"u"}"#, Some(r#"{"sub":"ada"}"#), "uuid", other()),
    ] {
        assert_eq!(asked(200, body, id_token, id).await, expected, "{body}");
    }
}

/// G16, T10: what may pass is told from what will not, and no text holds the token.
#[tokio::test]
async fn an_answer_that_names_nobody_is_passing_or_definite() {
    let echo = format!(r#"{{"message":"no {TOKEN}"}}"#);
    for (status, body, passes) in [
        (500, "", true),
        (503, "<html>", true),
        (429, "{}", true),
        (401, echo.as_str(), false),
        (403, "{}", false),
        (302, "", false),
        (200, "{}", false),
        (200, "<html>", false),
        (200, "eyJhbGciOiJub25lIn0.e30.", false),
    ] {
        let error = asked(status, body, None, "sub").await.unwrap_err();
        assert_eq!(matches!(error, UserinfoError::Passing(_)), passes, "{status} {body}: {error}");
        assert!(!error.to_string().contains(TOKEN), "{error}");
    }
}
