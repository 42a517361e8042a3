//! The story: two members, two threads, two ways to sign in, a storm, a logout.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::time::Duration;

use latchkey::secret::TokenHash;
use latchkey_test_authority::Person;
use latchkey_test_discord::{Channel, Interaction, View};

use crate::stage::{SOON, Stage};

/// How long a person at the keyboard gets.
const A_WHILE: Duration = Duration::from_mins(10);
/// How many agents want a token at once.
const AGENTS: usize = 20;

fn scene(title: &str) {
    println!("\n━━ {title} ━━\n");
}

fn says(text: &str) {
    println!("» {text}\n");
}

fn show(view: &View) {
    for line in view.render().lines() {
        println!("    {line}");
    }
    println!();
}

pub async fn tell(interactive: bool) {
    let stage = Stage::set().await;
    let story = Story { stage: &stage, interactive };
    let general = stage.discord.channel("general");
    let (fix_ci, docs) = (stage.discord.thread(&general, "fix-ci"), stage.discord.thread(&general, "docs"));
    story.device_login(&fix_ci).await;
    story.pasted_login(&docs).await;
    story.cancelled_login(&docs).await;
    story.storm(&fix_ci).await;
    story.status(&fix_ci).await;
    story.logout(&fix_ci).await;
    stage.discord.assert_clean();
    let (acme, orbit) = (stage.acme.clone(), stage.orbit.clone());
    let log = stage.strike();
    assert!(!log.is_empty(), "the bot logged nothing");
    acme.assert_no_secret_in(&log);
    orbit.assert_no_secret_in(&log);
    scene("At the end");
    println!(
        "    The bot logged {} lines at TRACE; no token, code or verifier is in any of them.",
        log.lines().count()
    );
}

struct Story<'a> {
    stage: &'a Stage,
    interactive: bool,
}

