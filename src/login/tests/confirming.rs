//! A sign-in with another account than the shared one: who is asked, who decides, and what is left of it (I5, I6).

use super::*;
use crate::broker::Caller;
use crate::credential::{Account, Credential, CredentialKind};
use crate::pending::{ANCIENT_AGE, CONFIRMING_LIFE, Confirming};
use crate::store::has_ended;

mod questions;
mod time;
mod twice;

const ANN: &str = "42";
const BOB: &str = "43";
const ADMIN: &str = "1";
const OTHER_ADMIN: &str = "2";

impl Host {
    /// A sign-in of `name` at the shared tenant; gives what the paste came to.
    async fn signs_in(
        &self,
        logins: &Logins,
        name: &str,
        admin: bool,
        person: &Person,
    ) -> (Answered, LoginId) {
        let request = StartRequest { by_admin: admin, ..request(name, LoginKind::Paste) };
        let login = logins.start(request).await.unwrap().login;
        let answer = self.answer(&login, person).await;
        (logins.paste(&user(name), &login.id, &answer).await.unwrap(), login.id)
    }

    /// Ada's account in the shared tenant, and Ann, who waits with Ben's.
    async fn ann_waits(&self) -> (Logins, LoginId) {
        self.serving(&key("acme"), &Person::ada()).await;
        let logins = self.logins();
        let (pasted, id) = self.signs_in(&logins, ANN, false, &Person::ben()).await;
        assert_eq!(pasted, Answered::Waits);
        (logins, id)
    }

    fn seen(logins: &Logins, id: &LoginId) -> Seen {
        match logins.question(&user(ADMIN), true, id).unwrap() {
            Confirmation::Open(question) => question.seen,
            other => panic!("{other:?}"),
        }
    }

    /// Whose account the shared tenant holds.
    fn shared_account(&self) -> Option<String> {
        self.held("acme").and_then(|held| held.account.email)
    }

    /// The entry of a login, as it stands in the file.
    fn entry(&self, name: &str) -> String {
        let text: serde_json::Value = serde_json::from_str(&self.text()).unwrap();
        text["pending"][format!("{name}/acme")].to_string()
    }
}

fn over(confirmation: Confirmation) -> PendingLogin {
    match confirmation {
        Confirmation::Over(login) => login,
        other => panic!("{other:?}"),
    }
}

/// As [`Host::shared_account`] gives it.
#[expect(clippy::unnecessary_wraps, reason = "to be compared with what may be absent")]
fn email(person: &Person) -> Option<String> {
    Some(person.email.clone())
}

/// I5, I6, I8: who signs in with what, over what; and whether an admin is asked.
#[tokio::test]
async fn who_may_replace_what() {
    let ada = || Account::new(Some(&Person::ada().sub), Some(&Person::ada().email));
    let mine: Option<User> = Some(user(ANN));
    for (slot, kind, held, owner, admin, person, expected) in [
        ("acme", CredentialKind::OAuth, ada(), None, false, Person::ada(), Answered::Succeeded),
        ("acme", CredentialKind::OAuth, ada(), None, false, Person::ben(), Answered::Waits),
        ("acme", CredentialKind::OAuth, ada(), mine.clone(), false, Person::ben(), Answered::Waits),
        ("acme", CredentialKind::OAuth, ada(), None, true, Person::ben(), Answered::Waits),
        ("acme", CredentialKind::OAuth, Account::default(), None, false, Person::ben(), Answered::Waits),
        (
            "acme",
            CredentialKind::OAuth,
            Account::default(),
            mine.clone(),
            false,
            Person::ben(),
            Answered::Succeeded,
        ),
        ("acme", CredentialKind::OAuth, Account::default(), None, true, Person::ben(), Answered::Succeeded),
        (
            "acme@42",
            CredentialKind::OAuth,
            ada(),
            mine,
            false,
            Person::ben(),
            Answered::Failed(EndReason::OtherAccount),
        ),
    ] {
        let host = Host::new();
        let tokens = host.authority.mint(&Person::ada(), CLIENT, &["openid"]);
        let stored =
            Credential { kind, account: held.clone(), owner, ..host.credential(&tokens, &Person::ada()) };
        host.put(&key(slot), stored.clone()).await;
        let logins = host.logins();
        let request = StartRequest { tenant: key(slot), by_admin: admin, ..request(ANN, LoginKind::Paste) };
        let login = logins.start(request).await.unwrap().login;
        let answer = host.answer(&login, &person).await;
        let pasted = logins.paste(&user(ANN), &login.id, &answer).await.unwrap();
        assert_eq!(pasted, expected, "{slot} {held:?} {admin} {person:?}");
        if expected != Answered::Succeeded {
            assert_eq!(host.held(slot).unwrap().id, stored.id, "nothing is replaced unasked");
        }
    }
}

