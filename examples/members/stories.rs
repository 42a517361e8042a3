//! The stories that the pictures tell: each way in; what comes after is in `afterwards`.
//!
//! A story acts as members do and takes a picture of what they see. Words are looked for only where the story needs to know
//! that it has come so far.

use std::time::Duration;

use latchkey_test_authority::{Authority, Browser, Client, Interval, Person};
use latchkey_test_discord::{Channel, Discord, Interaction, Member, View, page};

use crate::stage::Stage;

mod afterwards;

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
    let stage = Stage::set_with(hosted).await;
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
    album.by_callback(&stage.discord.member("eve"), &place("website")).await;
    album.in_german(&stage.discord.member("jan").locale("de"), &place("release")).await;
    album.standing(&ann, &fix_ci).await;
    album.choosing(&ann, &fix_ci).await;
    album.changed_mind(&ann, &docs).await;
    album.another_account(&stage.discord.member("dana"), &docs).await;
    album.dead(&ann, &fix_ci).await;
    album.logout(&ann, &fix_ci).await;
    album.in_the_thread(&stage.discord.member("cleo"), &place("release")).await;
    album.directly(&stage.discord.member("finn"), &place("quiet-room")).await;
    stage.discord.assert_clean();
    album.pictures
}

/// Nova: Acme's server once more, as a provider whose sign-ins end on our own page.
fn hosted(_: &Discord, acme: &Authority) -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    acme.set(|settings| settings.iss_in_answer = true);
    acme.register(Client::public("hosted", &[&format!("http://{address}/callback/nova")]));
    format!(
        "[http]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\n[providers.nova]\ntitle = \"Nova\"\n\
         flows = [\"callback\", \"paste\"]\nissuer = {:?}\ntoken_endpoint = {:?}\nauthorization_endpoint = {:?}\n\
         revocation_endpoint = {:?}\nclient_id = \"hosted\"\nscopes = [\"openid\", \"offline_access\"]\n\
         authorization_response_iss_parameter_supported = true\nredirect_uri = \"http://{address}/callback/nova\"\n",
        acme.issuer(),
        acme.token_endpoint(),
        acme.authorization_endpoint(),
        acme.revocation_endpoint(),
    )
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

    async fn by_callback(&mut self, eve: &Member, thread: &Channel) {
        let login = eve.slash("/auth login nova").in_thread(thread).send().await;
        let card = login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        self.take("callback", &[self.title(thread), self.card(&card, "/auth login")]);
        let arrived = self.stage.acme.sign_in(&link_of(&login), &Person::ada()).await;
        let mut browser = Browser::new();
        let asked = browser.get(&arrived).await;
        browser.submit(&asked, &[("decision", "confirm")]).await;
        login.sees(|view| view.contains("ada\\@"), SOON).await;
    }

    /// A reader of German, whose Discord is German too.
    async fn in_german(&mut self, reader: &Member, thread: &Channel) {
        let login = reader.slash("/auth login acme").in_thread(thread).send().await;
        let card = login.sees(|view| view.button("Abbrechen").is_some(), SOON).await;
        let card = [
            (" used <span>/auth login</span>", " hat <span>/auth anmelden</span> verwendet"),
            ("Today at", "Heute um"),
            ("in 10 minutes", "in 10 Minuten"),
            ("Only you can see this", "Nur du kannst das sehen"),
            ("Dismiss message", "Nachricht verwerfen"),
        ]
        .iter()
        .fold(self.card(&card, "/auth login"), |card, (english, german)| {
            assert!(card.contains(english), "{english}: {card}");
            card.replace(english, german)
        });
        self.take("german", &[self.title(thread), card]);
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
