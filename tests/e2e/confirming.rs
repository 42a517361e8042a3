//! A sign-in with another account than the server's: the admins are asked in the thread, decide in private, and everybody
//! is told what was decided (I5, I6).

use std::path::PathBuf;
use std::time::Duration;

use latchkey_test_authority::Person;
use latchkey_test_discord::{Channel, Interaction, Member, View};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

const OPEN: &str = "Open sign-in page";
const PASTE: &str = "Paste the answer";
const ADDRESS: &str = "Address of the last page";
const USE: &str = "Use the new account";
const KEEP: &str = "Keep the present one";
const QUESTION: &str = "Should Acme use another account?";
const DAY: i64 = 24 * 60 * 60;
/// Long enough for what a timer of half a minute does.
const NEXT_SWEEP: Duration = Duration::from_mins(2);

/// A bot with a clock that can be moved.
struct House {
    setup: Setup,
    bot: Bot,
    clock: PathBuf,
    thread: Channel,
    ann: Member,
    admin: Member,
}

impl House {
    /// Ada's account is the server's; Ann, who is no admin, has signed in with Ben's.
    async fn ann_asks() -> (Self, Interaction) {
        let house = Self::new().await;
        house.signs_in(&house.admin, &Person::ada()).await.sees_text("Signed in to Acme", SOON).await;
        let card = house.signs_in(&house.ann, &Person::ben()).await;
        card.sees_text("waits for an admin", SOON).await;
        (house, card)
    }

    async fn new() -> Self {
        let setup = Setup::plan()
            .acme("share = \"guild\"\nflows = [\"paste\"]")
            .access(|discord| {
                let role = discord.role("keepers");
                format!("members = {{ anyone = true }}\nadmins = {{ roles = [\"{role}\"] }}")
            })
            .start()
            .await;
        let clock = setup.dir.path().join("clock");
        std::fs::write(&clock, "0").expect("the clock is set");
        let bot = start(&setup, &clock).await;
        let (thread, ann) = (setup.thread("fix-ci"), setup.discord.member("ann"));
        let admin = setup.discord.member("cleo").roles([setup.discord.role("keepers")]);
        Self { setup, bot, clock, thread, ann, admin }
    }

    /// The form's answer to a whole sign-in.
    async fn signs_in(&self, member: &Member, person: &Person) -> Interaction {
        let (form, answer) = self.opens_form(member, person).await;
        form.submit_modal([(ADDRESS, answer.as_str())]).await
    }

    /// A sign-in up to its open form, and what is to be pasted there.
    async fn opens_form(&self, member: &Member, person: &Person) -> (Interaction, String) {
        let mut login = member.slash("/auth login").in_thread(&self.thread).send().await;
        let shown =
            login.sees(|view| !view.buttons().is_empty() || view.contains("Signed in already"), SOON).await;
        if shown.button("Sign in again").is_some() {
            login = login.click("Sign in again").await;
        }
        login.sees_text(PASTE, SOON).await;
        let answer = self.setup.authority.sign_in(&login.link(OPEN), person).await;
        (login.click(PASTE).await, answer)
    }

    /// The question in the thread.
    async fn question(&self) -> View {
        self.setup.discord.wait_channel_message(&self.thread, QUESTION, SOON).await
    }

    /// The question's message, once it says `text`.
    async fn closed(&self, text: &str) -> View {
        let view = self.setup.discord.wait_channel_message(&self.thread, text, SOON).await;
        assert!(view.buttons().is_empty(), "{}", view.render());
        view
    }

    async fn restart(&mut self) {
        self.bot.kill9();
        self.bot = start(&self.setup, &self.clock).await;
    }

    fn later(&self, seconds: i64) {
        let new = self.clock.with_extension("new");
        std::fs::write(&new, seconds.to_string()).expect("the clock is set");
        std::fs::rename(new, &self.clock).expect("the clock is set");
    }

    /// Whose account the server uses, by the store.
    fn account(&self) -> String {
        let stored: serde_json::Value =
            serde_json::from_str(&self.setup.stored()).expect("the store is JSON");
        stored["tenants"]["acme"]["account"]["email"].as_str().unwrap_or_default().to_owned()
    }

    /// The login entry of Ann's.
    fn entry(&self) -> serde_json::Value {
        let stored: serde_json::Value =
            serde_json::from_str(&self.setup.stored()).expect("the store is JSON");
        stored["pending"][format!("{}/acme", self.ann.id())].clone()
    }

