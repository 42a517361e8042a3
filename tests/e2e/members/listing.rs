//! `/auth list`.

use latchkey_test_authority::Person;

use super::{ann_and_a_thread, signed_in};
use crate::harness::{SOON, Setup};

/// U7: one's own and the shared ones, with their threads for whom they concern; all for an admin; no account of another's.
#[tokio::test]
async fn a_list_tells_each_what_is_theirs_to_know() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    let (bob, admin) = (setup.discord.member("bob"), setup.discord.member("ada").manage_guild());
    let empty = ann.slash("/auth list").in_thread(&thread).send().await;
    empty.sees_text("There are no sign-ins yet", SOON).await;
    signed_in(&setup, "acme", &Person::ben(), &bob).await;
    let own = format!("acme/secret@{}", ann.id());
    signed_in(&setup, &own, &Person::ada(), &ann).await;
    let used = ann.slash("/auth use").option("tenant", &own).in_thread(&thread).send().await;
    used.sees_text("from now on", SOON).await;
    let ada = Person::ada().email;
    let in_thread = format!("used in <#{}>", thread.id());
    for (member, sees_anns) in [(&ann, true), (&bob, false), (&admin, true)] {
        let list = member.slash("/auth list").in_thread(&thread).send().await;
        let view = list.sees_text("Acme (shared by this server)", SOON).await;
        assert!(view.is_ephemeral());
        for secret in ["secret", in_thread.as_str(), ada.split('@').next().unwrap()] {
            assert_eq!(view.contains(secret), sees_anns, "{secret}, {}: {}", member.name(), view.render());
        }
    }
    setup.discord.assert_clean();
}

/// More than fit are on pages, turned on the message itself.
#[tokio::test]
async fn a_long_list_has_pages() {
    let setup = Setup::new().await;
    let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
    for n in 10..30 {
        signed_in(&setup, &format!("acme/p{n}@{}", ann.id()), &Person::ada(), &ann).await;
    }
    let list = ann.slash("/auth list").in_thread(&thread).send().await;
    let first = list.sees_text("Page 1 of", SOON).await;
    assert!(first.contains("profile p10") && !first.contains("profile p29"), "{}", first.render());
    let next = list.click("Next").await;
    let second = next.sees_text("Page 2 of", SOON).await;
    assert_eq!(second.id(), first.id());
    assert!(!second.contains("profile p10"), "{}", second.render());
    next.click("Back").await.sees_text("Page 1 of", SOON).await;

    let which = ann.slash("/auth logout").in_thread(&thread).send().await;
    which.sees_text("What do you want to log out?", SOON).await;
    for n in 30..50 {
        signed_in(&setup, &format!("acme/p{n}@{}", ann.id()), &Person::ada(), &ann).await;
    }
    let which = ann.slash("/auth logout").in_thread(&thread).send().await;
    which.sees_text("15 more do not fit into the menu", SOON).await;
    setup.discord.assert_clean();
}
