//! The stories that the pictures tell: each way in, and all that a member may meet.
//!
//! A story acts as members do and takes a picture of what they see. Words are looked for only where the story needs to know
//! that it has come so far.

use std::time::Duration;

use latchkey_test_authority::{Interval, Person};
use latchkey_test_discord::{Channel, Interaction, Member, View, page};

use crate::stage::Stage;

/// How long anything may take, on a machine that is busy.
const SOON: Duration = Duration::from_mins(2);

/// What each user code, different at every run, is drawn as: the one of RFC 8628.
const CODE: &str = "WDJB-MJHT";
/// What is pasted, as drawn.
const ANSWER: &str = "http://127.0.0.1:8765/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj";

/// A picture to be drawn.
pub struct Picture {
    /// Its file's name, without `.png`.
    pub name: &'static str,
    /// A whole page.
    pub page: String,
}

/// Plays all stories.
pub async fn tell() -> Vec<Picture> {
    let stage = Stage::set().await;
    // The floor of the protocol: what a real provider's five seconds are, only sooner.
    stage.acme.set(|settings| {
        settings.interval = Interval::Number(3);
        settings.enforced_interval = Duration::from_millis(2_500);
    });
    let general = stage.discord.channel("general");
    let place = |name: &str| stage.discord.thread(&general, name);
    let mut album = Album { stage: &stage, pictures: Vec::new() };
    let (fix_ci, docs) = (place("fix-ci"), place("docs"));
    let ann = stage.discord.member("ann");
    album.by_code(&ann, &fix_ci).await;
    album.by_paste(&stage.discord.member("bob"), &docs).await;
    album.standing(&ann, &fix_ci).await;
    album.changed_mind(&ann, &docs).await;
    album.dead(&ann, &fix_ci).await;
    album.logout(&ann, &fix_ci).await;
    album.in_the_thread(&stage.discord.member("cleo"), &place("release")).await;
    stage.discord.assert_clean();
    album.pictures
}

struct Album<'a> {
    stage: &'a Stage,
    pictures: Vec<Picture>,
}