    /// U2, Z1: what everybody can read, and the log, show no account, link or token.
    fn nothing_leaked(&self) {
        let said = self.setup.discord.channel_messages(&self.thread);
        let public: String = said.iter().map(|view| view.with_history() + &view.raw().to_string()).collect();
        for text in [&public, &self.bot.said()] {
            self.setup.authority.assert_no_secret_in(text);
        }
        for person in [Person::ada(), Person::ben()] {
            for part in [&person.email, &shown(&person), &person.sub, &person.account_id()] {
                assert!(!public.contains(part.as_str()), "{part}: {public}");
            }
        }
        assert!(!public.contains("http"), "{public}");
        self.setup.discord.assert_clean();
    }
}

async fn start(setup: &Setup, clock: &std::path::Path) -> Bot {
    let faults = format!("clock=return({})", clock.display());
    Bot::start_with(setup, |program| {
        program.env("FAILPOINTS", faults);
    })
    .await
}

fn email(person: &Person) -> String {
    person.email.clone()
}

/// As it stands in Discord's Markdown.
fn shown(person: &Person) -> String {
    person.email.replace('@', "\\@")
}

/// I5, U2, U7: asked once, of the admins, without a name of an account; shown both, they agree; everybody hears it.
#[tokio::test]
async fn an_admin_agrees_after_seeing_both_accounts() {
    let (house, card) = House::ann_asks().await;
    for part in [shown(&Person::ada()), shown(&Person::ben())] {
        assert!(card.message().contains(&part), "{}", card.message().render());
    }
    let question = house.question().await;
    let role = house.setup.discord.role("keepers");
    assert_eq!(question.pings(), [format!("<@&{role}>")], "the admins, and nobody else");
    for part in [format!("<@{}>", house.ann.id()), "<t:".to_owned()] {
        assert!(question.contains(&part), "{}", question.render());
    }
    let denied = house.ann.click(&question, USE).await;
    denied.sees_text("Only an admin of this server", SOON).await;
    let step = house.admin.click(&question, USE).await;
    let both = step.sees_text("Which account should Acme use?", SOON).await;
    assert!(both.is_ephemeral() && both.contains(&shown(&Person::ada())), "{}", both.render());
    assert!(both.contains(&shown(&Person::ben())), "{}", both.render());
    assert_eq!(house.account(), email(&Person::ada()), "nothing yet");
    let agreed = step.click(USE).await;
    agreed.sees_text("now uses the account of", SOON).await;
    assert_eq!(house.account(), email(&Person::ben()));
    let closed = house.closed("now uses the account of").await;
    assert_eq!((closed.id(), closed.pings()), (question.id(), vec![]));
    assert!(closed.contains(&format!("<@{}>", house.admin.id())), "{}", closed.render());
    let ended = card.sees_text("now uses your account", SOON).await;
    assert!(ended.contains(&shown(&Person::ben())), "{}", ended.render());
    let late = house.admin.forge_click(&closed, &custom_id(&question, KEEP)).await;
    late.sees_text("now uses the account of", SOON).await;
    let token = house.setup.token(&["acme"]).await;
    assert!(house.setup.authority.accepts(&token));
    house.nothing_leaked();
}

fn custom_id(view: &View, label: &str) -> String {
    view.button(label).and_then(|button| button.custom_id).expect("a button that comes back")
}

/// I5, T12: kept, with a restart between every two steps; what Ann signed in with is ended at the provider.
#[tokio::test]
async fn an_admin_keeps_the_present_account_through_restarts() {
    let (mut house, card) = House::ann_asks().await;
    let question = house.question().await;
    let refresh =
        house.entry()["confirming"]["credential"]["refresh_token"].as_str().expect("waiting").to_owned();
    house.restart().await;
    let step = house.admin.click(&question, KEEP).await;
    step.sees_text("Which account", SOON).await;
    house.restart().await;
    step.click(KEEP).await.sees_text("keeps its present account", SOON).await;
    house.restart().await;
    house.closed("keeps its present account").await;
    // Killed just as it told Ann so, it may not know that it did: then she is told in the thread.
    let said = || house.setup.discord.channel_messages(&house.thread);
    let told = |_: &latchkey_test_authority::Authority| {
        card.message().contains("keeps its present account")
            || said().iter().any(|view| view.contains("keeps its present account. Nothing"))
    };
    assert!(house.setup.authority.eventually(NEXT_POLL, told).await, "{}", card.story());
    assert_eq!(house.account(), email(&Person::ada()));
    assert!(!house.entry().to_string().contains(&refresh), "no secret is left: {}", house.entry());
    let ended = |authority: &latchkey_test_authority::Authority| !authority.would_refresh(&refresh);
    assert!(house.setup.authority.eventually(NEXT_SWEEP, ended).await);
    let questions = said().iter().filter(|view| view.with_history().contains(QUESTION)).count();
    assert_eq!(questions, 1, "one message, whatever was restarted");
    house.nothing_leaked();
}

