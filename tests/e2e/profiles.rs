//! Several accounts at one provider: profiles of one's own and of the server's, from sign-in to logout.

use latchkey_test_authority::Person;
use latchkey_test_discord::{Channel, Member};

use crate::harness::{NEXT_POLL, SOON, Setup};
use crate::members::{OPEN, ann_and_a_thread};

async fn choices(member: &Member, command: &str, option: &str, thread: &Channel) -> Vec<String> {
    let choices = member.autocomplete(command).focused(option, "").in_thread(thread).send().await;
    choices.into_iter().map(|choice| choice.value.as_str().unwrap().to_owned()).collect()
}

/// S5, U6, F13: two accounts side by side, each by its name in every command; ending one leaves the other.
#[tokio::test]
async fn a_profile_goes_its_own_way_from_sign_in_to_logout() {
    for share in ["member", "guild"] {
        let setup = Setup::plan().acme(&format!("share = \"{share}\"")).start().await;
        let (_bot, ann, thread) = ann_and_a_thread(&setup).await;
        let slot = |name: &str| {
            if share == "guild" { name.to_owned() } else { format!("{name}@{}", ann.id()) }
        };
        let place = thread.id().to_string();
        for (profile, person, account) in
            [(None, Person::ada(), "as ada"), (Some("Work"), Person::ben(), "as ben")]
        {
            let mut login = ann.slash("/auth login").option("provider", "acme");
            if let Some(profile) = profile {
                login = login.option("profile", profile);
            }
            let login = login.in_thread(&thread).send().await;
            login.sees_text("Sign in to Acme", SOON).await;
            setup.authority.approve_device(&login.link(OPEN), &person).await;
            let view = login.sees_text("Signed in to Acme", NEXT_POLL).await;
            assert!(view.contains(account), "{}", view.render());
            assert_eq!(view.contains("profile work"), profile.is_some(), "{}", view.render());
        }
        // Each is its own, by name; the thread uses what was signed in last.
        let (plain, work) = (setup.token(&[&slot("acme")]).await, setup.token(&[&slot("acme/work")]).await);
        assert_ne!(plain, work);
        assert_eq!(setup.token(&["acme", "--thread", &place]).await, work);
        if share == "member" {
            let user = ann.id().to_string();
            assert_eq!(setup.token(&["acme/work", "--user", &user]).await, work);
            assert_eq!(setup.token(&["acme/work", "--thread", &place]).await, work);
        }
        assert_eq!(choices(&ann, "/auth login", "profile", &thread).await, ["work"]);
        let both = [slot("acme"), slot("acme/work")];
        for command in ["/auth use", "/auth logout"] {
            let mut found = choices(&ann, command, "tenant", &thread).await;
            found.retain(|value| !value.starts_with("none:"));
            found.sort();
            let mut expected = both.to_vec();
            expected.sort();
            assert_eq!(found, expected, "{command}");
        }
        let list = ann.slash("/auth list").in_thread(&thread).send().await;
        list.sees_text("profile work", SOON).await;
        let again = ann.slash("/auth login").option("provider", "acme").option("profile", "work");
        again.in_thread(&thread).send().await.sees_text("profile work", SOON).await;

        let used = ann.slash("/auth use").option("tenant", &both[0]).in_thread(&thread).send().await;
        used.sees_text("from now on", SOON).await;
        assert_eq!(setup.token(&["acme", "--thread", &place]).await, plain);

        let admin = setup.discord.member("root").manage_guild();
        let who = if share == "guild" { &admin } else { &ann };
        let asked = who.slash("/auth logout").option("tenant", &both[1]).in_thread(&thread).send().await;
        asked.sees_text("profile work", SOON).await;
        asked.click("Log out").await.sees_text("Logged out of Acme, profile work", SOON).await;
        assert_eq!(setup.cli(&["token", &both[1]]).await.code, 3);
        assert_eq!(setup.token(&[&both[0]]).await, plain);
        assert!(setup.authority.accepts(&plain) && !setup.authority.accepts(&work));
        setup.discord.assert_clean();
    }
}
