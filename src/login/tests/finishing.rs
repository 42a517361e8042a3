//! What a granted sign-in still lacks: its first access token, and whose it is.

use latchkey_test_authority::{CopilotAccess, IdToken, Settings};

use super::*;
use crate::testing::catalog;

/// A host whose provider exchanges and asks whose, as Copilot's does.
fn copilot() -> Host {
    let mut host = Host::new();
    host.authority.set(|settings| {
        *settings = Settings { enforced_interval: Duration::ZERO, ..Settings::copilot() };
    });
    let more = format!(
        "revocation = \"none\"\nreuse = \"lenient\"\nidentity = \"userinfo\"\naccount_claim = [\"id\"]\nuserinfo_endpoint = {:?}\n\
         keep = [\"endpoints.api\"]\n[providers.acme.refresh]\nprotocol = \"exchange\"\nendpoint = {:?}\nscheme = \"token\"\n\
         headers = {{ Editor-Version = \"test/1\" }}\n",
        host.authority.url("/user"),
        host.authority.copilot_url(),
    );
    host.catalog = catalog(&host.authority, &more);
    host
}

/// A host whose provider has its userinfo endpoint tell whose a sign-in is, and gives no id token.
fn asking() -> Host {
    let mut host = Host::new();
    host.authority.set(|settings| settings.reply.id_token = IdToken::None);
    let more =
        format!("identity = \"userinfo\"\nuserinfo_endpoint = {:?}\n", host.authority.userinfo_endpoint());
    host.catalog = catalog(&host.authority, &more);
    host
}

/// Approves a device login and has it polled to its end.
async fn device_login(host: &Host, user: &str) -> PendingLogin {
    let logins = host.logins();
    let started = logins.start(request(user, LoginKind::Device)).await.unwrap();
    host.authority.approve_device(started.login.user_code.clone().unwrap().expose(), &Person::ada()).await;
    logins.poll(started.handover.unwrap()).await;
    host.login(&started.login.id).unwrap()
}

async fn paste(host: &Host, person: &Person) -> (PendingLogin, Answered) {
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, person).await;
    let answered = logins.paste(&user("42"), &login.id, &answer).await.unwrap();
    (host.login(&login.id).unwrap(), answered)
}

/// G1, C5: the first access token is there when the login has succeeded, with whose it is; the sign-in's own token stands in
/// the refresh token's place. What passes is tried again: nothing is used up.
#[tokio::test]
async fn a_sign_in_that_is_exchanged_ends_with_its_first_access_token() {
    let host = copilot();
    host.authority.answer_next(Endpoint::CopilotToken, 1, Canned::html(503));
    host.authority.fail_next(Endpoint::Userinfo, 1, &Fault::CloseAfter);
    let login = device_login(&host, "42").await;
    assert_eq!((login.status, login.reason), (LoginStatus::Succeeded, None));
    let held = host.held("acme").unwrap();
    assert!(
        held.access_token.expose().starts_with("tid=") && host.authority.accepts(held.access_token.expose())
    );
    let sign_in = held.refresh_token.as_ref().unwrap().expose();
    assert!(sign_in.starts_with("at-") && host.authority.accepts(sign_in));
    assert_eq!(
        held.account,
        crate::credential::Account::new(Some(&Person::ada().number().to_string()), None)
    );
    assert_eq!(
        (held.generation, held.scopes.as_slice()),
        (1, ["openid".to_owned(), "offline_access".to_owned()].as_slice())
    );
    assert!(held.expires_at.is_some() && held.extra["endpoints.api"].ends_with("/copilot"));
    assert_eq!(
        (host.authority.copilot_exchanges(), host.authority.requests_to(Endpoint::Userinfo).len()),
        (2, 2)
    );
    let asked = host.authority.requests_to(Endpoint::Userinfo);
    assert_eq!(asked[0].header("authorization"), Some(format!("token {sign_in}").as_str()));
}

/// U3: a sign-in whose account has no access ends with the provider's word for it, and nothing is stored.
#[tokio::test]
async fn a_sign_in_without_access_stores_nothing_and_says_why() {
    for (access, said) in [
        (
            CopilotAccess::NoPlan,
            "No access to GitHub Copilot found. You are currently logged in as somebody.",
        ),
        (CopilotAccess::NotFound, "Not Found"),
    ] {
        let host = copilot();
        host.authority.set(|settings| settings.copilot.access = access);
        let login = device_login(&host, "42").await;
        let reason = EndReason::NoAccess(Some(said.to_owned()));
        assert_eq!((login.status, login.reason), (LoginStatus::Failed, Some(reason)));
        assert!(host.held("acme").is_none());
        assert_eq!((host.authority.copilot_exchanges(), host.authority.revocations()), (1, 0));
    }
}

