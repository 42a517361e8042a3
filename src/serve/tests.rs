//! The routes, without sockets and words: what each request comes to.

mod ends;
mod listening;

use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use latchkey_test_authority::Person;
use url::Url;

use super::*;
use crate::login::StartRequest;
use crate::oauth;
use crate::pending::{LoginKind, LoginStatus};
use crate::store::{Store, StoreError, Touches, update};
use crate::testing::{Host, catalog, key};

/// Knows one name, and says what was decided instead of words.
struct Plain;

impl Reception for Plain {
    fn starter<'a>(&'a self, _: &'a User) -> Pin<Box<dyn Future<Output = Option<Starter>> + Send + 'a>> {
        Box::pin(async { Some(Starter { display: "Ann".to_owned(), handle: "ann".to_owned() }) })
    }

    fn answered<'a>(&'a self, _: &'a PendingLogin) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {})
    }

    fn render(&self, asked: &Wanted<'_>) -> String {
        match asked.page {
            Page::Confirm(confirmation) => {
                format!("confirm {} {:?}", confirmation.ticket.expose(), confirmation.notice)
            }
            Page::Stands { login, account } => format!("{} {account:?}", login.status),
            Page::InUse(_) => "in use".to_owned(),
            Page::Dropped(_) => "dropped".to_owned(),
            Page::Trouble(trouble) => format!("{trouble:?}"),
        }
    }
}

struct World {
    host: Host,
    broker: Broker,
    server: Server,
}

const PUBLIC: &str = "https://login.example.org/sign-in/";

impl World {
    fn new() -> Self {
        let mut host = Host::new();
        host.authority.set(|settings| {
            settings.any_client = true;
            settings.iss_in_answer = true;
        });
        // The table of `acme` has its own flows; those of a second provider, and the page, come behind it.
        let acme = format!(
            "\n[providers.hosted]\nissuer = {:?}\ntoken_endpoint = {:?}\nauthorization_endpoint = {:?}\nclient_id = \"hosted\"\n\
             flows = [\"callback\"]\nauthorization_response_iss_parameter_supported = true\n[http]\npublic_url = {PUBLIC:?}\n",
            host.authority.issuer(),
            host.authority.token_endpoint(),
            host.authority.authorization_endpoint(),
        );
        host.catalog = catalog(&host.authority, &acme);
        let broker = Broker::new(
            host.store(),
            host.catalog.clone(),
            oauth::Client::new(),
            host.clock.clone(),
            crate::config::Limits { starts_per_minute: 50, ..Default::default() },
        );
        let server = Server::new(broker.clone(), Arc::new(Plain), &Url::parse(PUBLIC).unwrap());
        Self { host, broker, server }
    }

    async fn login(&self, user: &str) -> PendingLogin {
        self.login_to(user, &format!("hosted@{user}")).await
    }

    async fn login_to(&self, user: &str, tenant: &str) -> PendingLogin {
        let started = self.broker.logins().start(StartRequest {
            user: user.parse().unwrap(),
            tenant: key(tenant),
            kind: Some(LoginKind::Callback),
            watcher: None,
            bind: None,
            by_admin: false,
            locale: None,
            redirect_uri: None,
        });
        started.await.unwrap().login
    }

    /// The path and query with which `person`'s browser comes back.
    async fn answer(&self, login: &PendingLogin, person: &Person) -> String {
        let back = self.host.authority.sign_in(login.authorize_url.as_ref().unwrap().expose(), person).await;
        back.strip_prefix("https://login.example.org").expect("the redirect URI").to_owned()
    }

