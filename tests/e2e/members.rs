//! The laws of the Discord side, as members meet them.

mod cancelling;
mod doors;
mod gateway;
mod guild;
mod languages;
mod links;
mod listing;
mod logging_out;
mod logins;
mod pasting;
mod restarts;
mod standing;
mod using;
mod watching;

use latchkey::clock::Clock;
use latchkey::credential::{Account, Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Touches, update};
use latchkey::tenant::TenantKey;
use latchkey_test_authority::{CLIENT, Person, TokenSet};
use latchkey_test_discord::{Channel, Interaction, Member};

use crate::harness::{Bot, SOON, Setup};

/// The label of the button that opens the provider's page.
pub(crate) const OPEN: &str = "Open sign-in page";
/// The label of the button that opens the form.
pub(crate) const PASTE: &str = "Paste the answer";
/// The label of the form's field, for addresses.
pub(crate) const ADDRESS: &str = "Address of the last page";

/// A bot, a member and a thread.
pub(crate) async fn ann_and_a_thread(setup: &Setup) -> (Bot, Member, Channel) {
    let bot = Bot::start(setup).await;
    (bot, setup.discord.member("ann"), setup.thread("fix-ci"))
}

/// `/auth login` in `thread`, with its card.
pub(crate) async fn login(member: &Member, thread: &Channel) -> Interaction {
    let login = member.slash("/auth login").in_thread(thread).send().await;
    login.sees_text("Sign in to Acme", SOON).await;
    login
}

/// The login ids in the custom ids of a message.
fn login_id(login: &Interaction) -> String {
    let id = login.message().button("Cancel").and_then(|button| button.custom_id);
    id.and_then(|id| id.rsplit(':').next().map(str::to_owned)).expect("a card with its cancel button")
}

/// `tenant` as if `owner` had signed in there as `person` a while ago.
async fn signed_in(setup: &Setup, tenant: &str, person: &Person, owner: &Member) -> TokenSet {
    let tokens = setup.authority.mint(person, CLIENT, &["openid", "offline_access"]);
    let (tenant, now): (TenantKey, _) = (tenant.parse().unwrap(), Clock::system().now());
    let mut held =
        Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new(&*tokens.access), now);
    held.refresh_token = Some(Secret::new(&*tokens.refresh));
    held.expires_at = Some(now + 3_600);
    held.client_id = Some(CLIENT.to_owned());
    held.account = Account::new(Some(&person.sub), Some(&person.email));
    held.owner = Some(owner.id().to_string().parse().unwrap());
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    let put = update(&store, Touches::tenant(&tenant), {
        let tenant = tenant.clone();
        move |view| {
            view.put_tenant(&tenant, held);
            Ok::<_, ()>(())
        }
    });
    put.await.unwrap().unwrap();
    tokens
}

/// Changes the auth file by hand, while nobody else has it open.
fn edit(setup: &Setup, change: impl FnOnce(&mut serde_json::Value)) {
    let mut stored = serde_json::from_str(&setup.stored()).unwrap();
    change(&mut stored);
    std::fs::write(setup.store(), stored.to_string()).unwrap();
}