/// I8: a key is nobody's to replace, with an admin's word neither.
#[tokio::test]
async fn a_key_is_not_even_asked_about() {
    let host = Host::new();
    let tokens = host.authority.mint(&Person::ada(), CLIENT, &["openid"]);
    let key_of_operator =
        Credential { kind: CredentialKind::Static, ..host.credential(&tokens, &Person::ada()) };
    host.put(&key("acme"), key_of_operator).await;
    let refused = host.logins().start(request(ANN, LoginKind::Paste)).await;
    assert!(matches!(refused, Err(StartError::NotYours { .. })), "{refused:?}");
}

/// I5, S9, C5, T12: agreed, the new account is in the slot, its owner whoever signed in; others are completed by it; what
/// it replaced is owed to the provider, and ended there.
#[tokio::test]
async fn an_admin_agrees() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let before = host.held("acme").unwrap();
    let bob = host.paste_login(&logins, BOB).await;
    assert_eq!(bob.status, LoginStatus::Pending, "others go on meanwhile (S9)");
    let waiting = host.login(&id).unwrap();
    assert_eq!((waiting.status, waiting.verifier.is_some()), (LoginStatus::Confirming, false));
    host.clock.jump(3_600);
    let said = logins.confirm(&user(ADMIN), true, &id, Host::seen(&logins, &id)).await.unwrap();
    let done = over(said);
    assert_eq!(
        (done.status, done.reason),
        (LoginStatus::Succeeded, Some(EndReason::ConfirmedBy(user(ADMIN))))
    );
    let held = host.held("acme").unwrap();
    assert_eq!((held.account.email, held.owner), (email(&Person::ben()), Some(user(ANN))));
    let bound = host.store().snapshot().unwrap().binding(&thread("7")).unwrap().unwrap();
    assert_eq!(bound.tenants[&key("acme").provider], key("acme"));
    assert!(!host.entry(ANN).contains("confirming\":{"), "{}", host.entry(ANN));
    let old = before.refresh_token.unwrap();
    assert_eq!(host.owed(), [old.expose()]);
    host.front().retry_owed().await.unwrap();
    assert_eq!((host.owed(), host.authority.would_refresh(old.expose())), (vec![], false));
    assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()));
}

/// S9: a login of somebody else that is under way is completed by an approval, and one that waits too lets its tokens go.
#[tokio::test]
async fn an_approval_completes_the_others() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let cara = Person::new("sub-cara", "cara@example.test");
    let (pasted, bobs) = host.signs_in(&logins, BOB, false, &cara).await;
    assert_eq!(pasted, Answered::Waits, "the same slot may wait twice");
    let bobs_tokens = host.login(&bobs).unwrap().confirming.unwrap().credential.refresh_token.unwrap();
    let third = host.paste_login(&logins, "44").await;
    over(logins.confirm(&user(ADMIN), true, &id, Host::seen(&logins, &id)).await.unwrap());
    for id in [bobs, third.id] {
        let login = host.login(&id).unwrap();
        assert_eq!(
            (login.status, login.reason, login.confirming),
            (LoginStatus::Succeeded, Some(EndReason::CompletedBy(user(ANN))), None)
        );
    }
    assert!(host.owed().contains(&bobs_tokens.expose().to_owned()));
    host.front().retry_owed().await.unwrap();
    assert!(!host.authority.would_refresh(bobs_tokens.expose()));
    assert_eq!(host.shared_account(), email(&Person::ben()));
}

/// I5, C4, C5: refused, nothing is changed, no secret is left in the entry, and what came is ended at the provider.
#[tokio::test]
async fn an_admin_keeps_the_present_account() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let before = host.held("acme").unwrap();
    let tokens = host.login(&id).unwrap().confirming.unwrap().credential;
    let refresh = tokens.refresh_token.unwrap();
    let done = over(logins.refuse(&user(ADMIN), true, &id).await.unwrap());
    assert_eq!((done.status, done.reason), (LoginStatus::Cancelled, Some(EndReason::RefusedBy(user(ADMIN)))));
    assert_eq!(host.held("acme"), Some(before.clone()));
    for secret in [refresh.expose(), tokens.access_token.expose()] {
        assert!(!host.entry(ANN).contains(secret), "{}", host.entry(ANN));
    }
    host.front().retry_owed().await.unwrap();
    assert_eq!((host.owed(), host.authority.would_refresh(refresh.expose())), (vec![], false));
    assert!(host.authority.would_refresh(before.refresh_token.unwrap().expose()));
}

