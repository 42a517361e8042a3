//! `/auth login`, and what its message can be pressed for.
//!
//! Owns the way from a wish to a live message. Invariants: acknowledged before anything is asked of anybody (U1); the modal
//! is the first response of its button, with no lock and no write before it (U4); every press makes its interaction the
//! live one, as far as it can edit the message (U5).

use latchkey::broker::{Broker, LoginReply, LoginRequest};
use latchkey::login::{Cancelled, PasteError, StartError, Started};
use latchkey::pending::{LoginId, LoginKind, LoginStatus, PendingLogin, Watcher};
use latchkey::provider::{Catalog, Flow, Provider};
use latchkey::store::has_ended;
use latchkey::tenant::{Profile, TenantKey, ThreadId};

use super::{Call, complete, tenant, visit};
use crate::discord::custom_id::TenantRef;
use crate::discord::route::Failure;
use crate::discord::visit::Visit;
use crate::view::{self, Notice, Page, Reader, Tried};
use crate::words::Language;

/// What somebody wants to sign in to.
struct Wish {
    tenant: TenantKey,
    kind: Option<LoginKind>,
    /// The thread that is to use it.
    bind: Option<ThreadId>,
    /// Although the slot holds a sign-in that works.
    again: bool,
}

/// Sign in, and let this thread's agents use it
#[poise::command(slash_command)]
pub async fn login(
    call: Call<'_>,
    #[autocomplete = "complete::provider"] provider: Option<String>,
    #[autocomplete = "complete::profile"] profile: Option<String>,
    bind: Option<bool>,
) -> Result<(), Failure> {
    let visit = visit(call)?;
    visit.defer().await;
    begin(&visit, provider.as_deref(), profile.as_deref(), bind).await
}

/// What was typed, made into a wish, or a question back.
async fn begin(
    visit: &Visit<'_>,
    provider: Option<&str>,
    profile: Option<&str>,
    bind: Option<bool>,
) -> Result<(), Failure> {
    let catalog = visit.desk.broker.catalog();
    let found = match provider_of(visit.language, &catalog, provider, bind) {
        Ok(found) => found,
        Err(question) => {
            visit.show(&question).await;
            return Ok(());
        }
    };
    let profile = profile.map(str::trim).filter(|text| !text.is_empty());
    let given = profile.unwrap_or_default();
    let Ok(profile) = profile.map(str::parse::<Profile>).transpose() else {
        visit.show(&view::wrong_profile(visit.language, given)).await;
        return Ok(());
    };
    let wish = Wish {
        tenant: Broker::slot(found, profile, &visit.caller.user),
        kind: None,
        bind: bind.unwrap_or(found.bind).then(|| visit.thread.clone()),
        again: false,
    };
    pursue(visit, wish, &[]).await;
    Ok(())
}

/// The provider that is meant: the one that was named, else the only one that can be signed in to; or the question which. One
/// that was named may be signed in already, whether or not one can sign in there now.
fn provider_of<'a>(
    language: Language,
    catalog: &'a Catalog,
    named: Option<&str>,
    bind: Option<bool>,
) -> Result<&'a Provider, Page> {
    let found = match named {
        Some(text) => catalog.find(text),
        None if catalog.len() == 1 => catalog.iter().next(),
        None => {
            let mut open = catalog.open();
            open.next().filter(|_| open.next().is_none())
        }
    };
    found.map(|found| &**found).ok_or_else(|| match named {
        _ if catalog.is_empty() => view::no_provider(language),
        Some(text) => view::unknown_provider(language, text, catalog, bind),
        None => view::pick_provider(language, catalog, bind),
    })
}

/// Starts or joins a login and shows it, on a message that was promised before; or shows there why there is none.
/// `along` are messages in other threads that are to follow the login, too.
async fn pursue(visit: &Visit<'_>, wish: Wish, along: &[Watcher]) -> Option<PendingLogin> {
    let desk = visit.desk;
    let request = LoginRequest {
        caller: visit.caller.clone(),
        tenant: wish.tenant.clone(),
        kind: wish.kind,
        watcher: Some(visit.watcher()),
        bind: wish.bind.clone(),
        again: wish.again,
        locale: Some(visit.language.tag().to_owned()),
        redirect_uri: None,
    };
    let started = match desk.broker.login(request).await {
        Ok(LoginReply::Started(started)) => started,
        Ok(LoginReply::SignedIn(status)) => {
            let reader = Reader { user: visit.caller.user.clone(), admin: visit.caller.admin };
            let page = view::tenant_status(visit.language, &status, &reader, &desk.broker.catalog());
            visit
                .show(&view::signed_in_already(
                    visit.language,
                    page,
                    &wish.tenant,
                    wish.bind.is_some(),
                    &desk.broker.catalog(),
                ))
                .await;
            return None;
        }
        Err(error) => {
            not_started(visit, &wish, &error).await;
            return None;
        }
    };
    let Started { login, older, handover, .. } = *started;
    take_along(visit, &login, along).await;
    match handover {
        Some(handover) => desk.supervisor.hand_over(&visit.thread, handover),
        None => desk.supervisor.follow(&visit.thread, &login),
    }
    if visit.own_message().is_some() {
        show(visit, &login).await;
    } else {
        log(&login, desk.live.show_first(&login, &visit.thread, visit.token()).await);
    }
    if let Some(code) = view::user_code(&login) {
        visit.add(&code).await;
    }
    if let Some(before) = older.filter(|older| older != visit.token()) {
        desk.live.retire(&login, &before, visit.own_message()).await;
    }
    Some(login)
}

