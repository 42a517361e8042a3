//! Debian's `django-oauth-toolkit` as a real authorization server: a web application of the usual kind, in Python.
//!
//! PKCE is required and refresh tokens rotate; a second use of one is refused and ends nothing. What must hold: it has a
//! folder and a database of its own, listens on loopback only, and ends with its handle. Every wait is bounded.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::Browser;
use crate::browser::background;
use crate::child::Served;
use crate::front::Front;

/// The Python that Debian's packages are for, whatever else is on the path.
const PYTHON: &str = "/usr/bin/python3";
const REMEDY: &str = "on Debian: apt-get install --no-install-recommends python3-django-oauth-toolkit";
/// Starting takes two seconds on an idle machine: it makes its tables anew.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running `django-oauth-toolkit`, with the person `ada` and the clients [`crate::CLIENT`] and [`crate::CONFIDENTIAL`].
#[derive(Debug)]
pub struct DjangoToolkit {
    front: Front,
    served: Served,
    _folder: tempfile::TempDir,
}

impl DjangoToolkit {
    /// Starts the server.
    pub async fn start() -> Self {
        let front = Front::open().await;
        let started = background(async { spawn_blocking(start).await });
        match (front, started.await) {
            (Ok(front), Ok(Ok((served, folder, port)))) => {
                front.lead_to(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
                Self { front, served, _folder: folder }
            }
            (Err(why), _) | (_, Ok(Err(why))) => panic!("django-oauth-toolkit cannot run: {why}"),
            (_, Err(panicked)) => panic!("the start of django-oauth-toolkit panicked: {panicked}"),
        }
    }

    /// What went by: requests without a browser, and secrets.
    #[must_use]
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// The issuer, as its metadata spells it.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/o", self.front.origin())
    }

    /// The revocation endpoint, of which its metadata says nothing.
    #[must_use]
    pub fn revocation_endpoint(&self) -> String {
        format!("{}/revoke_token/", self.issuer())
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.served.id()
    }

    /// What it has written.
    #[must_use]
    pub fn said(&self) -> String {
        self.served.said()
    }

    /// Whether its userinfo endpoint accepts an access token.
    pub async fn accepts(&self, token: &str) -> bool {
        crate::front::accepts(&format!("{}/userinfo/", self.issuer()), token).await
    }

    /// Opens an authorization URL, signs Ada in and consents. Gives the redirected URL, which nobody follows.
    pub async fn sign_in(&self, authorize_url: &str) -> String {
        let mut browser = Browser::new();
        let is_own = |to: &str| to.starts_with(&format!("{}/", self.front.origin()));
        let first = browser.get(authorize_url).await;
        let login = browser.follow(first, |to| !is_own(to)).await;
        let answer = browser.submit(&login, &[("username", "ada"), ("password", "any")]).await;
        let consent = browser.follow(answer, |to| !is_own(to)).await;
        let last = browser.submit(&consent, &[("allow", "Authorize")]).await;
        match last.location {
            Some(location) if !is_own(&location) => location,
            _ => panic!("no redirect back to the client: {} {} {}", last.status, last.body, self.said()),
        }
    }
}

fn start() -> Result<(Served, tempfile::TempDir, u16), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("django/server.py");
    let mut python = Command::new(PYTHON);
    python.args(["-B", "-I"]).arg(script).arg(folder.path()).env_clear().env("PATH", "/usr/bin:/bin");
    let (served, heard) =
        Served::start(&mut python).map_err(|error| format!("{PYTHON} cannot be run ({error}); {REMEDY}"))?;
    let line = heard.recv_timeout(PATIENCE).unwrap_or_default();
    let port = line
        .trim()
        .parse()
        .map_err(|_| format!("no port within {PATIENCE:?}; {REMEDY}\n{}", served.said()))?;
    Ok((served, folder, port))
}
