//! One vendor, played from the slash command to the logout, by each way in that it offers.

use std::process::Output;

use latchkey::secret::TokenHash;
use latchkey_test_authority::{Authority, Client, Person, Settings};
use latchkey_test_discord::{Channel, Interaction, Member};

use super::wire;
use crate::harness::{Bot, NEXT_POLL, SOON, Setup};
use crate::members::{OPEN, PASTE};

/// What is known of one vendor, and what follows from it.
#[derive(Clone, Copy)]
pub struct Vendor {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What members may type.
    pub typed: &'static [&'static str],
    /// What members read.
    pub title: &'static str,
    /// The client that its server knows.
    pub client: Client3,
    /// How its server differs from the standard.
    pub server: fn() -> Settings,
    /// Lines that the operator writes under its table.
    pub operator: &'static str,
    /// What the operator puts into the environment.
    pub environment: &'static [(&'static str, &'static str)],
    /// The ways in, in the order in which members meet them.
    pub ways: &'static [Way],
    /// What the card of the first way says beyond the steps.
    pub notice: Option<&'static str>,
    /// The account that status names.
    pub account: Option<&'static str>,
    /// Whether it gives refresh tokens, or something in their place.
    pub refreshes: bool,
    /// What a member reads after a logout.
    pub goodbye: &'static str,
    /// Every request, in words: see the folder `wire`.
    pub script: &'static str,
}

/// A client: its identifier, its secret, its redirect URI.
pub type Client3 = (&'static str, Option<&'static str>, Option<&'static str>);

/// A way in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A code typed on another device.
    Device,
    /// The address of the last page, pasted.
    Address,
    /// `code#state` of the last page, pasted.
    CodeHashState,
    /// The code of the last page, pasted.
    Code,
}

/// A vendor's server, and a bot that offers it.
pub struct Story {
    pub vendor: Vendor,
    pub server: Authority,
    pub setup: Setup,
    pub ann: Member,
    pub thread: Channel,
    pub bot: Bot,
}

impl Story {
    /// Everything up to the slash command. `table` makes the vendor's table, once its server is there.
    pub async fn begin(vendor: Vendor, table: impl FnOnce(&Authority) -> String) -> Self {
        let server = Authority::start_with((vendor.server)());
        let (id, secret, redirect) = vendor.client;
        let redirects: Vec<&str> = redirect.into_iter().collect();
        server.register(match secret {
            Some(secret) => Client::confidential(id, secret, &redirects),
            None => Client::public(id, &redirects),
        });
        let setup = Setup::plan().more(&table(&server)).start().await;
        let environment = vendor.environment;
        let bot = Bot::start_with(&setup, |program| {
            program.envs(environment.iter().copied());
        })
        .await;
        let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
        Self { vendor, server, setup, ann, thread, bot }
    }

    /// `/auth login`, as far as the card of this way.
    pub async fn card(&self, place: usize) -> Interaction {
        let typed = self.vendor.typed[place % self.vendor.typed.len()];
        let mut card = self.ann.slash(&format!("/auth login {typed}")).in_thread(&self.thread).send().await;
        let first = card.sees_text(OPEN, SOON).await;
        assert!(first.contains(&format!("Sign in to {}", self.vendor.title)), "{}", first.render());
        if let Some(notice) = self.vendor.notice.filter(|_| place == 0) {
            assert!(first.contains(notice), "{}", first.render());
        }
        for way in &self.vendor.ways[1..=place] {
            card = card.click("Try another way").await;
            let words = if *way == Way::Device { "Enter this code" } else { PASTE };
            card.sees_text(words, SOON).await;
        }
        card
    }

