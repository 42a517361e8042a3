//! A guild where everybody signs in at once.

use std::time::Duration;

use latchkey_test_authority::{Endpoint, Person};
use latchkey_test_discord::{Channel, Interaction, Member};

use crate::harness::{Bot, Setup};
use crate::members::{ADDRESS, OPEN, PASTE};

/// How many members sign in.
const MEMBERS: usize = 50;
/// Threads of those who share one.
const SHARED: usize = 5;
/// How long all of it may take on the slowest machine.
const LONG: Duration = Duration::from_mins(2);

/// What became of one member's sign-in.
struct Signed {
    member: Member,
    provider: &'static str,
    link: String,
    email: String,
    interactions: Vec<Interaction>,
}

async fn sign_in(setup: &Setup, number: usize, thread: &Channel) -> Signed {
    let member = setup.discord.member(&format!("member {number}"));
    let email = format!("person{number}@example.test");
    let person = Person::new(format!("person-{number}"), email.as_str());
    let provider = if number.is_multiple_of(2) { "acme" } else { "post" };
    let login = member.slash(&format!("/auth login {provider}")).in_thread(thread).send().await;
    login.sees_text(OPEN, LONG).await;
    let link = login.link(OPEN);
    let mut interactions = vec![login.clone()];
    if provider == "acme" {
        setup.authority.approve_device(&link, &person).await;
    } else {
        let answer = setup.authority.sign_in(&link, &person).await;
        let form = login.click(PASTE).await;
        let pasted = form.submit_modal([(ADDRESS, answer.as_str())]).await;
        interactions.extend([form, pasted]);
    }
    login.sees_text("Signed in to Acme", LONG).await;
    Signed { member, provider, link, email, interactions }
}

/// U1, U2, S1: fifty members at once, in threads of their own and in shared ones, by both ways: no message is mixed up, each
/// acknowledgement comes in time, each sign-in is stored, and each takes one request of each kind.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_members_sign_in_at_once() {
    let plan = Setup::plan().like_production().acme("flows = [\"device\"]");
    let setup = plan.second_provider("post", "flows = [\"paste\"]").start().await;
    let bot = Bot::start(&setup).await;
    let threads: Vec<_> = (0..MEMBERS)
        .map(|number| match number % 4 {
            0 | 1 => setup.thread(&format!("own {number}")),
            _ => setup.thread(&format!("shared {}", number % SHARED)),
        })
        .collect();
    let signing = threads.iter().enumerate().map(|(number, thread)| sign_in(&setup, number, thread));
    let signed = tokio::time::timeout(LONG, join_all(signing)).await.expect("everybody signs in");

    for one in &signed {
        let login = &one.interactions[0];
        for view in login.messages() {
            let whole = view.with_history();
            assert_eq!(
                view.ephemeral_to(),
                Some(login.message().ephemeral_to().expect("ephemeral")),
                "{whole}"
            );
            let others = signed.iter().filter(|other| other.email != one.email);
            for other in others {
                assert!(
                    !whole.contains(&other.email.replace('@', "\\@")) && !whole.contains(&other.link),
                    "{whole}"
                );
            }
        }
        let name = one.email.replace('@', "\\@");
        assert!(login.message().contains(&name), "{}", login.story());
        let tenant = format!("{}@{}", one.provider, one.member.id());
        let stored: serde_json::Value = serde_json::from_str(&setup.stored()).expect("the store is JSON");
        assert_eq!(stored["tenants"][&tenant]["account"]["email"], one.email.as_str(), "{tenant}");
    }
    let half = MEMBERS / 2;
    assert_eq!(setup.authority.device_starts(), half);
    assert_eq!(
        setup.authority.requests_to(Endpoint::Authorize).len(),
        2 * half,
        "each page was opened and answered once"
    );
    assert_eq!(setup.authority.exchanges(), half);

    let mut after: Vec<_> =
        signed.iter().flat_map(|one| &one.interactions).map(Interaction::acknowledged_after).collect();
    after.sort();
    let at = |percent: usize| after[(after.len() - 1) * percent / 100];
    println!(
        "{} acknowledgements: p50 {:?}, p99 {:?}, last {:?}; over a limit: {}",
        after.len(),
        at(50),
        at(99),
        at(100),
        setup.discord.over_limit()
    );
    for (number, kind) in ["command", "button", "form"].into_iter().enumerate() {
        let last = signed.iter().filter_map(|one| one.interactions.get(number));
        println!("the last {kind}: {:?}", last.map(Interaction::acknowledged_after).max());
    }
    // Discord's own bound, which holds on any machine; one second is what there is to spare on one that is not busy.
    assert!(at(100) < Duration::from_secs(3), "{after:?}");
    assert_eq!(setup.discord.over_limit(), 0);
    setup.authority.assert_no_secret_in(&bot.said());
    setup.discord.assert_clean();
}

async fn join_all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
