//! The bot's part, in this process: a front door with its workers, and members who sign in and out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::{Broker, Caller, LoginReply, LoginRequest};
use latchkey::gate::Want;
use latchkey::login::Answered;
use latchkey::pending::{LoginKind, LoginStatus, PendingLogin, Watcher};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::tenant::{ThreadId, User, UserId};
use latchkey::worker::{Heard, News, Notifier, Supervisor, Told};
use rand::Rng;
use rand::rngs::StdRng;

use crate::world::{key, login, person};
use crate::{Figures, LONG, Run};

/// How long a member waits for a device login: each fault that a poll meets doubles the pause before the next (T11).
const PATIENCE: Duration = Duration::from_mins(1);

/// What a bot has, without Discord.
#[derive(Clone)]
pub struct Bot {
    pub store: Arc<FileStore>,
    pub broker: Broker,
    pub supervisor: Supervisor,
}

/// Everybody has seen it.
struct Seen;

impl Notifier for Seen {
    fn login_changed<'a>(
        &'a self,
        _: &'a PendingLogin,
        _: &'a ThreadId,
        _: Option<&'a Secret>,
    ) -> Pin<Box<dyn Future<Output = Told> + Send + 'a>> {
        Box::pin(std::future::ready(Told::Done))
    }

    fn tenant_news<'a>(
        &'a self,
        _: &'a News,
        _: &'a ThreadId,
        _: bool,
    ) -> Pin<Box<dyn Future<Output = Heard> + Send + 'a>> {
        Box::pin(std::future::ready(Heard::Told))
    }
}

impl Bot {
    pub fn start(run: &Run) -> Self {
        let store = run.world.store();
        let broker = run.world.broker(Arc::clone(&store));
        let supervisor = Supervisor::start(broker.clone(), Arc::new(Seen));
        Self { store, broker, supervisor }
    }
}

/// One member, with a tenant and a thread of their own.
struct Member<'a> {
    run: &'a Run,
    bot: &'a Bot,
    tenant: String,
    caller: Caller,
    thread: ThreadId,
}

/// Signs in, uses it and logs out, over and over.
pub async fn member(run: Arc<Run>, bot: Bot, number: u32) {
    let mut choices = run.choices(&format!("member {number}"));
    let user = User::Discord(UserId::from(u64::from(number) + 1_000));
    let member = Member {
        run: &run,
        bot: &bot,
        tenant: login(number),
        caller: Caller { user, admin: false },
        thread: ThreadId::from(u64::from(number) + 2_000),
    };
    while run.goes_on() {
        let kind = if choices.random_bool(0.3) { LoginKind::Device } else { LoginKind::Paste };
        if member.signs_in(kind, &mut choices).await {
            member.uses_it(&mut choices).await;
            member.logs_out(&mut choices).await;
        }
        run.pause(&mut choices, 0..200).await;
    }
}

