//! Against two more authorization servers that are nobody's stand-ins, Debian's `glewlwyd` and `django-oauth-toolkit`: from
//! `/auth login` to tokens, their rotation, and their end.
//!
//! What they have in common is here; each has a file of what is its own.

mod django;
mod glewlwyd;

use std::process::Stdio;

use latchkey::clock::Clock;
use latchkey::credential::Credential;
use latchkey::store::Store;
use latchkey::store::file::FileStore;
use latchkey::tenant::TenantKey;
use latchkey_test_authority::{CLIENT, Front, REDIRECT};
use latchkey_test_discord::Interaction;
use tokio::task::JoinSet;

use crate::due::LONG;
use crate::harness::{Bot, SOON, Setup};

/// How many agents ask at once.
const AGENTS: usize = 20;

/// The provider `real`, by its issuer alone, with these lines too.
fn table(issuer: &str, lines: &str) -> String {
    format!(
        "[providers.real]\ntitle = \"Real\"\nissuer = {issuer:?}\nredirect_uri = {REDIRECT:?}\nscopes = [\"openid\"]\n{lines}"
    )
}

/// A bot that offers `real` to everybody.
struct House {
    setup: Setup,
    bot: Bot,
}

impl House {
    async fn new(issuer: &str, lines: &str) -> Self {
        Self::with_file(issuer, lines, "unused", "").await
    }

    /// With a file of this text beside the configuration, too.
    async fn with_file(issuer: &str, lines: &str, name: &str, text: &str) -> Self {
        let setup = Setup::plan().more(&table(issuer, lines)).start().await;
        std::fs::write(setup.dir.path().join(name), text).unwrap();
        let bot = Bot::start(&setup).await;
        Self { setup, bot }
    }

    /// A sign-in that Ann starts in her thread, whatever way comes first.
    async fn login(&self) -> Interaction {
        let (ann, thread) = (self.setup.discord.member("ann"), self.setup.thread("fix-ci"));
        let login = ann.slash("/auth login real").in_thread(&thread).send().await;
        login.sees_text("Open sign-in page", SOON).await;
        login
    }

    fn tenant(&self) -> TenantKey {
        format!("real@{}", self.setup.discord.member("ann").id()).parse().unwrap()
    }

    fn store(&self) -> FileStore {
        FileStore::open(&self.setup.store(), true, Clock::system()).unwrap()
    }

    fn held(&self) -> Credential {
        (*self.store().snapshot().unwrap().tenant(&self.tenant()).unwrap().unwrap()).clone()
    }

    /// `latchkey token` for Ann.
    async fn token(&self) -> String {
        self.setup.token(&[&self.tenant().to_string()]).await
    }

    /// Spends the refresh token that is stored, as a thief would; gives what came for it.
    async fn steal(&self, token_endpoint: &str) -> String {
        let held = self.held().refresh_token.unwrap();
        let (status, next) = refresh(token_endpoint, held.expose()).await;
        assert_eq!(status, 200);
        next.unwrap()
    }

    /// Lets the clock run out on the access token, as far as Latchkey knows.
    async fn expire(&self) {
        self.setup.expire(&self.tenant().to_string()).await;
    }

    /// Twenty agents, each a process, that ask for a token at once; gives the different answers.
    async fn storm(&self) -> Vec<String> {
        let mut agents = JoinSet::new();
        for _ in 0..AGENTS {
            let mut agent = tokio::process::Command::from(self.setup.program());
            agent.args(["token", &self.tenant().to_string(), "--timeout", "50s"]).kill_on_drop(true);
            let agent = agent.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            agents.spawn(async move { agent.wait_with_output().await.unwrap() });
        }
        let outputs = tokio::time::timeout(LONG, agents.join_all()).await.unwrap();
        let mut answers: Vec<_> = outputs
            .into_iter()
            .map(|output| {
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
            })
            .collect();
        answers.sort();
        answers.dedup();
        answers
    }

    /// What holds after any sign-in: an ended token is renewed once for twenty agents, and what came is spent again.
    /// Gives the last token.
    async fn serves_and_rotates(&self, front: &Front) -> String {
        let first = self.token().await;
        assert_eq!(front.refreshes(), []);
        self.expire().await;
        let answers = self.storm().await;
        assert_eq!((answers.len(), front.refreshes()), (1, vec![Some(200)]), "{answers:?}");
        assert_ne!(answers[0], first);
        self.expire().await;
        let next = self.token().await;
        let spent = front.grants("refresh_token");
        let spent: Vec<_> = spent.iter().map(|request| request.field("refresh_token")).collect();
        assert!(spent.len() == 2 && spent[0] != spent[1], "a rotated token is spent once");
        assert_ne!(next, answers[0]);
        next
    }

    /// Logs Ann out, by command and confirmation.
    async fn log_out(&self) -> Interaction {
        let (ann, thread) = (self.setup.discord.member("ann"), self.setup.thread("fix-ci"));
        let logout = ann.slash("/auth logout").in_thread(&thread).send().await;
        logout.sees_text("Log out of Real", SOON).await;
        let done = logout.click("Log out").await;
        done.sees_text("Logged out of Real", SOON).await;
        assert_eq!(self.setup.cli(&["token", &self.tenant().to_string()]).await.code, 3);
        done
    }

    /// Pastes the answer of a sign-in page.
    async fn paste(&self, login: &Interaction, answer: &str) -> Interaction {
        let form = login.click("Paste the answer").await;
        form.submit_modal([("Address of the last page", answer)]).await
    }

    /// What `latchkey token` says once only a new sign-in helps.
    async fn needs_sign_in(&self, why: &str) {
        let asked = self.setup.cli(&["token", &self.tenant().to_string()]).await;
        assert_eq!((asked.code, asked.stdout.as_str()), (3, ""), "{asked:?}");
        assert!(asked.stderr.contains(why), "{asked:?}");
    }

    /// Nothing that went by is in the bot's log, nor in what Discord was told.
    fn leaks_nothing(&self, front: &Front) {
        let said = self.bot.said();
        for secret in front.secrets() {
            assert!(!said.contains(&secret), "the log holds a secret:\n{said}");
        }
        self.setup.discord.assert_clean();
    }
}

/// Presents a refresh token of the public client past Latchkey; gives the status, and the next refresh token.
async fn refresh(token_endpoint: &str, token: &str) -> (u16, Option<String>) {
    let form = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let kind = "application/x-www-form-urlencoded";
    let asked = reqwest::Client::new().post(token_endpoint).header("content-type", kind).body(form).send();
    let answer = asked.await.unwrap();
    let status = answer.status().as_u16();
    let said: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
    (status, said["refresh_token"].as_str().map(str::to_owned))
}