impl Album<'_> {
    fn take(&mut self, name: &'static str, cards: &[String]) {
        println!("» {name}");
        self.pictures.push(Picture { name, page: page(cards) });
    }

    /// The message, as its reader sees it.
    fn card(&self, view: &View, used: &str) -> String {
        let card = self.stage.discord.picture(view, Some(used).filter(|used| !used.is_empty()));
        self.stage.acme.user_codes().iter().fold(card, |card, code| card.replace(code, CODE))
    }

    fn title(&self, thread: &Channel) -> String {
        self.stage.discord.picture_of_place(thread)
    }

    async fn by_code(&mut self, ann: &Member, thread: &Channel) {
        let asked = ann.slash("/auth login").in_thread(thread).send().await;
        let menu = asked.sees(|view| !view.is_deferred(), SOON).await;
        self.take("choose", &[self.title(thread), self.card(&menu, "/auth login")]);
        let login = asked.select("Acme").await;
        let card = login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let (link, code) = code_of(&login);
        let alone = login.sees(|view| view.content() == code, SOON).await;
        let cards = [self.title(thread), self.card(&card, "/auth login"), self.card(&alone, "")];
        self.take("code", &cards);
        self.stage.acme.approve_device(&link, &Person::ada()).await;
        let done = login.sees(|view| view.contains("ada\\@"), SOON).await;
        self.take("signed-in", &[self.title(thread), self.card(&done, "/auth login")]);
    }

    async fn by_paste(&mut self, bob: &Member, thread: &Channel) {
        let login = bob.slash("/auth login orbit").in_thread(thread).send().await;
        let card = login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        self.take("paste", &[self.title(thread), self.card(&card, "/auth login")]);
        self.take("odd-page", &[odd_page()]);
        let link = link_of(&login);
        let paste = paste_button(&login);
        let form = login.click(&paste).await.modal();
        self.take("form", &[form.picture("Latchkey", ANSWER)]);
        let bad = self.paste(&login, "I am done, what now?").await;
        let told = bad.sees(|view| view.raw() != card.raw() && view.button("Cancel").is_some(), SOON).await;
        self.take("bad-paste", &[self.title(thread), self.card(&told, "/auth login")]);
        let answer = self.stage.orbit.sign_in(&link, &Person::ben()).await;
        let pasted = self.paste(&bad, &answer).await;
        let done = pasted.sees(|view| view.contains("ben\\@"), SOON).await;
        self.take("shared", &[self.title(thread), self.card(&done, "/auth login")]);
    }

    async fn standing(&mut self, ann: &Member, thread: &Channel) {
        let status = self.settled(ann, "/auth status", thread).await;
        let again = self.settled(ann, "/auth login acme", thread).await;
        self.take("status", &[self.title(thread), self.card(&status, "/auth status")]);
        self.take("already", &[self.title(thread), self.card(&again, "/auth login")]);
        let bob = self.stage.discord.member("bob");
        let seen = self.settled(&bob, "/auth status", thread).await;
        self.take("others-see", &[self.title(thread), self.card(&seen, "/auth status")]);
    }

    async fn changed_mind(&mut self, ann: &Member, thread: &Channel) {
        let login = ann.slash("/auth login acme").option("profile", "work").in_thread(thread).send().await;
        login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let cancelled = login.click("Cancel").await;
        let view = cancelled.sees(|view| view.button("Cancel").is_none(), SOON).await;
        self.take("cancelled", &[self.title(thread), self.card(&view, "/auth login")]);
        let over = ann.forge_click(&view, "lk1:none:").await;
        let view = over.sees(|view| !view.is_deferred(), SOON).await;
        self.take("over", &[self.title(thread), self.card(&view, "")]);
    }

    /// The sign-in is ended at the provider, and an agent finds out.
    async fn dead(&mut self, ann: &Member, thread: &Channel) {
        let id = thread.id().to_string();
        let token = self.stage.run(&["token", "acme", "--thread", &id]);
        let token = String::from_utf8(token.stdout).unwrap().trim_end().to_owned();
        self.stage.acme.revoke_grant(&token);
        let hash = latchkey::secret::TokenHash::of(&token).to_string();
        let refused = self.stage.run(&["token", "acme", "--thread", &id, "--rejected-sha256", &hash]);
        assert_eq!(refused.status.code(), Some(3), "{}", String::from_utf8_lossy(&refused.stderr));
        let status = self.settled(ann, "/auth status", thread).await;
        self.take("needs-sign-in", &[self.title(thread), self.card(&status, "/auth status")]);
        let login = ann.slash("/auth login acme").in_thread(thread).send().await;
        login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let link = link_of(&login);
        self.stage.acme.approve_device(&link, &Person::ada()).await;
        login.sees(|view| view.contains("ada\\@"), SOON).await;
    }

    async fn logout(&mut self, ann: &Member, thread: &Channel) {
        let asked = ann.slash("/auth logout").in_thread(thread).send().await;
        let question = asked.sees(|view| !view.is_deferred(), SOON).await;
        self.take("logout", &[self.title(thread), self.card(&question, "/auth logout")]);
        let first = question.buttons().first().expect("a question with its buttons").label.clone();
        let done = asked.click(&first).await;
        let done = done.sees(|view| view.buttons() != question.buttons(), SOON).await;
        self.take("logged-out", &[self.title(thread), self.card(&done, "/auth logout")]);
    }

    /// The one line that everybody reads: when the private message can no longer be changed.
    async fn in_the_thread(&mut self, cleo: &Member, thread: &Channel) {
        let login = cleo.slash("/auth login acme").in_thread(thread).send().await;
        login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let (link, code) = code_of(&login);
        login.sees(|view| view.content() == code, SOON).await;
        self.stage.discord.advance(Duration::from_mins(16));
        self.stage.acme.approve_device(&link, &Person::ada()).await;
        let mention = format!("<@{}>", cleo.id());
        let line = self.stage.discord.wait_channel_message(thread, &mention, SOON).await;
        self.take("in-the-thread", &[self.title(thread), self.card(&line, "")]);
    }

    /// What a command is answered with.
    async fn settled(&self, member: &Member, command: &str, thread: &Channel) -> View {
        let asked = member.slash(command).in_thread(thread).send().await;
        asked.sees(|view| !view.is_deferred(), SOON).await
    }

    async fn paste(&self, login: &Interaction, answer: &str) -> Interaction {
        let form = login.click(&paste_button(login)).await;
        let field = form.modal().inputs.first().expect("the form has a field").custom_id.clone();
        form.submit_modal([(field.as_str(), answer)]).await
    }
}

/// The first link of a card: to the provider's page.
fn link_of(login: &Interaction) -> String {
    login.links().first().expect("a card with its link").1.clone()
}

/// The same for a device login, and its user code.
fn code_of(login: &Interaction) -> (String, String) {
    let link = link_of(login);
    let code = link.split_once("user_code=").expect("a link with its code").1.to_owned();
    (link, code)
}

/// The label of the button that opens the form: the main one.
fn paste_button(login: &Interaction) -> String {
    let buttons = login.message().buttons();
    buttons.iter().find(|button| button.style == 1).expect("a card with its main button").label.clone()
}

/// What a browser shows where nothing answers.
fn odd_page() -> String {
    format!(
        "<section class=browser><div><span>{}</span></div><h1>This site can’t be reached</h1><p><b>127.0.0.1</b> refused to \
         connect.</p><p>ERR_CONNECTION_REFUSED</p></section>",
        ANSWER.trim_start_matches("http://").replace('&', "&amp;")
    )
}
