//! What befalls the connection to Discord, and what the bot makes of it: it tells the truth of it, loses nothing that waits,
//! and ends exactly when it cannot go on.

mod breaking;
mod ending;
mod outage;
mod silence;

use std::time::{Duration, Instant};

use latchkey_test_authority::Person;
use latchkey_test_discord::{Channel, Interaction, Member};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};
use crate::members::{ADDRESS, OPEN, PASTE, login};

/// A fault, and what it is called.
type Fault = (&'static str, fn(&Setup));

/// What the log says of a connection that is there.
const CONNECTED: &str = "watch: connected to Discord";
/// Of one that is lost.
const LOST: &str = "the connection to Discord is lost";
/// Of one that is there, and on which nothing is heard.
const DEAF: &str = "nothing is heard on the connection to Discord";
/// What is wrong is told within this time: a silence, a question, no answer; and a margin for a busy machine.
const TOLD: Duration = Duration::from_secs(25);
/// A connection is there again within this time of its being possible: the longest wait for a session that does not begin, and
/// the pauses before the next.
const BACK: Duration = Duration::from_secs(75);

/// A bot, and a sign-in by each way that waits for its member.
struct Pending {
    bot: Bot,
    ann: Member,
    thread: Channel,
    device: Interaction,
    paste: Interaction,
}

impl Pending {
    async fn start(setup: &Setup) -> Self {
        let bot = Bot::start(setup).await;
        let (ann, bob, thread) =
            (setup.discord.member("ann"), setup.discord.member("bob"), setup.thread("fix-ci"));
        let device = login(&ann, &thread).await;
        let paste = login(&bob, &setup.thread("docs")).await.click("Try another way").await;
        paste.sees_text(PASTE, SOON).await;
        Self { bot, ann, thread, device, paste }
    }

    /// How often it has said `text`.
    fn said(&self, text: &str) -> usize {
        self.bot.said().matches(text).count()
    }

    /// Waits until it has said `text` so many times, and tells how long that took.
    async fn says(&self, text: &str, times: usize, bound: Duration) -> Duration {
        let began = Instant::now();
        while self.said(text) < times {
            assert!(began.elapsed() < bound, "not said {times} times: {text:?}\n{}", self.bot.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }

    /// Waits until the bot has a session and hears a command, which it answers once.
    async fn is_back(&self, setup: &Setup, bound: Duration) {
        setup.discord.wait_ready(bound).await;
        let status = self.ann.slash("/auth status").in_thread(&self.thread).send().await;
        status.sees(|view| !view.is_deferred(), SOON).await;
    }

    /// What waited is finished: nothing of it was lost.
    async fn finish(&self, setup: &Setup) {
        setup.authority.approve_device(&self.device.link(OPEN), &Person::ada()).await;
        self.device.sees_text("Signed in to Acme as ada", NEXT_POLL).await;
        self.paste(setup).await;
    }

    async fn paste(&self, setup: &Setup) {
        let answer = setup.authority.sign_in(&self.paste.link(OPEN), &Person::ben()).await;
        let pasted = self.paste.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
        pasted.sees_text("Signed in to Acme as ben", SOON).await;
    }
}