    async fn send(&self, request: Request<Body>) -> (u16, String) {
        let service = TowerToHyperService::new(self.server.router());
        let response = service.call(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, form: &str) -> (u16, String) {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// What the page says once this answer was confirmed.
    async fn confirm(&self, answer: &str) -> (String, (u16, String)) {
        let form = format!("ticket={}&decision=confirm", self.ticket(answer).await);
        let said = self.post(CALLBACK, &form).await;
        (form, said)
    }

    /// Opens the answer's page; gives its ticket.
    async fn ticket(&self, answer: &str) -> String {
        let (status, page) = self.get(answer).await;
        assert_eq!(status, 200, "{page}");
        page.split(' ').nth(1).expect("a ticket").to_owned()
    }
}

const CALLBACK: &str = "/sign-in/callback/hosted";

/// T15: what there is stands below the public address; nothing else does.
#[tokio::test]
async fn the_routes_are_below_the_public_address_and_nowhere_else() {
    let world = World::new();
    for (path, status) in [
        (CALLBACK, 400),
        ("/sign-in/callback/acme", 400),
        ("/sign-in/callback/unknown", 404),
        ("/sign-in/callback/HOSTED", 404),
        ("/sign-in/callback/hosted/", 404),
        ("/sign-in/callback/ho%73ted", 404),
        ("/sign-in/go/l0", 410),
        ("/callback/hosted", 404),
        ("/go/l0", 404),
        ("/sign-in/", 404),
        ("/sign-in/../callback/hosted", 404),
        ("/", 404),
    ] {
        assert_eq!(world.get(path).await.0, status, "{path}");
    }
}

/// T15, C12: a confirmation is good once, at its own page, for its own answer; what is no form of ours spends nothing.
#[tokio::test]
async fn only_a_confirmation_spends_and_only_once() {
    let world = World::new();
    let login = world.login("42").await;
    let answer = world.answer(&login, &Person::ada()).await;
    let ticket = world.ticket(&answer).await;
    for (path, form, status, said) in [
        (CALLBACK, String::new(), 400, "BadForm"),
        (CALLBACK, format!("ticket={ticket}"), 400, "BadForm"),
        (CALLBACK, format!("ticket={ticket}&decision=perhaps"), 400, "BadForm"),
        (CALLBACK, format!("ticket={ticket}&decision=confirm&decision=drop"), 400, "BadForm"),
        (CALLBACK, "decision=confirm".to_owned(), 400, "BadForm"),
        (CALLBACK, "ticket=0&decision=confirm".to_owned(), 410, "TicketGone"),
        ("/sign-in/callback/acme", format!("ticket={ticket}&decision=confirm"), 410, "TicketGone"),
        (CALLBACK, format!("decision=confirm&ticket={}", "x".repeat(5_000)), 413, "FormTooLarge"),
    ] {
        assert_eq!(world.post(path, &form).await, (status, said.to_owned()), "{form}");
    }
    let plain =
        Request::post(CALLBACK).body(Body::from(format!("ticket={ticket}&decision=confirm"))).unwrap();
    assert_eq!(world.send(plain).await.0, 400, "not sent by a form");
    assert_eq!(world.host.authority.exchanges(), 0);

    let confirm = format!("ticket={ticket}&decision=confirm");
    let done = (200, "succeeded Some(\"ada@example.test\")".to_owned());
    assert_eq!(world.post(CALLBACK, &confirm).await, done);
    assert_eq!(world.post(CALLBACK, &confirm).await, done, "a reload tells the same");
    assert_eq!(world.get(&answer).await, (410, "OverOrUnknown".to_owned()));
    assert_eq!(world.host.authority.exchanges(), 1);
}

/// T2: an answer belongs to the page of its own provider, and to the address that its login was started with.
#[tokio::test]
async fn an_answer_belongs_to_its_own_page() {
    let world = World::new();
    let login = world.login("42").await;
    let answer = world.answer(&login, &Person::ada()).await;
    let elsewhere = answer.replace("/hosted?", "/acme?");
    assert_eq!(world.get(&elsewhere).await, (410, "OverOrUnknown".to_owned()));
    // The operator moved the page meanwhile: the code is bound to the old address.
    let (id, tenant) = (login.id.clone(), login.tenant.clone());
    let store = world.host.store();
    let moved = update(&*store, Touches::logins_at(&tenant), move |view| {
        let mut login = view.login_by_id(&id).unwrap();
        login.redirect_uri = Some("https://old.example.org/callback/hosted".to_owned());
        view.put_login(login);
        Ok::<_, StoreError>(())
    });
    moved.await.unwrap().unwrap();
    assert_eq!(world.get(&answer).await, (410, "OverOrUnknown".to_owned()));
    assert_eq!(world.host.authority.exchanges(), 0);
}

/// T15: the one who says no loses the answer, and the login waits on.
#[tokio::test]
async fn a_no_drops_the_answer_and_leaves_the_login() {
    let world = World::new();
    let login = world.login("42").await;
    let ticket = world.ticket(&world.answer(&login, &Person::ben()).await).await;
    assert_eq!(
        world.post(CALLBACK, &format!("ticket={ticket}&decision=drop")).await,
        (200, "dropped".to_owned())
    );
    let confirm = format!("ticket={ticket}&decision=confirm");
    assert_eq!(world.post(CALLBACK, &confirm).await, (410, "TicketGone".to_owned()));
    let stored = world.host.store().snapshot().unwrap().login_by_id(&login.id).unwrap();
    assert_eq!((stored.status, world.host.authority.exchanges()), (LoginStatus::Pending, 0));
}

/// C1, C12: a cancel that came before the confirmation wins, and the page says so.
#[tokio::test]
async fn a_cancel_before_the_confirmation_wins() {
    let world = World::new();
    let login = world.login("42").await;
    let ticket = world.ticket(&world.answer(&login, &Person::ada()).await).await;
    world.broker.logins().cancel(&login.user, false, &login.id).await.unwrap();
    let said = world.post(CALLBACK, &format!("ticket={ticket}&decision=confirm")).await;
    assert_eq!(said, (200, "cancelled None".to_owned()));
    assert_eq!(world.host.authority.exchanges(), 0);
}

/// W5: a program that ends spends nothing any more, and says when to come back.
#[tokio::test]
async fn nothing_is_begun_at_the_end_of_the_program() {
    let world = World::new();
    let login = world.login("42").await;
    let ticket = world.ticket(&world.answer(&login, &Person::ada()).await).await;
    world.broker.drain().await;
    let said = world.post(CALLBACK, &format!("ticket={ticket}&decision=confirm")).await;
    assert_eq!((said, world.host.authority.exchanges()), ((503, "Restarting".to_owned()), 0));
}