impl Member<'_> {
    /// Whether it came to a stored credential: a server's fault, or a cancel, ends a login otherwise.
    async fn signs_in(&self, kind: LoginKind, choices: &mut StdRng) -> bool {
        let request = LoginRequest {
            caller: self.caller.clone(),
            tenant: key(&self.tenant),
            kind: Some(kind),
            watcher: Some(Watcher { thread: self.thread.clone(), interaction: None }),
            bind: Some(self.thread.clone()),
            again: true,
            locale: None,
            redirect_uri: None,
        };
        let started = match self.bot.broker.login(request).await {
            Ok(LoginReply::Started(started)) => started,
            Ok(LoginReply::SignedIn(_)) => return false,
            Err(error) => {
                self.run.violations.add(format!("a login of {} did not start: {error}", self.tenant));
                return false;
            }
        };
        let (login, server) = (started.login, &self.run.world.strict);
        // One that was left open by a try before is joined, whatever its kind; a new start is wanted here.
        if started.joined || choices.random_bool(0.1) {
            drop(started.handover);
            self.gives_up(&login.id).await;
            return false;
        }
        let stored = if kind == LoginKind::Device {
            if let Some(handover) = started.handover {
                self.bot.supervisor.hand_over(&self.thread, handover);
            }
            let code = login.user_code.as_ref().unwrap().expose();
            server.approve_device(code, &person(&self.tenant)).await;
            let ended = tokio::time::timeout(PATIENCE, self.end_of(&login.id)).await;
            if ended.is_err() {
                Figures::count(&self.run.figures.given_up);
                self.gives_up(&login.id).await;
            }
            ended == Ok(Some(LoginStatus::Succeeded))
        } else {
            let url = login.authorize_url.as_ref().unwrap().expose();
            let answer = server.sign_in(url, &person(&self.tenant)).await;
            let pasted = self.bot.broker.logins().paste(&self.caller.user, &login.id, &answer).await;
            if !matches!(pasted, Ok(Answered::Succeeded)) {
                eprintln!("soak: a login of {} came to nothing: {pasted:?}", self.tenant);
                self.gives_up(&login.id).await;
            }
            matches!(pasted, Ok(Answered::Succeeded))
        };
        if stored {
            Figures::count(&self.run.figures.logins);
            let held = self.run.world.stored(&self.tenant).and_then(|held| held.refresh_token);
            self.run.violations.check(held.is_some_and(|token| server.would_refresh(token.expose())), || {
                format!(
                    "the acknowledged sign-in of {} is not stored, or not the server's live one",
                    self.tenant
                )
            });
        }
        stored
    }

    async fn gives_up(&self, id: &String) {
        let ended = self.bot.broker.logins().cancel(&self.caller.user, false, id).await;
        self.run.violations.check(ended.is_ok(), || format!("a cancel failed: {ended:?}"));
    }

    /// How a login ended, once it has.
    async fn end_of(&self, id: &str) -> Option<LoginStatus> {
        let store = self.bot.broker.store();
        let mut changes = store.changes();
        loop {
            changes.borrow_and_update();
            let login = store.snapshot().unwrap().login_by_id(&id.to_owned());
            match login.map(|login| login.status) {
                Some(status) if !status.is_terminal() => drop(changes.changed().await),
                status => return status,
            }
        }
    }

    async fn uses_it(&self, choices: &mut StdRng) {
        let tenant = key(&self.tenant);
        for _ in 0..choices.random_range(0..6) {
            self.run.pause(choices, 0..700).await;
            let token = self.bot.broker.token(&tenant, Want::default(), Duration::from_secs(15)).await;
            if token.is_ok() {
                Figures::count(&self.run.figures.tokens_in_process);
            }
        }
    }

    /// Logs out while programs ask for the token: what is logged out stays so (G22).
    async fn logs_out(&self, choices: &mut StdRng) {
        let tenant = key(&self.tenant);
        // No token lasts an hour here: there is a refresh under way, or about to be.
        let wish = ["token", &self.tenant, "--min-valid", "1h", "--timeout", "20s"];
        let calls = ["", "after-room=return(kill)"]
            .map(|fault| self.run.world.latchkey(&wish).env("FAILPOINTS", fault).spawn().unwrap());
        self.run.pause(choices, 0..150).await;
        let gone = self.bot.broker.logout(&self.caller, &tenant).await;
        self.run.violations.check(gone.is_ok(), || format!("a logout of {} failed: {gone:?}", self.tenant));
        let is_gone = |when: &str| {
            let held = self.run.world.stored(&self.tenant);
            self.run
                .violations
                .check(held.is_none(), || format!("{} is there {when} its logout", self.tenant));
        };
        is_gone("right after");
        for call in calls {
            let ended = tokio::time::timeout(LONG, call.wait_with_output()).await;
            self.run.violations.check(ended.is_ok(), || "a call does not end".to_owned());
        }
        is_gone("again some time after");
        Figures::count(&self.run.figures.logouts);
    }
}
