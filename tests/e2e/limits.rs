//! How often one member, and a guild, may do something; and that nobody else is held up by it.

use latchkey_test_discord::Interaction;

use crate::harness::{Bot, SOON, Setup};
use crate::members::{OPEN, login};

const HELD_OFF: &str = "That was a lot at once";

/// Whether somebody was held off; whatever else they are told.
async fn is_held_off(interaction: &Interaction) -> bool {
    interaction.sees(|view| !view.is_deferred(), SOON).await;
    let message = interaction.message();
    assert!(message.is_ephemeral(), "{}", message.render());
    message.contains(HELD_OFF)
}

/// U7, S7: whoever hammers is held off with a short answer, by commands, buttons and forms alike, admitted or not; it costs nothing,
/// holds up nobody else, and takes nothing from a sign-in that is under way.
#[tokio::test]
async fn whoever_hammers_is_held_off_and_nobody_else() {
    let setup = Setup::plan()
        .access(|discord| format!("members = {{ roles = [\"{}\"] }}", discord.role("agents")))
        .more("[limits]\ncommands_per_minute = 4\n")
        .start()
        .await;
    let bot = Bot::start(&setup).await;
    let (thread, role) = (setup.thread("fix-ci"), setup.discord.role("agents"));
    let ann = setup.discord.member("ann").roles([role]);
    let bob = setup.discord.member("bob").roles([role]).manage_guild();
    let stranger = setup.discord.member("eve");
    let card = login(&ann, &thread).await;
    for _ in 0..3 {
        assert!(!is_held_off(&ann.slash("/auth status").in_thread(&thread).send().await).await);
    }
    let before = (setup.stored(), setup.authority.requests().len());
    for command in ["/auth status", "/auth login acme other", "/auth logout"] {
        assert!(is_held_off(&ann.slash(command).in_thread(&thread).send().await).await, "{command}");
    }
    let shown = card.message();
    let pressed = ann.forge_click(&shown, "lk1:status:").await;
    pressed.sees_text(HELD_OFF, SOON).await;
    let form =
        ann.forge_modal(&thread, "lk1:paste:0123456789abcdef0123456789abcdef", [("answer", "x")]).await;
    form.sees_text(HELD_OFF, SOON).await;
    assert_eq!((setup.stored(), setup.authority.requests().len()), before, "it costs nothing");
    assert!(card.message().contains("this code"), "the sign-in stands as it was: {}", card.story());
    // What is typed into an option is not held off: Discord asks with each letter.
    for typed in ["a", "ac", "acm", "acme", "acm"] {
        let names =
            ann.autocomplete("/auth login").focused("provider", typed).in_thread(&thread).send().await;
        assert_eq!(names.len(), 1, "{typed}");
    }
    // Nobody else is, and an admin is one like others.
    for number in 0..6 {
        let asked = bob.slash("/auth status").in_thread(&thread).send().await;
        assert_eq!(is_held_off(&asked).await, number >= 4, "{number}");
    }
    // Nor does a stranger fill the audit with refusals.
    for number in 0..6 {
        let asked = stranger.slash("/auth status").in_thread(&thread).send().await;
        assert_eq!(is_held_off(&asked).await, number >= 4, "{number}");
    }
    assert_eq!(bot.said().matches("what=\"not served\"").count(), 4, "{}", bot.said());
    setup.discord.assert_clean();
}

/// S7: the bounds of one member, and of the guild, in words with when to try again; who comes back to a sign-in under way is let in.
#[tokio::test]
async fn each_bound_is_told_with_when_to_try_again() {
    for (limits, told, is_guilds) in [
        ("open_logins = 1", "You have as many sign-ins open at once as there may be: 1.", false),
        ("tenants_per_user = 1", "You keep as many sign-ins of your own as there may be: 1.", false),
        ("guild_starts_per_minute = 1", "Many members of this server are signing in", true),
    ] {
        let setup = Setup::plan().more(&format!("[limits]\n{limits}\n")).start().await;
        let _bot = Bot::start(&setup).await;
        let (thread, ann, bob) =
            (setup.thread("fix-ci"), setup.discord.member("ann"), setup.discord.member("bob"));
        let first = login(&ann, &thread).await;
        let second = ann.slash("/auth login acme other").in_thread(&thread).send().await;
        second.sees_text(told, SOON).await;
        let back = login(&ann, &setup.thread("docs")).await;
        assert_eq!(back.link(OPEN), first.link(OPEN), "{limits}");
        let others = bob.slash("/auth login acme").in_thread(&thread).send().await;
        others.sees_text(if is_guilds { told } else { "this code" }, SOON).await;
        setup.discord.assert_clean();
    }
}