/// Has other threads' messages follow `login`: before it can be seen, so that whoever ends it knows of them all.
async fn take_along(visit: &Visit<'_>, login: &PendingLogin, along: &[Watcher]) {
    let desk = visit.desk;
    for watcher in along {
        let renewed =
            desk.broker.logins().renew_watcher(&visit.caller.user, &login.id, watcher.clone()).await;
        if let Err(error) = renewed {
            tracing::warn!(login = %login.id, %error, "a thread could not be taken along");
        }
        let login = PendingLogin { watchers: vec![watcher.clone()], ..login.clone() };
        desk.supervisor.follow(&watcher.thread, &login);
    }
}

/// Tells why a login did not start.
async fn not_started(visit: &Visit<'_>, wish: &Wish, error: &StartError) {
    let broker = &visit.desk.broker;
    if let StartError::Store(_) | StartError::Operator { .. } | StartError::Refused { .. } = error {
        tracing::error!(tenant = %wish.tenant, %error, "a login could not be started");
    }
    let catalog = broker.catalog();
    let provider = catalog.get(&wish.tenant.provider);
    let tried = |provider: &Provider| wish.kind.or_else(|| ways(provider).next());
    let barred = provider.map(|provider| broker.directory().barred(provider)).unwrap_or_default();
    let other =
        provider.and_then(|provider| tried(provider).and_then(|tried| next_way(provider, tried, &barred)));
    let now = broker.clock().now();
    let tried = Tried { tenant: &wish.tenant, kind: wish.kind, bind: wish.bind.is_some(), other };
    visit.show(&view::start_failed(visit.language, error, &tried, &catalog, now)).await;
}

/// Shows where `login` stands on this visit's message.
pub(super) async fn show(visit: &Visit<'_>, login: &PendingLogin) {
    log(login, visit.desk.live.show(login, visit.token()).await);
}

fn log(login: &PendingLogin, shown: serenity::Result<()>) {
    if let Err(error) = shown {
        let error = crate::discord::api::words(&error);
        tracing::warn!(login = %login.id, error, "a login could not be shown");
    }
}

/// "Sign in", "Sign in again", "Try again": the message that was pressed becomes the login's.
pub async fn sign_in(
    visit: &Visit<'_>,
    named: &TenantRef,
    kind: Option<LoginKind>,
    bind: bool,
) -> Result<(), Failure> {
    let tenant = tenant(visit, named)?;
    let mine =
        |tenant: &TenantKey| tenant.user.is_none() || tenant.user.as_ref() == visit.caller.user.discord();
    let owner = tenant.as_ref().and_then(|tenant| tenant.user.clone());
    match tenant.filter(mine) {
        Some(tenant) => {
            visit.defer_update().await;
            let bind = bind.then(|| visit.thread.clone());
            // A message that all can see may be older than the newest sign-in.
            let again = visit.own_message().is_some();
            pursue(visit, Wish { tenant, kind, bind, again }, &[]).await;
            Ok(())
        }
        None => match owner {
            Some(owner) => {
                visit.show(&view::not_yours_to_renew(visit.language, &owner, &visit.desk.slash)).await;
                Ok(())
            }
            None => super::unknown(visit).await,
        },
    }
}

/// A provider was chosen from the menu.
pub async fn picked(visit: &Visit<'_>, chosen: Option<&str>, bind: Option<bool>) -> Result<(), Failure> {
    visit.defer_update().await;
    begin(visit, chosen, None, bind).await
}

/// "Start a new sign-in", not known to what: a message of its own.
pub async fn start_anew(visit: &Visit<'_>) -> Result<(), Failure> {
    visit.defer().await;
    begin(visit, None, None, None).await
}