impl Story<'_> {
    async fn device_login(&self, thread: &Channel) {
        scene("Ann signs in with a device code, in thread #fix-ci");
        says("ann types /auth login acme");
        let ann = self.stage.discord.member("ann");
        let login = ann.slash("/auth login acme").in_thread(thread).send().await;
        show(&login.sees_text("Open sign-in page", SOON).await);
        let link = login.link("Open sign-in page");
        if self.interactive {
            says(&format!("open this page and sign in: {link}"));
        } else {
            says("ann opens the page and signs in");
            self.stage.acme.approve_device(&link, &Person::ada()).await;
        }
        says("the message changes by itself:");
        show(&login.sees_text("Signed in to Acme", self.patience()).await);
        says("an agent of that thread asks for a token: latchkey token acme --thread …");
        println!("    {}\n", masked(&self.token("acme", thread)));
    }

    async fn pasted_login(&self, thread: &Channel) {
        scene("Bob signs in for the whole server by pasting the answer, in thread #docs");
        says("bob types /auth login orbit");
        let bob = self.stage.discord.member("bob");
        let login = bob.slash("/auth login orbit").in_thread(thread).send().await;
        show(&login.sees_text("Paste the answer", SOON).await);
        let link = login.link("Open sign-in page");
        says("bob first pastes what is no answer");
        let pasted = paste(&login, "I am done, what now?").await;
        show(&pasted.sees_text("That did not work", SOON).await);
        let answer = if self.interactive {
            says(&format!("open this page, sign in, and paste the address of the last page here: {link}"));
            read_line().await
        } else {
            says("bob opens the page, signs in, and copies the address of the last page");
            self.stage.orbit.sign_in(&link, &Person::ben()).await
        };
        let pasted = paste(&pasted, &answer).await;
        show(&pasted.sees_text("Signed in to Orbit", SOON).await);
        println!("    {}\n", masked(&self.token("orbit", thread)));
    }

    async fn cancelled_login(&self, thread: &Channel) {
        scene("Ann changes her mind");
        says("ann types /auth login acme profile:work, and presses Cancel");
        let ann = self.stage.discord.member("ann");
        let login = ann.slash("/auth login").option("provider", "acme").option("profile", "work");
        let login = login.in_thread(thread).send().await;
        login.sees_text("Cancel", SOON).await;
        let cancelled = login.click("Cancel").await;
        show(&cancelled.sees_text("was cancelled", SOON).await);
    }

    async fn storm(&self, thread: &Channel) {
        scene("Twenty agents, one expired token, one refresh");
        let old = self.token("acme", thread);
        self.stage.acme.expire_access_tokens();
        assert_eq!(self.call_api(&old).await, 401, "the token has expired");
        says("the provider answers 401 to all twenty; each asks Latchkey for another token, all at once");
        let before = self.stage.acme.refreshes();
        let hash = TokenHash::of(&old).to_string();
        let arguments = ["token", "acme", "--thread", &thread.id().to_string(), "--rejected-sha256", &hash];
        let asking: Vec<_> = (0..AGENTS)
            .map(|_| {
                let mut command = self.stage.latchkey(&arguments);
                tokio::task::spawn_blocking(move || command.output().expect("latchkey runs"))
            })
            .collect();
        let mut tokens = BTreeSet::new();
        for asked in asking {
            let output = asked.await.expect("it ends");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            tokens.insert(String::from_utf8(output.stdout).expect("text").trim_end().to_owned());
        }
        let refreshes = self.stage.acme.refreshes() - before;
        assert_eq!(
            (tokens.len(), refreshes, self.stage.acme.reuses()),
            (1, 1, 0),
            "one refresh, one token for all"
        );
        let new = tokens.pop_first().expect("there is one");
        assert_eq!(self.call_api(&new).await, 200, "the new token serves");
        println!(
            "    {AGENTS} processes asked; the provider saw {refreshes} refresh; all hold {}",
            masked(&new)
        );
    }

    async fn status(&self, thread: &Channel) {
        scene("Ann looks how things stand");
        says("ann types /auth status");
        let ann = self.stage.discord.member("ann");
        let status = ann.slash("/auth status").in_thread(thread).send().await;
        show(&status.sees_text("Acme", SOON).await);
    }

    async fn logout(&self, thread: &Channel) {
        scene("Ann logs out");
        says("ann types /auth logout");
        let ann = self.stage.discord.member("ann");
        let logout = ann.slash("/auth logout").in_thread(thread).send().await;
        show(&logout.sees_text("Log out", SOON).await);
        let confirmed = logout.click("Log out").await;
        show(&confirmed.sees_text("Logged out", SOON).await);
        let refused = self.stage.run(&["token", "acme", "--thread", &thread.id().to_string()]);
        assert_eq!(refused.status.code(), Some(3), "an agent is told that somebody must sign in");
        println!("    {}", String::from_utf8_lossy(&refused.stderr).trim_end());
        assert_eq!(self.stage.acme.live_grants(), 0, "the provider was told");
    }

    fn patience(&self) -> Duration {
        if self.interactive { A_WHILE } else { SOON }
    }

    fn token(&self, provider: &str, thread: &Channel) -> String {
        let output = self.stage.run(&["token", provider, "--thread", &thread.id().to_string()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    async fn call_api(&self, token: &str) -> u16 {
        let call = reqwest::Client::new().get(self.stage.acme.api_url()).bearer_auth(token).send();
        call.await.expect("the API answers").status().as_u16()
    }
}

async fn paste(login: &Interaction, answer: &str) -> Interaction {
    let form = login.click("Paste the answer").await;
    let field = form.modal().inputs.first().expect("the form has a field").label.clone();
    form.submit_modal([(field.as_str(), answer)]).await
}

async fn read_line() -> String {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).expect("standard input");
        line
    });
    read.await.expect("it was read")
}

/// Enough of a token to recognise it by.
fn masked(token: &str) -> String {
    format!("{}…", token.chars().take(6).collect::<String>())
}
