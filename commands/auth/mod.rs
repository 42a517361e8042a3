//! The slash command `/auth` and everything that can be pressed below its answers.
//!
//! Owns the command tree, the choices it completes, and which press goes to which handler. Invariant: a handler is reached
//! only through the door (`discord::route`), which has checked guild and access; what a member may do with a
//! tenant is the broker's judgement, asked anew at each step (C11).

pub mod cancel;
mod complete;
mod confirm;
pub mod list;
pub mod login;
pub mod logout;
pub mod registration;
pub mod status;
pub mod using;

use latchkey::tenant::TenantKey;
use poise::ApplicationContext;

pub use self::registration::registration;
use crate::discord::Desk;
use crate::discord::access::standing;
use crate::discord::custom_id::{Press, TenantRef};
use crate::discord::route::Failure;
use crate::discord::visit::{Parts, Visit};
use crate::view;

/// What a command is called with.
pub type Call<'a> = ApplicationContext<'a, Desk, Failure>;

/// Sign in here and see what is signed in
#[poise::command(
    slash_command,
    subcommands(
        "login::login",
        "status::status",
        "logout::logout",
        "cancel::cancel",
        "using::using",
        "list::list"
    ),
    subcommand_required
)]
#[expect(
    clippy::unused_async,
    reason = "the shape of a command; Discord never calls one that has subcommands"
)]
pub async fn auth(_: Call<'_>) -> Result<(), Failure> {
    Ok(())
}

/// The visit of a command's caller. Nobody without membership gets past the door.
fn visit(call: Call<'_>) -> Result<Visit<'_>, Failure> {
    let desk = call.framework.user_data;
    let parts = Parts::of_command(call.interaction);
    let member = parts.member.ok_or_else(|| anyhow::anyhow!("a command came without its member"))?;
    let standing = standing(&desk.access.now(), member);
    Ok(Visit::new(desk, &parts, member, standing, call.has_sent_initial_response))
}

/// Hands a press to its handler. `chosen` is what was taken from a menu.
pub async fn pressed(visit: &Visit<'_>, press: Press, chosen: Option<&str>) -> Result<(), Failure> {
    match press {
        Press::Paste(login) => login::open_form(visit, &login).await,
        Press::Cancel(login) => cancel::cancel_login(visit, &login).await,
        Press::OtherWay(login) => login::other_way(visit, &login).await,
        Press::SignIn { tenant, kind, bind } => login::sign_in(visit, &tenant, kind, bind).await,
        Press::PickProvider { bind } => login::picked(visit, chosen, bind).await,
        Press::Start => login::start_anew(visit).await,
        Press::LogOut(tenant) => logout::ask(visit, &tenant).await,
        Press::LogOutConfirmed(tenant) => logout::confirmed(visit, &tenant).await,
        Press::Keep => {
            visit.defer_update().await;
            visit.show(&view::kept(visit.language)).await;
            Ok(())
        }
        Press::PickLogOut => match chosen.and_then(|chosen| chosen.parse::<TenantRef>().ok()) {
            Some(tenant) => logout::ask(visit, &tenant).await,
            None => unknown(visit).await,
        },
        Press::Status => status::look_again(visit).await,
        Press::Refresh(tenant) => status::refresh(visit, &tenant).await,
        Press::UseMenu(provider) => using::ask(visit, &provider).await,
        Press::PickUse => using::picked(visit, chosen).await,
        Press::ListPage(page) => list::turn(visit, page).await,
        Press::Replace(login) => confirm::ask(visit, &login, confirm::Wish::Replace).await,
        Press::KeepPresent(login) => confirm::ask(visit, &login, confirm::Wish::Keep).await,
        Press::Agree { login, seen } => confirm::agreed(visit, &login, seen).await,
        Press::Refuse(login) => confirm::refused(visit, &login).await,
        Press::PickCancel => match chosen {
            Some(login) => cancel::picked(visit, &login.to_owned()).await,
            None => unknown(visit).await,
        },
    }
}

/// The answer to a press of something that is over or was never made (U9).
pub async fn unknown(visit: &Visit<'_>) -> Result<(), Failure> {
    visit.show(&view::over_or_unknown(visit.language, &visit.desk.slash)).await;
    Ok(())
}

/// The tenant that a press names: as it stands there, or one that is stored or could be filled by the presser.
fn tenant(visit: &Visit<'_>, named: &TenantRef) -> Result<Option<TenantKey>, Failure> {
    let broker = &visit.desk.broker;
    let document = broker.store().snapshot()?;
    let logins: Vec<_> = document.logins().map(|login| login.tenant.clone()).collect();
    let slots: Vec<_> = broker
        .catalog()
        .iter()
        .map(|provider| latchkey::broker::Broker::slot(provider, None, &visit.caller.user))
        .collect();
    Ok(named.find(document.tenants().map(|(key, _)| key).chain(logins).chain(slots)))
}
