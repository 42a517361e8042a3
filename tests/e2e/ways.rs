//! Every way in, with the bot killed between every two steps of it, and answers that are somebody else's.
//!
//! A way is played once for each place where it can be cut; whatever the place, the member ends signed in, told once,
//! by one start and one exchange. The hosted callback has its own such tests, beside its pages.

use std::time::Instant;

use latchkey_test_authority::{Answer, Authority, Person, Settings};
use latchkey_test_discord::{Channel, Interaction, Member};

use crate::harness::{Bot, NEXT_POLL, Plan, SOON, Setup};

const OPEN: &str = "Open sign-in page";
const PASTE: &str = "Paste the answer";
const PLACES_TO_CUT: usize = 3;

/// One playing of a way, in which the bot is killed and started anew at one place.
struct Story {
    setup: Setup,
    bot: Option<Bot>,
    ann: Member,
    thread: Channel,
    /// How many places are left before the cut.
    before_cut: usize,
}

impl Story {
    async fn begin(plan: Plan, cut: usize) -> Self {
        let setup = plan.start().await;
        let bot = Some(Bot::start(&setup).await);
        let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
        Self { setup, bot, ann, thread, before_cut: cut }
    }

    /// A place between two steps.
    async fn place(&mut self) {
        if self.before_cut == 0
            && let Some(bot) = self.bot.take()
        {
            self.bot = Some(bot.restart(&self.setup).await);
        }
        self.before_cut = self.before_cut.wrapping_sub(1);
    }

    async fn login(&self, provider: &str) -> Interaction {
        let login = self.ann.slash(&format!("/auth login {provider}")).in_thread(&self.thread).send().await;
        login.sees_text(OPEN, SOON).await;
        login
    }