/// C1, C4: a cancel during the first exchange wins, and lets go of the login's lock at once.
#[tokio::test]
async fn a_cancel_during_the_first_exchange_wins() {
    let host = copilot();
    let held = host.authority.hold(Endpoint::CopilotToken);
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    host.authority.approve_device(started.login.user_code.clone().unwrap().expose(), &Person::ada()).await;
    let polling = tokio::spawn({
        let (logins, handover) = (logins.clone(), started.handover.unwrap());
        async move { logins.poll(handover).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    assert_eq!(host.login(&started.login.id).unwrap().status, LoginStatus::Exchanging, "expiry is frozen");
    assert!(matches!(logins.cancel(&user("42"), false, &started.login.id).await, Ok(Cancelled::Now(_))));
    let again = tokio::time::timeout(Duration::from_secs(5), async {
        while host.store().try_login_lock(&user("42"), &key("acme")).unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    again.await.expect("the lock is let go while the provider still thinks");
    held.release();
    polling.await.unwrap();
    assert_eq!(host.login(&started.login.id).unwrap().status, LoginStatus::Cancelled);
    assert!(host.held("acme").is_none());
}

/// C1: whatever time the exchange of the code took, the sweep leaves a login alone for as long as its finishing may take.
#[tokio::test]
async fn a_login_that_is_being_finished_is_not_called_interrupted() {
    let host = asking();
    let (exchange, question) =
        (host.authority.hold(Endpoint::Token), host.authority.hold(Endpoint::Userinfo));
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let pasting = tokio::spawn({
        let (logins, id) = (logins.clone(), login.id.clone());
        async move { logins.paste(&user("42"), &id, &answer).await }
    });
    assert!(host.authority.eventually(LONG, |_| exchange.waiting() == 1).await);
    host.clock.jump(130);
    exchange.release();
    assert!(host.authority.eventually(LONG, |_| question.waiting() == 1).await);
    host.clock.jump(120);
    // Any write sweeps.
    host.serving(&key("acme/other"), &Person::ben()).await;
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Exchanging);
    question.release();
    assert_eq!(pasting.await.unwrap().unwrap(), Answered::Succeeded);
}

/// I2, I5: the userinfo endpoint's word is what the identity gate judges; another account asks an admin.
#[tokio::test]
async fn the_userinfo_endpoint_tells_whose_a_sign_in_is() {
    let host = asking();
    assert_eq!(paste(&host, &Person::ada()).await.1, Answered::Succeeded);
    let held = host.held("acme").unwrap();
    assert_eq!(held.account, crate::credential::Account::new(Some("ada"), Some("ada@example.test")));
    assert_eq!(paste(&host, &Person::ada()).await.1, Answered::Succeeded);
    let asked = host.authority.requests_to(Endpoint::Userinfo);
    assert_eq!(asked.len(), 2, "once at each sign-in");
    assert_eq!(paste(&host, &Person::ben()).await.1, Answered::Waits);
}

/// I2: where nothing tells whose it is, an empty slot takes it, with what the id token says if there is one; a known
/// account's place it does not take, and then its tokens are ended.
#[tokio::test]
async fn a_sign_in_of_nobody_known_takes_no_known_accounts_place() {
    let host = asking();
    host.authority.answer_next(Endpoint::Userinfo, 1, Canned::error(403, "insufficient_scope", ""));
    assert_eq!(paste(&host, &Person::ada()).await.1, Answered::Succeeded);
    assert!(host.held("acme").unwrap().account.is_unknown());

    assert_eq!(paste(&host, &Person::ada()).await.1, Answered::Succeeded);
    let known = host.held("acme").unwrap();
    assert_eq!(known.account.id.as_deref(), Some("ada"));
    host.authority.answer_next(Endpoint::Userinfo, 1, Canned::error(403, "insufficient_scope", ""));
    let (login, answered) = paste(&host, &Person::ada()).await;
    assert_eq!(answered, Answered::Failed(EndReason::UnknownAccount));
    assert_eq!((login.status, login.reason), (LoginStatus::Failed, Some(EndReason::UnknownAccount)));
    assert_eq!(host.held("acme").unwrap(), known);

    host.authority.set(|settings| settings.reply.id_token = IdToken::Signed);
    host.authority.answer_next(Endpoint::Userinfo, 1, Canned::error(403, "insufficient_scope", ""));
    assert_eq!(paste(&host, &Person::ada()).await.1, Answered::Succeeded);
    assert_eq!(host.held("acme").unwrap().account.id.as_deref(), Some("ada"));
}

/// I4: an answer about somebody else than the id token's subject is not believed, and neither is the sign-in.
#[tokio::test]
async fn an_answer_about_another_subject_ends_the_login() {
    let host = asking();
    host.authority.set(|settings| {
        settings.reply.id_token = IdToken::Signed;
        settings.userinfo_extra.insert("sub".to_owned(), "ben".into());
    });
    assert_eq!(paste(&host, &Person::ada()).await.1, Answered::Failed(EndReason::UnknownAccount));
    assert!(host.held("acme").is_none());
    assert_eq!(
        host.authority.requests_to(Endpoint::Userinfo).len(),
        1,
        "a definite answer is not asked for again"
    );
}