    /// What the person does at the vendor's page and back in Discord; the message that will change.
    pub async fn sign_in(&self, card: Interaction, way: Way) -> Interaction {
        if way == Way::Device {
            // A login of before is not waiting any more, so the last code is among them.
            let shown = card.message().text();
            let code = self.server.user_codes().into_iter().find(|code| shown.contains(code.as_str()));
            self.server.approve_device(&code.expect("the card shows the user code"), &Person::ada()).await;
            return card;
        }
        let address = self.server.sign_in(&card.link(OPEN), &Person::ada()).await;
        let url: url::Url = address.parse().expect("an address");
        let of = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let (label, answer) = match way {
            Way::CodeHashState => ("Code from the last page", format!("{}#{}", of("code"), of("state"))),
            Way::Code => ("Code from the last page", of("code")),
            Way::Address | Way::Device => ("Address of the last page", address),
        };
        card.click(PASTE).await.submit_modal([(label, answer.as_str())]).await
    }

    /// What the server saw since this was last asked.
    fn saw(&self) -> String {
        let saw = wire::conversation(&self.server.requests());
        self.server.forget_requests();
        saw
    }

    /// What the server saw since this was last asked is what is known of the vendors.
    fn saw_as_written(&self, heading: &str) {
        let (saw, written) = (self.saw(), wire::part(self.vendor.script, heading));
        assert!(
            saw == written,
            "{}, {heading}: the server saw\n{saw}\nand what is known of the vendors says\n{written}",
            self.vendor.name
        );
    }

    /// `latchkey token` for the thread.
    pub async fn token(&self, rejected: Option<&str>) -> Output {
        let mut program = tokio::process::Command::from(self.setup.program());
        program.envs(self.vendor.environment.iter().copied()).kill_on_drop(true);
        program.args(["token", self.vendor.name, "--thread", &self.thread.id().to_string()]);
        if let Some(token) = rejected {
            program.args(["--rejected-sha256", &TokenHash::of(token).to_string()]);
        }
        tokio::time::timeout(SOON * 3, program.output()).await.expect("it ends").expect("latchkey runs")
    }

    /// A token that `latchkey token` gave, and that serves.
    pub async fn serving(&self, rejected: Option<&str>) -> String {
        let output = self.token(rejected).await;
        assert!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned();
        assert!(self.server.accepts(&token), "the vendor takes what it issued");
        token
    }

    /// The whole of one way in.
    async fn play(&self, place: usize, way: Way) {
        let heading = if way == Way::Device { "device" } else { "paste" };
        let card = self.card(place).await;
        // Ways before this one have opened sign-ins of their own.
        if place > 0 {
            self.server.forget_requests();
        }
        let login = self.sign_in(card, way).await;
        login.sees_text(&format!("Signed in to {}", self.vendor.title), NEXT_POLL).await;
        let token = self.serving(None).await;
        self.saw_as_written(heading);

        self.server.reject_access_token(&token);
        if self.vendor.refreshes {
            let next = self.serving(Some(&token)).await;
            assert_ne!(next, token);
        } else {
            let refused = self.token(Some(&token)).await;
            assert_eq!(
                (refused.status.code(), refused.stdout.as_slice()),
                (Some(3), &b""[..]),
                "{refused:?}"
            );
        }
        self.saw_as_written("refresh");

        let status = self.ann.slash("/auth status").in_thread(&self.thread).send().await;
        let shown = status.sees_text(self.vendor.title, SOON).await;
        // Marks of the text are escaped.
        let facts = shown.text().replace('\\', "");
        let account = self.vendor.account.map(|account| format!("account {account}"));
        match account {
            Some(account) => assert!(facts.contains(&account), "{facts}"),
            None => assert!(!facts.contains("account "), "{facts}"),
        }
        let logout = self.ann.slash("/auth logout").in_thread(&self.thread).send().await;
        logout.sees_text(&format!("Log out of {}", self.vendor.title), SOON).await;
        let done = logout.click("Log out").await;
        let said = done.sees_text(&format!("Logged out of {}", self.vendor.title), SOON).await;
        assert!(said.contains(self.vendor.goodbye), "{}", said.render());
        self.saw_as_written("logout");
        assert_eq!(self.token(None).await.status.code(), Some(3));
    }

    /// Every way in, one after another.
    pub async fn play_all(&self) {
        for (place, way) in self.vendor.ways.iter().enumerate() {
            self.play(place, *way).await;
        }
        self.server.assert_no_secret_in(&self.bot.said());
        self.setup.discord.assert_clean();
    }
}
