//! A browser, as far as these tests need one: pages, forms, cookies, and redirects that stop at the client.
//!
//! It runs on a thread and a clock of its own, so that a test with a paused clock can use it. It opens loopback
//! addresses only and waits at most 20 s for a page.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::header;
use reqwest::redirect::Policy;
use tokio::runtime::{Builder, Runtime};
use url::Url;

pub use crate::form::Form;
use crate::form::{element_text, forms};

const PATIENCE: Duration = Duration::from_secs(20);

#[expect(clippy::expect_used, reason = "a test without its browser has failed")]
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .thread_name("browser")
        .enable_all()
        .build()
        .expect("start the browser's runtime")
});

/// Runs a future by the machine's clock, whatever the caller's runtime does.
#[expect(clippy::expect_used, reason = "a panic over there is the test's failure here")]
pub(crate) async fn background<F>(work: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    RUNTIME.spawn(work).await.expect("the browser's task panicked")
}

/// Has a future run over there for as long as it takes.
pub(crate) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    RUNTIME.spawn(work);
}

/// A browser with its cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// A page, or a redirect that was not followed.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// The status.
    pub status: u16,
    /// Where a redirect leads, made absolute.
    pub location: Option<String>,
    /// The text of the page.
    pub body: String,
}

impl Page {
    /// The forms of the page.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        forms(&self.body)
    }

    /// The text of the element with this id.
    #[must_use]
    pub fn text_of(&self, id: &str) -> Option<String> {
        element_text(&self.body, id)
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A browser without cookies.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without its browser has failed")]
    pub fn new() -> Self {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .pool_max_idle_per_host(0)
            .build()
            .expect("make the browser's HTTP client");
        Self { client, cookies: BTreeMap::new() }
    }

    /// Opens an address. Redirects are not followed.
    pub async fn get(&mut self, address: &str) -> Page {
        let request = self.client.get(address);
        self.send(request, address).await
    }

    /// Sends the first form of a page, with these fields put over its own.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let Some(form) = page.forms().into_iter().next() else {
            panic!("no form on the page {}: {} {}", page.url, page.status, page.body);
        };
        self.submit_form(page, &form, fields).await
    }

    /// Sends one form of a page, with these fields put over its own.
    pub async fn submit_form(&mut self, page: &Page, form: &Form, fields: &[(&str, &str)]) -> Page {
        let Ok(target) = page.url.join(&form.action) else {
            panic!("the form's action is no address: {}", form.action);
        };
        let pairs = form.filled(fields);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = if form.method == "post" {
            self.client
                .post(target.clone())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ORIGIN, page.url.origin().ascii_serialization())
                .body(body)
        } else {
            let mut target = target.clone();
            target.set_query(Some(&body));
            self.client.get(target)
        };
        self.send(request, target.as_str()).await
    }

    /// Sends a form that is on no page, as a client would.
    pub async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "application/x-www-form-urlencoded";
        let request = self.client.post(address).header(header::CONTENT_TYPE, kind).body(body);
        self.send(request, address).await
    }

    /// Sends JSON, as the script of a page would.
    pub async fn send_json(
        &mut self,
        method: reqwest::Method,
        address: &str,
        body: &serde_json::Value,
    ) -> Page {
        let kind = "application/json";
        let request = self.client.request(method, address).header(header::CONTENT_TYPE, kind);
        self.send(request.body(body.to_string()), address).await
    }

    /// Follows redirects from a page until one leads to an address that `stop` names, or there are none left.
    pub async fn follow(&mut self, mut page: Page, stop: impl Fn(&str) -> bool) -> Page {
        for _ in 0..12 {
            match page.location.clone() {
                Some(next) if !stop(&next) => page = self.get(&next).await,
                _ => return page,
            }
        }
        panic!("too many redirects, the last to {}", page.url);
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, address: &str) -> Page {
        let Ok(url) = Url::parse(address) else {
            panic!("not an address: {address}");
        };
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        assert!(loopback, "tests stay on loopback: {url}");
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies.join("; ")) };
        let answer = background(async move {
            let response = request.header(header::ACCEPT, "text/html,*/*;q=0.8").send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = response.text().await?;
            Ok::<_, reqwest::Error>((status, headers, body))
        });
        let (status, headers, body) = match answer.await {
            Ok(answer) => answer,
            Err(error) => panic!("the browser could not open {url}: {error:?}"),
        };
        for cookie in headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap_or_default());
        }
        let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location.map(|to| url.join(to).map_or_else(|_| to.to_owned(), String::from));
        Page { url, status, location, body }
    }

    /// Cookies go by name alone: a browser here visits one server.
    fn keep(&mut self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let gone = parts.any(|part| {
            let part = part.to_ascii_lowercase();
            part == "max-age=0" || part.starts_with("expires=thu, 01 jan 1970")
        });
        if gone || value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
