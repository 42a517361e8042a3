//! What each route does.
//!
//! Owns the way from a request to a [`Page`]. Invariants: a GET spends nothing; a confirmation is claimed by the same
//! durable step as a paste (C12); whatever comes in is answered with a page and loses nothing. Must not: log what came in.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Response};
use axum::routing::any;

use super::page::{ConfirmPage, Notice, Page, Trouble};
use super::tickets::{Answer, Redeemed};
use super::{Server, Wanted, headers, proof};
use crate::login::{Arrival, CallbackError, PasteError};
use crate::pending::{EndReason, LoginId, LoginStatus, PendingLogin};
use crate::secret::random_id;
use crate::store::{StoreError, has_ended};
use crate::tenant::ProviderName;

/// The longest query that is read, in bytes: more than any authorization server's answer.
const QUERY_CAP: usize = 8_192;
/// The largest form, in bytes: a ticket and a decision.
const FORM_CAP: usize = 4_096;
/// How long a form may take to arrive.
const FORM_BOUND: Duration = Duration::from_secs(10);
/// How long a page waits for somebody's name.
const NAME_BOUND: Duration = Duration::from_secs(5);

/// What is answered, and to whom.
struct Reply {
    page: Page,
    locale: Option<String>,
}

impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Self {
        Self { page: Page::Trouble(trouble), locale: None }
    }
}

impl Server {
    /// The routes. Below them there is nothing.
    pub(super) fn router(&self) -> Router {
        let prefix = &self.0.prefix;
        Router::new()
            .route(&format!("{prefix}/callback/{{provider}}"), any(callback))
            .route(&format!("{prefix}/go/{{login}}"), any(go))
            .route(&format!("{prefix}/{}/{{nonce}}", proof::PATH), any(check))
            .fallback(elsewhere)
            .with_state(self.clone())
    }

    fn render(&self, reply: &Reply, incoming: &HeaderMap) -> Response<Body> {
        let nonce = random_id();
        let asked = Wanted {
            page: &reply.page,
            locale: reply.locale.as_deref(),
            accept_language: incoming.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()),
            nonce: &nonce,
        };
        headers::page(reply.page.status(), self.0.reception.render(&asked), &nonce)
    }

    /// An answer has arrived at the page of `provider`.
    async fn look(&self, provider: &ProviderName, query: &str) -> Reply {
        if query.len() > QUERY_CAP {
            return Trouble::AddressTooLong.into();
        }
        match self.0.broker.logins().arrive(provider, query).await {
            Ok(Arrival::Code(login, code)) => {
                self.ask(login.clone(), Answer { provider: provider.clone(), login: login.id, code }, None)
                    .await
            }
            Ok(Arrival::Stands(login)) if login.status == LoginStatus::Exchanging => {
                Reply { locale: login.locale.clone(), page: Page::InUse(Box::new(login)) }
            }
            Ok(Arrival::Stands(login)) => self.stands(login),
            Err(CallbackError::Unknown) => Trouble::OverOrUnknown.into(),
            Err(CallbackError::Bad { error, locale }) => {
                Reply { page: Page::Trouble(Trouble::Answer(error)), locale }
            }
            Err(CallbackError::Store(error)) => fault(&error),
        }
    }

    /// Asks the person in front of the page whether the login is theirs.
    async fn ask(&self, login: PendingLogin, answer: Answer, notice: Option<Notice>) -> Reply {
        let starter = tokio::time::timeout(NAME_BOUND, self.0.reception.starter(&login.user));
        let starter = starter.await.ok().flatten();
        let ticket = self.0.tickets.issue(answer);
        let locale = login.locale.clone();
        let confirmation = ConfirmPage { login, starter, ticket, notice };
        Reply { page: Page::Confirm(Box::new(confirmation)), locale }
    }

    /// The form of a confirmation page came back.
    async fn decide(&self, provider: &ProviderName, form: &[u8]) -> Reply {
        let Some(form) = Form::read(form) else { return Trouble::BadForm.into() };
        let answer = match self.0.tickets.redeem(provider, &form.ticket) {
            Redeemed::Answer(answer) => answer,
            // The page was sent again, by a reload say: the login has long gone on.
            Redeemed::Used(login) => return self.stands_now(&login),
            Redeemed::Unknown => return Trouble::TicketGone.into(),
        };
        if form.confirmed { self.spend(answer).await } else { self.about(&answer.login, Page::Dropped) }
    }

    /// Spends an answer that was confirmed.
    async fn spend(&self, answer: Answer) -> Reply {
        let before = self.login(&answer.login);
        let spent = self.0.broker.logins().submit_arrived(&answer.login, answer.code.clone()).await;
        let notice = match spent {
            Ok(_) => {
                if let Ok(Some(before)) = before {
                    self.0.reception.answered(&before).await;
                }
                return self.stands_now(&answer.login);
            }
            Err(PasteError::Over(_) | PasteError::Unknown) => return self.stands_now(&answer.login),
            Err(PasteError::InUse) => return self.about(&answer.login, Page::InUse),
            Err(PasteError::Closing) => return Trouble::Restarting.into(),
            Err(PasteError::NotSent(_)) => Notice::NotSent,
            Err(error) => {
                tracing::error!(login = %answer.login, %error, "a confirmed answer could not be used");
                Notice::Fault
            }
        };
        // Nothing was sent: the same answer is asked about again.
        match self.login(&answer.login) {
            Ok(Some(login)) if login.status == LoginStatus::Pending => {
                self.ask(login, answer, Some(notice)).await
            }
            _ => self.stands_now(&answer.login),
        }
    }

    fn login(&self, id: &LoginId) -> Result<Option<PendingLogin>, StoreError> {
        Ok(self.0.broker.store().snapshot()?.login_by_id(id).map(|login| (*login).clone()))
    }

    /// A page about the login `id`.
    fn about(&self, id: &LoginId, page: impl FnOnce(Box<PendingLogin>) -> Page) -> Reply {
        match self.login(id) {
            Ok(Some(login)) => Reply { locale: login.locale.clone(), page: page(Box::new(login)) },
            Ok(None) => Trouble::OverOrUnknown.into(),
            Err(error) => fault(&error),
        }
    }

    fn stands_now(&self, id: &LoginId) -> Reply {
        match self.login(id) {
            Ok(Some(login)) => match login.status {
                LoginStatus::Starting | LoginStatus::Exchanging => {
                    Reply { locale: login.locale.clone(), page: Page::InUse(Box::new(login)) }
                }
                // Its ticket is used, and the login waits on: for another answer, or for none if its time is over.
                LoginStatus::Pending if has_ended(&login, self.0.broker.clock().now()) => {
                    Trouble::OverOrUnknown.into()
                }
                LoginStatus::Pending => Trouble::TicketGone.into(),
                _ => self.stands(login),
            },
            Ok(None) => Trouble::OverOrUnknown.into(),
            Err(error) => fault(&error),
        }
    }

    fn stands(&self, login: PendingLogin) -> Reply {
        let held =
            self.0.broker.store().snapshot().ok().and_then(|document| document.tenant(&login.tenant).ok()?);
        // Of this sign-in, and not of what came into the slot after it, or without it.
        let own = held.filter(|held| {
            held.owner.as_ref() == Some(&login.user)
                && held.created_at.is_none_or(|at| at >= login.created_at)
        });
        let account = own.and_then(|held| held.account.label().map(str::to_owned));
        // Who came second is not shown the account of who came first.
        let theirs = !matches!(login.reason, Some(EndReason::CompletedBy(_)));
        let account = account.filter(|_| login.status == LoginStatus::Succeeded && theirs);
        Reply { locale: login.locale.clone(), page: Page::Stands { login: Box::new(login), account } }
    }
}