    /// The member is told on their card; or in the thread, where the bot died between the store and the card.
    async fn is_told(&self, login: &Interaction) {
        let late = Instant::now() + NEXT_POLL * 2;
        let on_card = || login.messages().iter().any(|message| message.contains("Signed in to"));
        let discord = &self.setup.discord;
        let in_thread = || discord.channel_messages(&self.thread).iter().any(|m| m.contains("is complete"));
        while !on_card() && !in_thread() {
            assert!(Instant::now() < late, "nobody was told:\n{}", login.story());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// What holds at the end of every way.
    async fn ends(&self, login: &Interaction, provider: &str, authority: &Authority) {
        self.is_told(login).await;
        let token = self.setup.token(&[provider, "--thread", &self.thread.id().to_string()]).await;
        assert!(authority.accepts(&token));
        let stored: serde_json::Value = serde_json::from_str(&self.setup.stored()).expect("JSON");
        let entry = &stored["pending"][format!("{0}/{provider}@{0}", self.ann.id())];
        assert_eq!(entry["status"], "succeeded", "{stored:#}");
        for secret in ["verifier", "state", "device_code", "user_code", "authorize_url"] {
            assert!(entry[secret].is_null(), "{secret} is still there: {entry:#}");
        }
        self.setup.discord.assert_clean();
    }
}

/// S12, S13, T11, U9
#[tokio::test(flavor = "multi_thread")]
async fn a_device_login_survives_a_kill_between_any_two_steps() {
    for cut in 0..PLACES_TO_CUT {
        let mut story = Story::begin(Setup::plan(), cut).await;
        let authority = story.setup.authority.clone();
        let login = story.login("acme").await;
        let link = login.link(OPEN);
        story.place().await;
        authority.eventually(NEXT_POLL, |authority| authority.device_polls() >= 1).await;
        story.place().await;
        authority.approve_device(&link, &Person::ada()).await;
        story.place().await;
        story.ends(&login, "acme", &authority).await;
        assert_eq!(authority.device_starts(), 1, "cut at {cut}");
    }
}

/// The paste way of `provider`: the page, the form, the answer, each before the next.
async fn paste_survives(plan: impl Fn() -> Plan, answer: Option<Answer>, label: &str) {
    for cut in 0..PLACES_TO_CUT {
        let mut story = Story::begin(plan(), cut).await;
        let authority = story.setup.authority.clone();
        if let Some(answer) = answer {
            authority.set(|settings| settings.answer = answer);
        }
        let login = story.login("acme").await;
        story.place().await;
        let answer = authority.sign_in(&login.link(OPEN), &Person::ada()).await;
        story.place().await;
        let form = login.click(PASTE).await;
        story.place().await;
        let pasted = form.submit_modal([(label, answer.as_str())]).await;
        pasted.sees_text("Signed in to Acme", SOON).await;
        story.ends(&login, "acme", &authority).await;
        assert_eq!(authority.exchanges(), 1, "cut at {cut}");
    }
}

/// S12, T3, C12, U9
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_address_survives_a_kill_between_any_two_steps() {
    let plan = || Setup::plan().acme("flows = [\"paste\"]");
    paste_survives(plan, None, "Address of the last page").await;
}

/// S12, T3, C12, U9
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_code_survives_a_kill_between_any_two_steps() {
    let plan = || Setup::plan().acme("flows = [\"paste\"]\npaste = \"code#state\"");
    paste_survives(plan, Some(Answer::CodeHashState), "Code from the last page").await;
}

/// S12, S13, T8, U9: the built-in whose device login is a protocol of its own.
#[tokio::test(flavor = "multi_thread")]
async fn codex_survives_a_kill_between_any_two_steps() {
    for cut in 0..PLACES_TO_CUT {
        let codex = Authority::start_with(Settings::codex());
        let mut story = Story::begin(Setup::plan().more(&super::codex::table(&codex)), cut).await;
        let login = story.login("codex").await;
        story.place().await;
        codex.eventually(NEXT_POLL, |codex| codex.device_polls() >= 1).await;
        story.place().await;
        codex.approve_device(&codex.user_codes().pop().expect("a login"), &Person::ada()).await;
        story.place().await;
        story.ends(&login, "codex", &codex).await;
        assert_eq!((codex.device_starts(), codex.exchanges()), (1, 1), "cut at {cut}");
    }
}

/// T2, T3, T4, C11, C12: whatever is pasted that is not this login's own answer, it is refused, costs nothing, and the
/// right answer still signs in; that one a second time spends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_ones_own_is_refused_and_costs_nothing() {
    let setup = Setup::plan().acme("flows = [\"paste\"]").start().await;
    let _bot = Bot::start(&setup).await;
    let (ann, bob) = (setup.discord.member("ann"), setup.discord.member("bob"));
    let thread = setup.thread("fix-ci");
    let open = async |member: &Member, profile: &str| {
        let login = member.slash(&format!("/auth login acme {profile}")).in_thread(&thread).send().await;
        login.sees_text(OPEN, SOON).await;
        login
    };
    let (login, other, bobs) = (open(&ann, "").await, open(&ann, "work").await, open(&bob, "").await);
    let answer = setup.authority.sign_in(&login.link(OPEN), &Person::ada()).await;
    let others = setup.authority.sign_in(&other.link(OPEN), &Person::ada()).await;
    let of_bob = setup.authority.sign_in(&bobs.link(OPEN), &Person::ada()).await;
    let swapped = |from: &str, to: &str| {
        assert!(answer.contains(from), "{answer}");
        answer.replace(from, to)
    };
    let issuer: String = url::form_urlencoded::byte_serialize(b"https://evil.example").collect();
    for wrong in [
        others.clone(),
        of_bob.clone(),
        format!("{}&iss={issuer}", answer.split("&iss=").next().unwrap_or(&answer)),
        swapped("127.0.0.1:8765", "127.0.0.1:8766"),
        swapped("http://127.0.0.1", "https://127.0.0.1"),
        swapped("/cb?", "/other?"),
        format!("{answer}&code=second"),
        format!("{answer}&error=access_denied"),
    ] {
        let pasted = login.click(PASTE).await.submit_modal([("Address of the last page", &*wrong)]).await;
        pasted.sees_text("That did not work", SOON).await;
    }
    assert_eq!(setup.authority.exchanges(), 0, "nothing was spent");
    for (login, answer) in [(&login, &answer), (&other, &others), (&bobs, &of_bob)] {
        let pasted = login.click(PASTE).await.submit_modal([("Address of the last page", &**answer)]).await;
        pasted.sees_text("Signed in to Acme", SOON).await;
    }
    assert_eq!(setup.authority.exchanges(), 3);
    // The same answer again, through the form of a message that is still on somebody's screen.
    let id = format!("lk1:paste:{}", login_of(&setup, &ann));
    let again = ann.forge_modal(&thread, &id, [("answer", &*answer)]).await;
    again.sees_text("That sign-in is over", SOON).await;
    assert_eq!(setup.authority.exchanges(), 3, "a code is spent once");
    setup.discord.assert_clean();
}

/// The id of the login of `member` at its own `acme`.
fn login_of(setup: &Setup, member: &Member) -> String {
    let stored: serde_json::Value = serde_json::from_str(&setup.stored()).expect("JSON");
    let entry = &stored["pending"][format!("{0}/acme@{0}", member.id())];
    entry["id"].as_str().expect("a login").to_owned()
}