/// I5, C11: nobody else decides, and nobody else's word changes anything.
#[tokio::test]
async fn only_an_admin_decides() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let seen = Host::seen(&logins, &id);
    for name in [ANN, BOB] {
        let by = user(name);
        assert_eq!(logins.question(&by, false, &id).unwrap(), Confirmation::NotAdmin);
        assert_eq!(logins.confirm(&by, false, &id, seen.clone()).await.unwrap(), Confirmation::NotAdmin);
        assert_eq!(logins.refuse(&by, false, &id).await.unwrap(), Confirmation::NotAdmin);
    }
    let none = "0".repeat(32);
    assert_eq!(logins.refuse(&user(ADMIN), true, &none).await.unwrap(), Confirmation::Unknown);
    assert_eq!(host.login(&id).unwrap().status, LoginStatus::Confirming);
    assert_eq!(host.shared_account(), email(&Person::ada()));
    let pending = host.paste_login(&logins, BOB).await;
    assert_eq!(logins.refuse(&user(ADMIN), true, &pending.id).await.unwrap(), Confirmation::Unknown);
    assert_eq!(host.login(&pending.id).unwrap().status, LoginStatus::Pending, "it asks nothing");
}

/// I5, C3: two admins at once, each twice, in two processes: one word counts, and everybody hears whose.
#[tokio::test]
async fn the_first_word_counts() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let elsewhere = host.logins();
    let seen = Host::seen(&logins, &id);
    let (one, two) = (user(ADMIN), user(OTHER_ADMIN));
    let (a, b, c, d) = tokio::join!(
        logins.confirm(&one, true, &id, seen.clone()),
        elsewhere.refuse(&two, true, &id),
        elsewhere.confirm(&one, true, &id, seen),
        logins.refuse(&two, true, &id),
    );
    let said: Vec<_> = [a, b, c, d].into_iter().map(|said| over(said.unwrap())).collect();
    let stands = host.login(&id).unwrap();
    for login in &said {
        assert_eq!((login.status, &login.reason), (stands.status, &stands.reason));
    }
    let agreed = stands.reason == Some(EndReason::ConfirmedBy(one));
    assert!(agreed || stands.reason == Some(EndReason::RefusedBy(two)), "{stands:?}");
    let expected = if agreed { Person::ben() } else { Person::ada() };
    assert_eq!(host.shared_account(), email(&expected));
}

/// I5: an admin agrees to what they were shown, and to nothing else; an empty slot, or the same account, objects to nothing.
#[tokio::test]
async fn what_the_slot_holds_by_then_is_judged_anew() {
    let cara = Person::new("sub-cara", "cara@example.test");
    let (ben, ada) = (Person::ben(), Person::ada());
    for (meanwhile, stores) in [(None, true), (Some(&ben), true), (Some(&cara), false), (Some(&ada), false)] {
        let host = Host::new();
        let (logins, id) = host.ann_waits().await;
        let seen = Host::seen(&logins, &id);
        if let Some(person) = meanwhile {
            host.serving(&key("acme"), person).await;
        } else {
            update(&*host.store(), Touches::tenant(&key("acme")), |view| {
                view.remove_tenant(&key("acme"));
                Ok::<_, ()>(())
            })
            .await
            .unwrap()
            .unwrap();
        }
        let said = logins.confirm(&user(ADMIN), true, &id, seen).await.unwrap();
        if stores {
            assert_eq!(over(said).status, LoginStatus::Succeeded, "{meanwhile:?}");
        } else {
            let Confirmation::Open(question) = said else { panic!("{said:?}") };
            assert_eq!(host.shared_account(), meanwhile.map(|person| person.email.clone()));
            assert_eq!(question.now.and_then(|now| now.email), host.shared_account(), "asked anew");
            over(logins.confirm(&user(ADMIN), true, &id, question.seen).await.unwrap());
        }
        assert_eq!(host.shared_account(), email(&ben));
    }
}