/// What the form of a confirmation page says.
struct Form {
    ticket: String,
    confirmed: bool,
}

impl Form {
    fn read(body: &[u8]) -> Option<Self> {
        let mut fields = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            if fields.insert(name, value).is_some() {
                return None;
            }
        }
        let confirmed = match fields.get("decision").map(|decision| &**decision) {
            Some("confirm") => true,
            Some("drop") => false,
            _ => return None,
        };
        Some(Self { ticket: fields.get("ticket")?.to_string(), confirmed })
    }
}

fn fault(error: &StoreError) -> Reply {
    tracing::error!(%error, "a sign-in page could not look into the store");
    Trouble::Fault.into()
}

async fn callback(State(server): State<Server>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let name = parts.uri.path().rsplit('/').next().unwrap_or_default();
    // Not as people type it: the address is exactly the one that is registered.
    let known = name.parse::<ProviderName>().ok().filter(|parsed| parsed.as_str() == name);
    let served = |name: &ProviderName| server.0.broker.logins().has_page(name);
    let reply = match (known.filter(served), &parts.method) {
        (None, _) => Trouble::NotFound.into(),
        (Some(provider), &Method::GET) => server.look(&provider, parts.uri.query().unwrap_or_default()).await,
        (Some(provider), &Method::POST) => match form_of(&parts.headers, body).await {
            Ok(form) => server.decide(&provider, &form).await,
            Err(trouble) => trouble.into(),
        },
        (Some(_), _) => {
            let refused = server.render(&Trouble::Method.into(), &parts.headers);
            return headers::allowing(refused, "GET, POST");
        }
    };
    server.render(&reply, &parts.headers)
}

async fn go(State(server): State<Server>, request: Request) -> Response<Body> {
    let incoming = request.headers();
    if request.method() != Method::GET {
        return headers::allowing(server.render(&Trouble::Method.into(), incoming), "GET");
    }
    let id = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let reply = match server.0.broker.logins().link(&id) {
        Ok(Some(link)) => match headers::found(link.expose()) {
            Some(found) => return found,
            None => Trouble::Fault.into(),
        },
        Ok(None) => Trouble::OverOrUnknown.into(),
        Err(error) => fault(&error),
    };
    server.render(&reply, incoming)
}

/// What `latchkey check` asks, to learn whether this page is reached at its public address.
async fn check(State(server): State<Server>, request: Request) -> Response<Body> {
    let nonce = request.uri().path().rsplit('/').next().unwrap_or_default();
    let document = server.0.broker.store().snapshot().ok();
    let store_id = document.as_ref().and_then(|document| document.store_id());
    match proof::answer(store_id, nonce).filter(|_| request.method() == Method::GET) {
        Some(answer) => headers::plain(answer),
        None => server.render(&Trouble::NotFound.into(), request.headers()),
    }
}

async fn elsewhere(State(server): State<Server>, request: Request) -> Response<Body> {
    server.render(&Trouble::NotFound.into(), request.headers())
}

/// The body of a form, if it is one and arrives in time.
async fn form_of(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Trouble> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Trouble::BadForm);
    }
    if text(CONTENT_LENGTH).parse::<u64>().is_ok_and(|length| length > FORM_CAP as u64) {
        return Err(Trouble::FormTooLarge);
    }
    match tokio::time::timeout(FORM_BOUND, to_bytes(body, FORM_CAP)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        // The other reason is a connection that broke: nobody is there to read this.
        Ok(Err(_)) => Err(Trouble::FormTooLarge),
        Err(_) => Err(Trouble::FormTooSlow),
    }
}