/// I5: the question was sent, and the bot dies before it hears so: the next one does not send a second.
#[tokio::test]
async fn a_question_that_was_sent_unheard_is_not_sent_twice() {
    let mut house = House::new().await;
    house.signs_in(&house.admin, &Person::ada()).await.sees_text("Signed in to Acme", SOON).await;
    house.setup.discord.delay_answer("POST /channels/*/messages", 1, Duration::from_secs(8));
    house.signs_in(&house.ann, &Person::ben()).await.sees_text("waits for an admin", SOON).await;
    let question = house.question().await;
    assert!(house.entry()["asked"][0]["message"].is_null(), "{}", house.entry());
    house.restart().await;
    let heard = |_: &latchkey_test_authority::Authority| house.entry()["asked"][0]["message"].is_string();
    assert!(house.setup.authority.eventually(NEXT_POLL, heard).await, "{}", house.entry());
    assert_eq!(house.entry()["asked"][0]["message"], question.id().to_string());
    assert_eq!(house.setup.discord.channel_messages(&house.thread).len(), 1);
    house.nothing_leaked();
}

/// I5, S12: killed before the card says that an admin is asked, the next bot has it say so.
#[tokio::test]
async fn a_card_that_was_cut_short_says_so_after_a_restart() {
    let mut house = House::new().await;
    house.signs_in(&house.admin, &Person::ada()).await.sees_text("Signed in to Acme", SOON).await;
    let login = house.ann.slash("/auth login").in_thread(&house.thread).send().await;
    login.sees_text("Sign in again", SOON).await;
    let login = login.click("Sign in again").await;
    login.sees_text(PASTE, SOON).await;
    let answer = house.setup.authority.sign_in(&login.link(OPEN), &Person::ben()).await;
    let form = login.click(PASTE).await;
    house.setup.discord.fail("PATCH /webhooks/*", 1_000, 500);
    let card = form.submit_modal([(ADDRESS, answer.as_str())]).await;
    let waits = |_: &latchkey_test_authority::Authority| house.entry()["status"] == "confirming";
    assert!(house.setup.authority.eventually(SOON, waits).await, "{}", house.entry());
    assert!(!card.message().contains("waits for an admin"), "{}", card.story());
    house.bot.kill9();
    house.setup.discord.clear_faults();
    house.bot = start(&house.setup, &house.clock).await;
    card.sees_text("waits for an admin", NEXT_POLL).await;
    house.nothing_leaked();
}

/// I5: two admins at once: one word counts, and both hear whose.
#[tokio::test]
async fn of_two_admins_at_once_the_first_counts() {
    let (house, _) = House::ann_asks().await;
    let dora = house.setup.discord.member("dora").roles([house.setup.discord.role("keepers")]);
    let question = house.question().await;
    let (one, two) = (house.admin.click(&question, USE).await, dora.click(&question, KEEP).await);
    tokio::join!(one.sees_text("Which account", SOON), two.sees_text("Which account", SOON));
    let (one, two) = tokio::join!(one.click(USE), two.click(KEEP));
    let over = |view: &View| view.contains("now uses") || view.contains("keeps its");
    let (one, two) = tokio::join!(one.sees(over, SOON), two.sees(over, SOON));
    assert_eq!(one.content(), two.content());
    let agreed = one.contains("now uses");
    assert_eq!(house.account(), email(&if agreed { Person::ben() } else { Person::ada() }));
    house.closed(if agreed { "now uses" } else { "keeps its" }).await;
    house.nothing_leaked();
}