/// I5: where the admins are asked is written down before it is, once; closed, it is forgotten; and a login that takes the
/// place of another keeps what is still to be closed.
#[tokio::test]
async fn a_thread_is_asked_once() {
    let host = Host::new();
    let (logins, id) = host.ann_waits().await;
    let login = host.login(&id).unwrap();
    let here = thread("7");
    let to_ask = async || logins.about_to_ask(&login, &here).await.unwrap();
    assert_eq!(to_ask().await, ToAsk::First);
    assert_eq!(to_ask().await, ToAsk::Again, "the same question may be sent again at once");
    host.clock.jump(121);
    assert_eq!(to_ask().await, ToAsk::No, "but not where nobody can tell any more");
    logins.was_not_asked(&login, &here).await.unwrap();
    assert_eq!(to_ask().await, ToAsk::First, "where nothing was posted, it is asked as if never before");
    logins.was_asked(&login, &here, "555".to_owned()).await.unwrap();
    logins.was_not_asked(&login, &here).await.unwrap();
    assert_eq!(to_ask().await, ToAsk::No, "what was posted stands");

    logins.cancel(&user(ANN), false, &id).await.unwrap();
    host.clock.jump(600);
    for told in [here.clone()] {
        logins.mark_told(&host.login(&id).unwrap(), &told).await.unwrap();
    }
    host.clock.jump(600);
    logins.sweep().await.unwrap();
    let kept = host.login(&id).expect("not purged while its question stands");
    let asks = logins.about_to_ask(&kept, &thread("8")).await.unwrap();
    assert_eq!(asks, ToAsk::No, "nothing is asked any more");
    let next = logins.start(request(ANN, LoginKind::Paste)).await.unwrap().login;
    let asked = host.login(&next.id).unwrap().asked;
    assert_eq!(
        asked.iter().map(|asked| (&asked.login, asked.message.as_deref())).collect::<Vec<_>>(),
        [(&id, Some("555"))]
    );
    logins.question_closed(&kept, &asked[0]).await.unwrap();
    assert_eq!(host.login(&next.id).unwrap().asked, []);
}

/// What can happen to a login that waits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Happens {
    Agreed,
    Kept,
    Cancelled,
    LoggedOut,
    TooLate,
    OtherSignIn,
}

/// I5, C3, C5: whatever order it happens in, with another process after each step: one end, no secret in an entry that is
/// over, and nothing in the slot that was not agreed to.
#[tokio::test]
async fn whatever_happens_in_whatever_order_there_is_one_end() {
    use Happens::{Agreed, Cancelled, Kept, LoggedOut, OtherSignIn, TooLate};
    let all = [Agreed, Kept, Cancelled, LoggedOut, TooLate, OtherSignIn];
    let orders = all.into_iter().flat_map(|first| all.into_iter().map(move |second| [first, second]));
    let orders = orders.flat_map(|[a, b]| [[a, b, Agreed], [a, b, Kept]]);
    for order in orders {
        let host = Host::new();
        let (logins, id) = host.ann_waits().await;
        let seen = Host::seen(&logins, &id);
        let waiting = host.login(&id).unwrap().confirming.unwrap().credential;
        let secrets = [&waiting.access_token, waiting.refresh_token.as_ref().unwrap()];
        let mut end: Option<(LoginStatus, Option<EndReason>)> = None;
        let mut slot = email(&Person::ada());
        for (at, happens) in order.into_iter().enumerate() {
            // A process of its own: nothing of the one before is known to it.
            let logins = host.logins();
            let admin = user(if at == 0 { ADMIN } else { OTHER_ADMIN });
            match happens {
                Agreed => drop(logins.confirm(&admin, true, &id, seen.clone()).await.unwrap()),
                Kept => drop(logins.refuse(&admin, true, &id).await.unwrap()),
                Cancelled => drop(logins.cancel(&user(ANN), false, &id).await.unwrap()),
                LoggedOut => {
                    let caller = Caller { user: admin, admin: true };
                    // Twice is once.
                    drop(host.front().logout(&caller, &key("acme")).await);
                    slot = None;
                }
                TooLate => {
                    host.clock.jump(CONFIRMING_LIFE + 1);
                    logins.sweep().await.unwrap();
                }
                OtherSignIn => {
                    let (pasted, _) = host.signs_in(&logins, BOB, false, &Person::ada()).await;
                    if pasted == Answered::Succeeded {
                        slot = email(&Person::ada());
                    }
                }
            }
            let Some(login) = host.login(&id) else { continue };
            let now = (login.status, login.reason.clone());
            if let Some(end) = &end {
                assert_eq!(end, &now, "{order:?}: an end stands");
            } else if login.status.is_terminal() {
                if matches!(now.1, Some(EndReason::ConfirmedBy(_))) {
                    assert_eq!(happens, Agreed, "{order:?}");
                    slot = email(&Person::ben());
                }
                end = Some(now);
            }
            if login.status.is_terminal() {
                for secret in secrets {
                    assert!(!host.entry(ANN).contains(secret.expose()), "{order:?}: {}", host.entry(ANN));
                }
            }
            assert_eq!(host.shared_account(), slot, "{order:?} after {happens:?}");
        }
        assert!(end.is_some(), "{order:?} ends");
    }
}