/// "Try another way": this login ends, and the message becomes that of a new one.
pub async fn other_way(visit: &Visit<'_>, id: &LoginId) -> Result<(), Failure> {
    let desk = visit.desk;
    let Some(login) = open_login_of(visit, id).await? else { return Ok(()) };
    let catalog = desk.broker.catalog();
    let provider = catalog.get(&login.tenant.provider);
    let barred = provider.map(|provider| desk.broker.directory().barred(provider)).unwrap_or_default();
    let Some(kind) = provider.and_then(|provider| next_way(provider, login.kind, &barred)) else {
        return super::unknown(visit).await;
    };
    visit.defer_update().await;
    let turn = desk.live.turn(id).await;
    let cancelled = desk.broker.logins().cancel(&visit.caller.user, visit.caller.admin, id).await?;
    let Cancelled::Now(ended) = cancelled else {
        drop(turn);
        // It has ended otherwise in this very moment: that is what to show.
        show(visit, &login).await;
        return Ok(());
    };
    desk.live.replace(&turn, id, &visit.thread);
    drop(turn);
    let wish = Wish { tenant: login.tenant.clone(), kind: Some(kind), bind: login.bind.clone(), again: true };
    // The other threads that watched it keep their messages.
    let along: Vec<_> = login.watchers.into_iter().filter(|watcher| watcher.thread != visit.thread).collect();
    let started = pursue(visit, wish, &along).await;
    for message in along.iter().filter_map(|watcher| watcher.interaction.as_ref()) {
        match &started {
            Some(started) => desk.live.pass_on(id, started, message).await,
            None => log(&ended, desk.live.show(&ended, message).await),
        }
    }
    Ok(())
}

/// The ways to sign in that `provider` offers, in its order.
fn ways(provider: &Provider) -> impl Iterator<Item = LoginKind> {
    provider.offered_flows().map(by)
}

/// A login by `flow`.
fn by(flow: Flow) -> LoginKind {
    match flow {
        Flow::Device => LoginKind::Device,
        Flow::Paste => LoginKind::Paste,
        Flow::Callback => LoginKind::Callback,
    }
}

/// The way to sign in that follows `kind` in the provider's order, round about, and is not `barred`.
fn next_way(provider: &Provider, kind: LoginKind, barred: &[Flow]) -> Option<LoginKind> {
    let barred: Vec<_> = barred.iter().copied().map(by).collect();
    let kinds: Vec<_> = ways(provider).collect();
    let at = kinds.iter().position(|known| *known == kind).unwrap_or(kinds.len());
    let mut others = kinds.iter().cycle().skip(at + 1).take(kinds.len());
    others.find(|next| **next != kind && !barred.contains(next)).copied()
}

/// The open login `id`, if it is the presser's; else they have been told.
async fn open_login_of(visit: &Visit<'_>, id: &LoginId) -> Result<Option<PendingLogin>, Failure> {
    let desk = visit.desk;
    let login = desk.broker.store().snapshot()?.login_by_id(id);
    let now = desk.broker.clock().now();
    match login.filter(|login| !has_ended(login, now)) {
        None => super::unknown(visit).await?,
        Some(login) if login.user != visit.caller.user => {
            visit.show(&view::foreign_press(visit.language, &desk.slash)).await;
        }
        Some(login) => return Ok(Some((*login).clone())),
    }
    Ok(None)
}

/// "Paste the answer": opens the form.
pub async fn open_form(visit: &Visit<'_>, id: &LoginId) -> Result<(), Failure> {
    let Some(login) = open_login_of(visit, id).await? else { return Ok(()) };
    visit.open(&view::paste_form(&login, &visit.desk.broker.catalog())).await;
    Ok(())
}

/// What was pasted.
pub async fn pasted(visit: &Visit<'_>, id: &LoginId, text: &str) -> Result<(), Failure> {
    let desk = visit.desk;
    let Some(login) = open_login_of(visit, id).await? else { return Ok(()) };
    visit.defer_update().await;
    let logins = desk.broker.logins();
    if login.status == LoginStatus::Pending {
        logins.renew_watcher(&visit.caller.user, id, visit.watcher()).await?;
    }
    desk.live.note(id, None);
    match logins.paste(&visit.caller.user, id, text).await {
        Ok(_) | Err(PasteError::Unknown | PasteError::Over(_)) => {}
        Err(PasteError::NotYours) => {
            visit.add(&view::foreign_press(visit.language, &desk.slash)).await;
            return Ok(());
        }
        Err(error) => {
            if let PasteError::Store(_) = &error {
                tracing::error!(login = %id, %error, "a pasted answer could not be used");
            }
            desk.live.note(id, Notice::of(view::language_of(&login), &error));
        }
    }
    show(visit, &login).await;
    Ok(())
}
