//! People at `glewlwyd`: its pages are one script, so what that script sends is sent here.
//!
//! Each sign-in uses a new browser.

use serde_json::json;
use url::Url;

use super::Glewlwyd;
use crate::Browser;

/// What the script adds once a person has signed in and consented.
const GO_ON: &str = "g_continue";

impl Glewlwyd {
    /// Opens an authorization URL, signs Ada in and consents. Gives the redirected URL, which nobody follows: that of a
    /// refusal, where the server refuses the request itself.
    pub async fn sign_in(&self, authorize_url: &str) -> String {
        let redirected = self.walk(authorize_url).await;
        assert!(!redirected.starts_with(self.front.origin()), "no redirect back to the client: {redirected}");
        redirected
    }

    /// Opens a `verification_uri_complete`, signs Ada in and consents.
    pub async fn approve_device(&self, complete: &str) {
        let last = self.walk(complete).await;
        assert!(last.contains("prompt=deviceComplete"), "the device was not approved: {last}");
    }

    async fn walk(&self, address: &str) -> String {
        let mut browser = Browser::new();
        let page = browser.get(address).await;
        let Some(asked) = page.location else {
            panic!("glewlwyd answers {address} with {}: {}", page.status, page.body);
        };
        if !asked.starts_with(self.front.origin()) {
            return asked;
        }
        let asked = Url::parse(&asked).unwrap_or_else(|error| panic!("glewlwyd leads to {asked}: {error}"));
        let said = |name: &str| {
            let found = asked.query_pairs().find(|(key, _)| key == name);
            found.map_or_else(|| panic!("no {name} in {asked}"), |(_, value)| value.into_owned())
        };
        let session = json!({"username": "ada", "password": "any-password"});
        self.post(&mut browser, "auth/", &session).await;
        let grant = format!("{}/api/auth/grant/{}", self.front.origin(), said("client_id"));
        let page = browser.send_json(reqwest::Method::PUT, &grant, &json!({"scope": said("scope")})).await;
        assert_eq!(page.status, 200, "the consent is refused: {}", page.body);
        let next = said("callback_url");
        let page = browser.get(&format!("{next}&{GO_ON}")).await;
        page.location.unwrap_or_else(|| panic!("no redirect from {next}: {} {}", page.status, page.body))
    }
}
