//! People at their browsers: they open the pages of the scripted server, fill in the forms and send them.

use crate::{Authority, Browser, Page, Person};

impl Authority {
    /// Opens an authorization URL, signs in and approves. Gives what the person then has in hand: the redirected
    /// URL (nobody follows it), or the text of the hosted code page.
    pub async fn sign_in(&self, authorize_url: &str, person: &Person) -> String {
        self.sign_in_with(&mut Browser::new(), authorize_url, person).await
    }

    /// As [`Authority::sign_in`], in a browser that remembers.
    pub async fn sign_in_with(&self, browser: &mut Browser, authorize_url: &str, person: &Person) -> String {
        let page = browser.get(authorize_url).await;
        let answer = browser.submit(&page, &account(person, "approve")).await;
        self.in_hand(browser, answer).await
    }

    /// Opens an authorization URL and refuses. Gives the redirected URL with the error.
    pub async fn refuse(&self, authorize_url: &str) -> String {
        let mut browser = Browser::new();
        let page = browser.get(authorize_url).await;
        let answer = browser.submit(&page, &[("decision", "deny")]).await;
        self.in_hand(&mut browser, answer).await
    }

    /// Enters a user code (or opens `verification_uri_complete`), signs in and approves.
    pub async fn approve_device(&self, user_code: &str, person: &Person) {
        let page = self.decide_device(user_code, &account(person, "approve")).await;
        assert_eq!(page.status, 200, "the verification page refused the code {user_code}: {}", page.body);
    }

    /// Enters a user code (or opens `verification_uri_complete`) and refuses.
    pub async fn deny_device(&self, user_code: &str) {
        let page = self.decide_device(user_code, &[("decision", "deny")]).await;
        assert_eq!(page.status, 200, "the verification page refused the code {user_code}: {}", page.body);
    }

    /// Sends the verification page's form, the code prefilled where the address carries it.
    async fn decide_device(&self, code_or_url: &str, fields: &[(&str, &str)]) -> Page {
        let mut browser = Browser::new();
        let mut fields = fields.to_vec();
        let address = if code_or_url.starts_with("http") {
            code_or_url.to_owned()
        } else {
            fields.push(("user_code", code_or_url));
            self.url("/device")
        };
        let page = browser.get(&address).await;
        browser.submit(&page, &fields).await
    }

    async fn in_hand(&self, browser: &mut Browser, answer: Page) -> String {
        let location = answer.location.clone();
        let Some(location) = location else {
            panic!("no redirect after the form: {} {}", answer.status, answer.body);
        };
        if !location.starts_with(&self.url("/code?")) {
            return location;
        }
        let page = browser.get(&location).await;
        page.text_of("code").unwrap_or(location)
    }
}

fn account<'a>(person: &'a Person, decision: &'a str) -> [(&'a str, &'a str); 4] {
    [("account", "other"), ("name", &person.sub), ("email", &person.email), ("decision", decision)]
}
