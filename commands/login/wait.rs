//! Waiting for the end of a sign-in, by whatever way it comes.
//!
//! Owns the one loop: it looks at the stored login, and does what a person, a browser or a signal asks for meanwhile. Invariants: how
//! the login stands is read from the store alone, so that an end by Discord, by a bot or by another terminal is seen like one of
//! our own (S9, S13); a login that was started here is cancelled with an end by a signal, one that was joined is left alone (S3);
//! nothing here waits for ever. Must not: judge an answer.

mod confirm;

use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::{Broker, Caller};
use latchkey::login::{Answered, Cancelled, PasteError, Seen, Started};
use latchkey::pending::{LoginKind, LoginStatus, PendingLogin};
use latchkey::provider::is_answerable_here;
use latchkey::serve::{Landing, Loopback};
use latchkey::store::has_ended;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::ends;
use super::lines::{self, Lines};
use super::progress::Progress;
use super::signals::Signals;
use crate::exit::{Code, Exit};
use crate::{log, pages};

/// How often the time left is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Every so many ticks: whether somebody has let go of what we could do.
const LOOK_EVERY: u64 = 2;
/// How long the end waits for a page to reach its browser, and for an exchange under way that has lost.
const GOODBYE: Duration = Duration::from_secs(10);
/// Answers of strangers that wait to be told; more are not told.
const STRANGERS: usize = 4;

/// A login that is waited for.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
pub(super) struct Waiting<'a> {
    broker: &'a Broker,
    operator: Caller,
    login: PendingLogin,
    /// Whether it was started here.
    is_ours: bool,
    title: String,
    /// Whether another account is agreed to beforehand.
    is_agreed: bool,
    /// Whether an answer may arrive on this host; not where the wish is to paste.
    may_listen: bool,
    may_paste: bool,
    lines: Lines,
    progress: Progress,
    /// What was asked last about another account.
    asked: Option<Seen>,
    pastes: JoinSet<Result<Answered, PasteError>>,
    server: Option<JoinHandle<()>>,
    /// Whose answers were refused, as far as that is known.
    strangers: (Sender<Option<u32>>, Receiver<Option<u32>>),
    closing: CancellationToken,
}

impl<'a> Waiting<'a> {
    pub fn new(
        broker: &'a Broker,
        operator: Caller,
        started: Started,
        title: String,
        is_agreed: bool,
    ) -> Self {
        let Started { login, joined, handover, .. } = started;
        if let Some(handover) = handover {
            let logins = broker.logins().clone();
            tokio::spawn(async move { logins.poll(handover).await });
        }
        Self {
            broker,
            operator,
            login,
            is_ours: !joined,
            title,
            is_agreed,
            may_listen: false,
            may_paste: lines::may_come(),
            lines: Lines::unread(),
            progress: Progress::new(),
            asked: None,
            pastes: JoinSet::new(),
            server: None,
            strangers: channel(STRANGERS),
            closing: CancellationToken::new(),
        }
    }

    /// Has the answer arrive on this host: at `bound` where that is its redirect URI, else as soon as that can be listened on.
    pub async fn listen(&mut self, bound: Option<Loopback>) {
        let wanted = self.login.redirect_uri.clone().filter(|_| self.login.kind == LoginKind::Paste);
        let Some(wanted) =
            wanted.filter(|uri| url::Url::parse(uri).is_ok_and(|url| is_answerable_here(&url)))
        else {
            return;
        };
        self.may_listen = true;
        match bound.filter(|bound| bound.redirect_uri() == wanted) {
            Some(bound) => self.serve(bound),
            None => self.try_to_listen().await,
        }
    }

    /// Whether an answer that comes to this host comes to another terminal, as far as can be seen.
    pub fn is_heard_elsewhere(&self) -> bool {
        !self.is_ours && self.may_listen && self.server.is_none()
    }

    async fn try_to_listen(&mut self) {
        let Some(wanted) =
            self.login.redirect_uri.clone().filter(|_| self.may_listen && self.server.is_none())
        else {
            return;
        };
        if let Ok(bound) = Loopback::bind(&wanted).await {
            self.serve(bound);
        }
    }

