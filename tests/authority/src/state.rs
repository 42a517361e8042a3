//! Everything the server knows, behind one lock.
//!
//! The lock is held for the length of one decision and never across an await, so that two requests which
//! arrive together are decided one after the other.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::authorize::{Code, Request};
use crate::device::Device;
use crate::fault::Faults;
use crate::incoming::Incoming;
use crate::ledger::{Ledger, millis};
use crate::person::Client;
use crate::record::Record;
use crate::reply::Reply;
use crate::secrets::Secrets;
use crate::settings::Settings;

/// The state of one server.
#[derive(Debug)]
pub(crate) struct State {
    /// `http://127.0.0.1:port`, without a path.
    pub origin: String,
    pub settings: Settings,
    pub clients: BTreeMap<String, Client>,
    pub ledger: Ledger,
    pub codes: HashMap<String, Code>,
    /// Authorization requests whose page is open, by the handle in their form.
    pub requests: HashMap<String, Request>,
    /// Device logins by device code (or codex's `device_auth_id`).
    pub devices: HashMap<String, Device>,
    pub faults: Faults,
    pub record: Record,
    pub secrets: Secrets,
}

impl State {
    pub fn new(origin: String, settings: Settings) -> Self {
        Self {
            origin,
            settings,
            clients: BTreeMap::new(),
            ledger: Ledger::default(),
            codes: HashMap::new(),
            requests: HashMap::new(),
            devices: HashMap::new(),
            faults: Faults::default(),
            record: Record::default(),
            secrets: Secrets::default(),
        }
    }

    /// Milliseconds since 1970 by the server's own clock.
    pub fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        millis(since) + self.settings.clock_shift * 1000
    }

    pub fn issuer(&self) -> String {
        format!("{}{}", self.origin, self.settings.issuer_path)
    }

    /// The address of a path below the issuer.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.settings.prefix())
    }

    /// The client of this id, if the server knows it or takes any.
    pub fn client(&self, id: &str) -> Option<Client> {
        let stranger = || self.settings.any_client.then(|| Client::public(id, &[]));
        self.clients.get(id).cloned().or_else(stranger)
    }

    /// The client that sends a token or revocation request (RFC 6749, section 2.3).
    pub fn authenticate(&self, incoming: &Incoming) -> Result<Client, Reply> {
        let basic = incoming.header("authorization").map(read_basic);
        let refused = |why: &str| {
            let reply = Reply::error(401, "invalid_client", why);
            if basic.is_some() { reply.header("www-authenticate", "Basic realm=\"clients\"") } else { reply }
        };
        let posted = (incoming.field("client_id"), incoming.field("client_secret"));
        let (id, secret) = match (&basic, posted) {
            (Some(None), _) => return Err(refused("the authorization header is not HTTP Basic")),
            (Some(Some(_)), (_, Some(_))) => {
                return Err(Reply::error(400, "invalid_request", "two ways of client authentication"));
            }
            (Some(Some((id, _))), (Some(posted), None)) if posted != id => {
                return Err(Reply::error(400, "invalid_request", "two different client ids"));
            }
            (Some(Some((id, secret))), _) => (id.clone(), Some(secret.clone())),
            (None, (Some(id), secret)) => (id.to_owned(), secret.map(str::to_owned)),
            (None, (None, _)) => return Err(refused("no client id")),
        };
        let client = self.client(&id).ok_or_else(|| refused("unknown client"))?;
        match (&client.secret, secret.filter(|text| !text.is_empty())) {
            (None, None) => Ok(client),
            (Some(expected), Some(given)) if *expected == given => Ok(client),
            (Some(_), None) => Err(refused("this client must authenticate")),
            (Some(_), Some(_)) => Err(refused("wrong client secret")),
            (None, Some(_)) => Err(refused("a public client has no secret")),
        }
    }
}

fn read_basic(header: &str) -> Option<(String, String)> {
    let decoded = BASE64.decode(header.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    // Both halves are form-encoded before they are joined (RFC 6749, section 2.3.1).
    let plain = |text: &str| {
        let pair = format!("v={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}