/// I5, C1: the one who asked takes it back; another time, an admin logs the account out meanwhile.
#[tokio::test]
async fn it_ends_with_a_cancel_or_a_logout() {
    let (house, card) = House::ann_asks().await;
    house.question().await;
    card.click("Cancel").await.sees_text("was cancelled", SOON).await;
    house.closed("took back the sign-in").await;
    assert_eq!(house.account(), email(&Person::ada()));
    let again = house.signs_in(&house.ann, &Person::ben()).await;
    again.sees_text("waits for an admin", SOON).await;
    house.question().await;
    let logout = house.admin.slash("/auth logout").in_thread(&house.thread).send().await;
    logout.sees_text("Log out of Acme", SOON).await;
    logout.click("Log out").await.sees_text("Logged out of Acme", SOON).await;
    house.closed("was logged out meanwhile").await;
    again.sees_text("logged out meanwhile", SOON).await;
    assert_eq!(house.account(), "");
    house.nothing_leaked();
}

/// I5, S11, U5: nobody decides for a day; the card cannot be changed any more by then, and the end is told in the thread.
#[tokio::test]
async fn nobody_decides_for_a_day() {
    let (house, _) = House::ann_asks().await;
    house.question().await;
    house.setup.discord.advance(Duration::from_mins(16));
    house.later(DAY - 300);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = house.admin.slash("/auth status").in_thread(&house.thread).send().await;
    status.sees_text("an admin of this server must agree", SOON).await;
    let cli = house.setup.cli(&["status"]).await;
    assert!(cli.stdout.contains("waiting for an admin to agree"), "{}", cli.stdout);
    house.later(DAY + 60);
    let discord = &house.setup.discord;
    discord.wait_channel_message(&house.thread, "nobody decided in time", NEXT_SWEEP).await;
    let told =
        discord.wait_channel_message(&house.thread, "no admin decided about your sign-in", NEXT_SWEEP).await;
    assert_eq!(told.pings(), [format!("<@{}>", house.ann.id())]);
    assert_eq!(house.account(), email(&Person::ada()));
    house.nothing_leaked();
}

/// I5, W4: an archived thread is not opened to ask; an admin finds the question in another thread's status.
#[tokio::test]
async fn an_archived_thread_is_left_alone_and_status_leads_to_the_question() {
    let house = House::new().await;
    house.signs_in(&house.admin, &Person::ada()).await.sees_text("Signed in to Acme", SOON).await;
    let (form, answer) = house.opens_form(&house.ann, &Person::ben()).await;
    house.setup.discord.archive(&house.thread);
    let card = form.submit_modal([(ADDRESS, answer.as_str())]).await;
    card.sees_text("waits for an admin", SOON).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(house.setup.discord.channel_messages(&house.thread).is_empty(), "nothing is forced");
    let elsewhere = house.setup.thread("write-docs");
    let member = house.ann.slash("/auth status").in_thread(&elsewhere).send().await;
    let line = member.sees_text("must agree", SOON).await;
    assert!(line.button("Decide about Acme").is_none(), "{}", line.render());
    let status = house.admin.slash("/auth status").in_thread(&elsewhere).send().await;
    status.sees_text("must agree", SOON).await;
    let step = status.click("Decide about Acme").await;
    step.sees_text("Which account", SOON).await;
    step.click(USE).await.sees_text("now uses the account of", SOON).await;
    card.sees_text("now uses your account", SOON).await;
    assert_eq!(house.account(), email(&Person::ben()));
    house.nothing_leaked();
}

/// I5: an admin who signed in with another account is asked on their own card, and nobody else is.
#[tokio::test]
async fn an_admin_is_asked_on_their_own_card() {
    let house = House::new().await;
    house.signs_in(&house.admin, &Person::ada()).await.sees_text("Signed in to Acme", SOON).await;
    for (press, says, account) in
        [(KEEP, "keeps its present account", Person::ada()), (USE, "now uses your account", Person::ben())]
    {
        let card = house.signs_in(&house.admin, &Person::ben()).await;
        let asked = card.sees_text("with another account", SOON).await;
        for person in [Person::ada(), Person::ben()] {
            assert!(asked.contains(&shown(&person)), "{}", asked.render());
        }
        card.click(press).await.sees_text(says, SOON).await;
        assert_eq!(house.account(), email(&account));
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(house.setup.discord.channel_messages(&house.thread).is_empty());
    house.nothing_leaked();
}
