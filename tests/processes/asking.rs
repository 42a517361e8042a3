//! Asking from outside: the program run once or many times at once, on a clock of the test's own if need be.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::{Broker, LoginReply};
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::credential::{Account, Credential};
use latchkey::login::PasteError;
use latchkey::oauth;
use latchkey::pending::PendingLogin;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::User;
use latchkey_test_authority::{CLIENT, Person};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;

use crate::host::{Host, LONG, by_paste, key, printed, said};
use crate::place::open_on;

/// How one run of the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output, without the line's end.
    pub printed: String,
    /// Standard error.
    pub said: String,
}

impl Answer {
    /// The token, if it was one.
    pub fn token(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}", self.said);
        &self.printed
    }

    /// The exit code and what was printed, where a failure prints nothing.
    pub fn end(&self) -> (Option<i32>, &str) {
        (self.code, &self.printed)
    }
}

/// A run of the program that is bounded: one that hangs is ended, and fails the test.
fn run(
    host: &Host,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> impl Future<Output = Answer> + Send + 'static {
    let mut command = tokio::process::Command::from(host.latchkey(arguments));
    command.envs(environment.iter().copied()).kill_on_drop(true);
    async move {
        let output = tokio::time::timeout(LONG * 2, command.output()).await.unwrap().unwrap();
        Answer { code: output.status.code(), printed: printed(&output), said: said(&output) }
    }
}

/// Runs the program once.
pub async fn ask(host: &Host, arguments: &[&str], environment: &[(&str, &str)]) -> Answer {
    run(host, arguments, environment).await
}

/// Runs the program `times` at once.
pub async fn at_once(
    host: &Host,
    times: usize,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Vec<Answer> {
    let mut running = JoinSet::new();
    for _ in 0..times {
        running.spawn(run(host, arguments, environment));
    }
    running.join_all().await
}

/// A wall clock of the test's own, for spawned processes: so many seconds off the machine's.
pub struct WallClock {
    path: PathBuf,
    faults: String,
}

impl WallClock {
    pub fn of(host: &Host) -> Self {
        let path = host.config.with_file_name("clock");
        let faults = format!("clock=return({})", path.display());
        let clock = Self { path, faults };
        clock.set(0);
        clock
    }

    /// As many seconds off, from now on and for processes that run already.
    pub fn set(&self, seconds: i64) {
        let new = self.path.with_extension("new");
        std::fs::write(&new, seconds.to_string()).unwrap();
        std::fs::rename(new, &self.path).unwrap();
    }

    /// Adds a fault to the clock.
    pub fn and(mut self, fault: &str) -> Self {
        self.faults = format!("{};{fault}", self.faults);
        self
    }

    /// What the program's environment needs.
    pub fn environment(&self) -> [(&str, &str); 1] {
        [("FAILPOINTS", &self.faults)]
    }
}

/// A refreshing process that a fault has stopped, or will stop. It goes on when the test says so, and in any case at the
/// test's end.
pub struct Stopped<'a> {
    host: &'a Host,
    tenant: &'a str,
}

impl<'a> Stopped<'a> {
    pub fn at(host: &'a Host, tenant: &'a str) -> Self {
        Self { host, tenant }
    }

    fn pid(&self) -> Option<Pid> {
        let store = FileStore::open(&self.host.auth, false, Clock::system()).ok()?;
        let holder = store.refresh_holder(&self.tenant.parse().ok()?).filter(|holder| holder.stopped)?;
        Pid::from_raw(i32::try_from(holder.pid).ok()?)
    }

    /// Waits until it has stopped with the tenant's lock in its hand.
    pub async fn wait(&self) {
        self.host.until("the stop", || self.pid().is_some()).await;
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            // It may have ended this moment.
            let _ = kill_process(pid, Signal::CONT);
        }
    }
}

impl Host {
    /// Adds lines to the provider's table.
    pub fn configure(&self, more: &str) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, format!("{text}{more}\n")).unwrap();
    }

    /// A broker in this process, on a clock that the test can make jump.
    pub fn broker_on(&self, clock: &Clock) -> Broker {
        let config = Config::load(&self.config).unwrap();
        let store = open_on(&self.auth, clock);
        let client = oauth::Client::new();
        Broker::new(
            Arc::new(store),
            config.providers,
            client,
            clock.clone(),
            latchkey::config::Limits { starts_per_minute: 50, ..Default::default() },
        )
    }

    /// Changes what is stored of a tenant.
    pub async fn change(&self, tenant: &str, change: impl FnOnce(&mut Credential) + Send + 'static) {
        let (tenant, store) = (key(tenant), self.store());
        let changed = update(&*store, Touches::tenant(&tenant.clone()), move |view| {
            let mut credential = view.tenant(&tenant).unwrap().unwrap();
            change(&mut credential);
            view.put_tenant(&tenant, credential);
            Ok::<_, ()>(())
        });
        changed.await.unwrap().unwrap();
    }

    /// Writes down where a tenant's credential came from and whose it is, as a sign-in does.
    pub async fn as_signed_in(&self, tenant: &str) {
        let (issuer, endpoint) = (self.authority.issuer(), self.authority.token_endpoint());
        let ada = Person::ada();
        self.change(tenant, move |credential| {
            credential.issuer = Some(issuer);
            credential.token_endpoint = Some(endpoint);
            credential.client_id = Some(CLIENT.to_owned());
            credential.account = Account::new(Some(&ada.sub), Some(&ada.email));
        })
        .await;
    }

    /// A sign-in that waits for its pasted answer, by the operator.
    pub async fn paste_login(&self, broker: &Broker, tenant: &str) -> PendingLogin {
        let request = by_paste(User::Local(1), true, tenant);
        match broker.login(request).await.unwrap() {
            LoginReply::Started(started) => started.login,
            LoginReply::SignedIn(status) => panic!("signed in already: {status:?}"),
        }
    }

    /// A whole sign-in of Ada's.
    pub async fn sign_in(&self, broker: &Broker, tenant: &str) {
        let login = self.paste_login(broker, tenant).await;
        let link = login.authorize_url.unwrap();
        let answer = self.authority.sign_in(link.expose(), &Person::ada()).await;
        // A program that another test starts this very moment has our locks, too, between its fork and its exec.
        for _ in 0..50 {
            match broker.logins().paste(&User::Local(1), &login.id, &answer).await {
                Err(PasteError::InUse) => tokio::time::sleep(Duration::from_millis(20)).await,
                answered => return drop(answered.unwrap()),
            }
        }
        panic!("the login's lock was never free");
    }

    /// One tenant's line of `latchkey status --json`.
    pub async fn status(&self, tenant: &str, environment: &[(&str, &str)]) -> serde_json::Value {
        let answer = ask(self, &["status", "--json"], environment).await;
        let shown: serde_json::Value = serde_json::from_str(answer.token()).unwrap();
        let tenants = shown["tenants"].as_array().unwrap();
        tenants.iter().find(|shown| shown["tenant"] == tenant).unwrap().clone()
    }

    /// The bytes of the auth file.
    pub fn bytes(&self) -> String {
        std::fs::read_to_string(&self.auth).unwrap()
    }

    /// Waits for `holds`, for as long as anything here may take.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        assert!(self.authority.eventually(LONG, |_| holds()).await, "{what} did not come");
    }
}

/// A short pause, for what must *not* happen to have its chance.
pub const A_WHILE: Duration = Duration::from_millis(500);
