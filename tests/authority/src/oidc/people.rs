//! People at their browsers, in front of `oidc-provider`'s own pages.
//!
//! Each sign-in uses a new browser unless one is handed in: two sign-ins of one person in one browser share a
//! session, and so a grant, and ending one ends the other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::OidcProvider;
use crate::person::{CLIENT, REDIRECT};
use crate::secrets::Secrets;
use crate::{Browser, Page, TokenSet};

impl OidcProvider {
    /// Opens an authorization URL, signs in and consents. Gives the redirected URL, which nobody follows.
    pub async fn sign_in(&self, authorize_url: &str, login: &str) -> String {
        self.sign_in_with(&mut Browser::new(), authorize_url, login).await
    }

    /// As [`OidcProvider::sign_in`], in a browser that may have a session already.
    pub async fn sign_in_with(&self, browser: &mut Browser, authorize_url: &str, login: &str) -> String {
        let first = browser.get(authorize_url).await;
        let last = self.interact(browser, first, login).await;
        match last.location {
            Some(location) => location,
            None => panic!("no redirect back to the client: {} {}", last.status, last.body),
        }
    }

    /// Opens an authorization URL and cancels. Gives the redirected URL with the error.
    pub async fn abort(&self, authorize_url: &str) -> String {
        let mut browser = Browser::new();
        let first = browser.get(authorize_url).await;
        let page = browser.follow(first, |to| !self.is_own(to)).await;
        let cancel = format!("{}/abort", page.url);
        let answer = browser.get(&cancel).await;
        let last = browser.follow(answer, |to| !self.is_own(to)).await;
        match last.location {
            Some(location) => location,
            None => panic!("no redirect back to the client: {} {}", last.status, last.body),
        }
    }

    /// Enters a user code (or opens `verification_uri_complete`), confirms, signs in and consents.
    pub async fn approve_device(&self, user_code: &str, login: &str) {
        let mut browser = Browser::new();
        let confirm = self.enter(&mut browser, user_code).await;
        let answer = browser.submit(&confirm, &[]).await;
        let last = self.interact(&mut browser, answer, login).await;
        assert!(last.body.contains("Sign-in Success"), "the device was not approved: {}", last.body);
    }

    /// Enters a user code (or opens `verification_uri_complete`) and aborts.
    pub async fn deny_device(&self, user_code: &str) {
        let mut browser = Browser::new();
        let confirm = self.enter(&mut browser, user_code).await;
        let answer = browser.submit(&confirm, &[("abort", "yes")]).await;
        assert!(answer.body.contains("interrupted"), "the device was not denied: {}", answer.body);
    }

    /// A whole sign-in with PKCE, code exchange included: the tokens of a new grant of the public client.
    pub async fn tokens(&self, login: &str) -> TokenSet {
        let mut secrets = Secrets::default();
        let (verifier, state) = (secrets.fresh("verifier"), secrets.fresh("state"));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let scope = "openid email offline_access";
        let fields = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("prompt", "consent"),
        ];
        let address = Url::parse_with_params(&self.authorization_endpoint(), fields);
        let address = address.unwrap_or_else(|error| panic!("the authorization endpoint: {error}"));
        let redirected = self.sign_in(address.as_str(), login).await;
        let code = Url::parse(&redirected).ok().and_then(|url| {
            url.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
        });
        let code = code.unwrap_or_else(|| panic!("no code in {redirected}"));
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &verifier),
        ];
        let page = Browser::new().post(&self.token_endpoint(), &form).await;
        let answer: Value = serde_json::from_str(&page.body).unwrap_or_default();
        assert_eq!(page.status, 200, "the exchange failed: {}", page.body);
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let issued = i64::try_from(now.as_secs()).unwrap_or_default();
        TokenSet {
            access: text("access_token"),
            refresh: text("refresh_token"),
            id_token: answer["id_token"].as_str().map(str::to_owned),
            expires_at: issued + answer["expires_in"].as_i64().unwrap_or_default(),
            scopes: scope.split(' ').map(str::to_owned).collect(),
            issuer: self.issuer().to_owned(),
            client_id: CLIENT.to_owned(),
        }
    }

    /// The page that asks to confirm a user code.
    async fn enter(&self, browser: &mut Browser, code_or_url: &str) -> Page {
        let mut fields = Vec::new();
        let address = if code_or_url.starts_with("http") {
            code_or_url.to_owned()
        } else {
            fields.push(("user_code", code_or_url));
            format!("{}/device", self.issuer())
        };
        let page = browser.get(&address).await;
        let confirm = browser.submit(&page, &fields).await;
        assert_eq!(confirm.status, 200, "the user code was refused: {}", confirm.body);
        confirm
    }

    /// Answers the login and consent pages until the server leads elsewhere or shows a last page.
    async fn interact(&self, browser: &mut Browser, first: Page, login: &str) -> Page {
        let mut page = browser.follow(first, |to| !self.is_own(to)).await;
        for _ in 0..4 {
            let form = page.forms().into_iter().next();
            let (None, Some(form)) = (&page.location, form) else {
                return page;
            };
            let asks_login = form.fields.iter().any(|(name, _)| name == "login");
            let fields = [("login", login), ("password", "any")];
            let fields = if asks_login { &fields[..] } else { &[] };
            let answer = browser.submit_form(&page, &form, fields).await;
            page = browser.follow(answer, |to| !self.is_own(to)).await;
        }
        page
    }

    fn is_own(&self, address: &str) -> bool {
        address.starts_with(&format!("{}/", self.issuer()))
    }
}