    fn serve(&mut self, bound: Loopback) {
        let (title, strangers) = (self.title.clone(), self.strangers.0.clone());
        let words = move |landing: &Landing, language: Option<&str>, nonce: &str| {
            if let Landing::Foreign(uid) = landing {
                // One that is told stands for many.
                let _ = strangers.try_send(*uid);
            }
            pages::landing(landing, &title, language, nonce)
        };
        let serving = bound.serve(
            self.broker.logins().clone(),
            self.operator.user.clone(),
            self.login.id.clone(),
            Arc::new(words),
            self.closing.clone(),
        );
        self.server = Some(tokio::spawn(serving));
    }

    /// Waits until the login is over; gives it as it stands then.
    pub async fn until_over(&mut self, signals: &mut Signals) -> Result<PendingLogin, Exit> {
        let mut changes = self.broker.store().changes();
        let (mut tick, mut ticks) = (interval(TICK), 0_u64);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            changes.borrow_and_update();
            if let Some(over) = self.look().await? {
                return Ok(over);
            }
            if self.is_beyond_answer()
                && let Some(end) = self.give_up("standard input has ended, so nothing can be pasted").await?
            {
                return Err(end);
            }
            self.show();
            let reads = self.may_paste && (self.login.kind != LoginKind::Device || self.asked.is_some());
            tokio::select! {
                changed = changes.changed() => {
                    changed.map_err(|_| Exit::new(Code::Internal, "the store is watched no longer"))?;
                }
                _ = tick.tick() => {
                    ticks = ticks.wrapping_add(1);
                    if ticks.is_multiple_of(LOOK_EVERY) {
                        self.take_over().await?;
                    }
                }
                line = self.lines.next(), if reads => match line {
                    Some(line) => self.typed(line.expose()).await?,
                    None => self.input_ended().await?,
                },
                Some(pasted) = self.pastes.join_next(), if !self.pastes.is_empty() => {
                    if let Ok(Err(error)) = &pasted
                        && let Some(text) = ends::not_used(error)
                    {
                        self.progress.clear();
                        log::note(&format!("latchkey: not used: {text}"));
                    }
                }
                Some(uid) = self.strangers.1.recv() => self.tell_of_stranger(uid),
                code = signals.next() => return Err(self.broken_off(code).await),
            }
        }
    }

    /// Looks how the login stands; gives it once it is over. Asks about another account, where one has come.
    async fn look(&mut self) -> Result<Option<PendingLogin>, Exit> {
        let now = self.broker.clock().now();
        let stored = self.broker.store().snapshot()?.login_by_id(&self.login.id);
        let Some(stored) = stored else {
            let text = format!(
                "the sign-in to {} is over, and nobody can say how; see `latchkey status`",
                self.login.tenant
            );
            return Err(Exit::new(Code::NeedsLogin, text));
        };
        self.login = (*stored).clone();
        if self.login.status.is_terminal() {
            return Ok(Some(self.login.clone()));
        }
        if has_ended(&self.login, now) {
            // Its time is over, whether that was written down or not (C6).
            self.broker.logins().sweep().await?;
            let stored = self.broker.store().snapshot()?.login_by_id(&self.login.id);
            let mut over = stored.map_or_else(|| self.login.clone(), |stored| (*stored).clone());
            if !over.status.is_terminal() {
                over.status = LoginStatus::Expired;
            }
            return Ok(Some(over));
        }
        if self.login.status == LoginStatus::Confirming {
            self.ask().await?;
        }
        Ok(None)
    }

    fn show(&mut self) {
        if self.asked.is_some() {
            return;
        }
        let left = self.login.expires_at - self.broker.clock().now();
        let pastes = self.may_paste && self.login.kind == LoginKind::Paste;
        match (self.login.status, self.login.kind) {
            (LoginStatus::Exchanging, _) => self.progress.wait("checking the answer", left, false),
            (_, LoginKind::Paste) if pastes && self.server.is_some() => {
                self.progress.wait(
                    "waiting for the browser; or paste the address that it ends on",
                    left,
                    true,
                );
            }
            (_, LoginKind::Paste) if pastes => {
                self.progress.wait("paste what the last page shows, or its address", left, true);
            }
            _ => self.progress.wait("waiting for you to sign in", left, false),
        }
    }

    /// Does what nobody does any more: whoever polled or listened may have died (S13).
    async fn take_over(&mut self) -> Result<(), Exit> {
        if let Some(handover) = self.broker.logins().take_over(&self.login).await? {
            let logins = self.broker.logins().clone();
            tokio::spawn(async move { logins.poll(handover).await });
        }
        self.try_to_listen().await;
        Ok(())
    }

    /// A line was typed or pasted.
    async fn typed(&mut self, text: &str) -> Result<(), Exit> {
        self.progress.clear();
        if let Some(seen) = self.asked.take() {
            let agrees = matches!(text.to_ascii_lowercase().as_str(), "y" | "yes");
            return self.decide(agrees.then_some(seen)).await;
        }
        if text.is_empty() {
            return Ok(());
        }
        let (logins, user) = (self.broker.logins().clone(), self.operator.user.clone());
        let (id, text) = (self.login.id.clone(), latchkey::secret::Secret::new(text));
        // A task of its own: Ctrl-C is heard while the code is spent.
        self.pastes.spawn(async move { logins.paste(&user, &id, text.expose()).await });
        Ok(())
    }

    /// Nobody can type any more.
    async fn input_ended(&mut self) -> Result<(), Exit> {
        self.may_paste = false;
        if self.asked.take().is_some() {
            return self.decide(None).await;
        }
        Ok(())
    }

    /// Whether what was started here waits for an answer that can come in no way any more.
    pub fn is_beyond_answer(&self) -> bool {
        let is_unanswered = self.login.status == LoginStatus::Pending && self.login.kind == LoginKind::Paste;
        let is_deaf = !self.may_paste && self.server.is_none() && self.pastes.is_empty();
        is_unanswered && is_deaf && self.is_ours
    }

    /// Cancels it, and says `why`; nothing where it has ended otherwise.
    pub async fn give_up(&mut self, why: &str) -> Result<Option<Exit>, Exit> {
        let is_cancelled = matches!(self.cancel().await?, Cancelled::Now(_));
        let text = format!("{why}: the sign-in was cancelled. Run it in a terminal");
        Ok(is_cancelled.then(|| Exit::new(Code::Usage, text)))
    }

    fn tell_of_stranger(&mut self, uid: Option<u32>) {
        self.progress.clear();
        let whose = match uid {
            Some(uid) => format!("from a program of uid {uid}, another user of this host"),
            None => "from a program that was gone before it could be told whose it is".to_owned(),
        };
        let remedy = if self.may_paste {
            "If it was your browser, paste the address that it ended on"
        } else {
            "If it was your browser, run this in a terminal, where that address can be pasted"
        };
        log::note(&format!("latchkey: an answer came {whose}, and was not used. {remedy}"));
    }

    async fn cancel(&self) -> Result<Cancelled, Exit> {
        let Caller { user, admin } = &self.operator;
        Ok(self.broker.logins().cancel(user, *admin, &self.login.id).await?)
    }

    /// A signal ends us.
    async fn broken_off(&mut self, code: Code) -> Exit {
        self.progress.clear();
        let tenant = &self.login.tenant;
        if !self.is_ours {
            let text = format!(
                "the sign-in to {tenant} goes on where it was started; {}",
                ends::how_to_end(tenant, super::is_signed_in(self.broker, tenant))
            );
            return Exit::new(code, text);
        }
        let text = match self.cancel().await {
            Ok(Cancelled::Now(_)) => format!("the sign-in to {tenant} was cancelled. Nothing was stored"),
            Ok(Cancelled::Already(status)) => format!("the sign-in to {tenant} was over before: {status}"),
            Ok(Cancelled::Unknown) => format!("the sign-in to {tenant} was over before"),
            Ok(Cancelled::NotYours) => format!("the sign-in to {tenant} is somebody else's"),
            Err(error) => format!(
                "the sign-in to {tenant} could not be cancelled ({}); it ends by itself",
                error.message.unwrap_or_default()
            ),
        };
        Exit::new(code, text)
    }

    /// Lets a page that is on its way arrive, and what is exchanged come to its end; not for long, and not past another signal.
    pub async fn close(&mut self, signals: &mut Signals) {
        self.progress.clear();
        self.closing.cancel();
        let server = self.server.take();
        let closed = async {
            if let Some(server) = server {
                let _ = server.await;
            }
            self.broker.drain().await;
        };
        tokio::select! {
            _ = timeout(GOODBYE, closed) => {}
            _ = signals.next() => {}
        }
    }
}
