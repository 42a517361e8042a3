//! What a member may meet after a sign-in: how it stands, choosing another, its end and its recovery, being told of it.

use std::time::Duration;

use latchkey_test_authority::{Canned, Endpoint, Person};
use latchkey_test_discord::{Channel, Member};

use super::{Album, SOON, code_of, link_of};

impl Album<'_> {
    pub(super) async fn standing(&mut self, ann: &Member, thread: &Channel) {
        let again = self.settled(ann, "/auth login acme", thread).await;
        self.take("already", &[self.title(thread), self.card(&again, "/auth login")]);
        // Another account of hers, which this thread does not use: something to choose from.
        let work = ann.slash("/auth login acme").option("profile", "work").option("bind", "false");
        let work = work.in_thread(thread).send().await;
        work.sees(|view| view.button("Cancel").is_some(), SOON).await;
        self.stage.acme.approve_device(&link_of(&work), &Person::ben()).await;
        work.sees(|view| view.contains("ben\\@"), SOON).await;
        let status = self.settled(ann, "/auth status", thread).await;
        self.take("status", &[self.title(thread), self.card(&status, "/auth status")]);
        let bob = self.stage.discord.member("bob");
        let seen = self.settled(&bob, "/auth status", thread).await;
        self.take("others-see", &[self.title(thread), self.card(&seen, "/auth status")]);
    }

    pub(super) async fn choosing(&mut self, ann: &Member, thread: &Channel) {
        let list = self.settled(ann, "/auth list", thread).await;
        self.take("list", &[self.title(thread), self.card(&list, "/auth list")]);
        for (tenant, name) in [("acme/work", Some("use")), ("acme", None)] {
            let used = ann.slash("/auth use").option("tenant", tenant).in_thread(thread).send().await;
            let used = used.sees(|view| !view.is_deferred(), SOON).await;
            if let Some(name) = name {
                self.take(name, &[self.title(thread), self.card(&used, "/auth use")]);
            }
        }
    }

    pub(super) async fn changed_mind(&mut self, ann: &Member, thread: &Channel) {
        let login = ann.slash("/auth login acme").option("profile", "test").in_thread(thread).send().await;
        login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let cancelled = login.click("Cancel").await;
        let view = cancelled.sees(|view| view.button("Cancel").is_none(), SOON).await;
        self.take("cancelled", &[self.title(thread), self.card(&view, "/auth login")]);
        let over = ann.forge_click(&view, "lk1:none:").await;
        let view = over.sees(|view| !view.is_deferred(), SOON).await;
        self.take("over", &[self.title(thread), self.card(&view, "")]);
    }

    /// Signs in to what the server shares with another account than the one in use, and an admin agrees.
    pub(super) async fn another_account(&mut self, dana: &Member, thread: &Channel) {
        let shown = dana.slash("/auth login orbit").in_thread(thread).send().await;
        shown.sees(|view| view.button("Sign in again").is_some(), SOON).await;
        let login = shown.click("Sign in again").await;
        login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let answer = self.stage.orbit.sign_in(&link_of(&login), &Person::ada()).await;
        let pasted = self.paste(&login, &answer).await;
        let waits = pasted.sees(|view| view.contains("ada\\@"), SOON).await;
        self.take("waits", &[self.title(thread), self.card(&waits, "/auth login")]);
        let question = self.stage.discord.wait_channel_message(thread, "Should", SOON).await;
        let admin = self.stage.discord.member("gwen").manage_guild();
        let step = admin.click(&question, "Use the new account").await;
        let step_view = step.sees(|view| view.contains("ada\\@"), SOON).await;
        let cards = [self.title(thread), self.card(&question, ""), self.card(&step_view, "")];
        self.take("question", &cards);
        step.click("Use the new account").await;
        let decided = self.stage.discord.wait_channel_message(thread, "now uses", SOON).await;
        self.take("decided", &[self.title(thread), self.card(&decided, "")]);
    }

    /// The sign-in is ended at the provider, an agent finds out, the thread is told; and that it works again.
    pub(super) async fn dead(&mut self, ann: &Member, thread: &Channel) {
        // In a thread where nobody wrote lately nothing is said.
        ann.says(thread, "Good morning!");
        let id = thread.id().to_string();
        let token = self.stage.run(&["token", "acme", "--thread", &id]);
        let token = String::from_utf8(token.stdout).unwrap().trim_end().to_owned();
        self.stage.acme.revoke_grant(&token);
        // Nothing less plain is told at once: it might be the provider's fault.
        let plain = Canned::error(400, "invalid_grant", "The refresh token has been revoked.");
        self.stage.acme.answer_next(Endpoint::Token, 1, plain);
        let hash = latchkey::secret::TokenHash::of(&token).to_string();
        let refused = self.stage.run(&["token", "acme", "--thread", &id, "--rejected-sha256", &hash]);
        assert_eq!(refused.status.code(), Some(3), "{}", String::from_utf8_lossy(&refused.stderr));
        let ended = self.stage.discord.wait_channel_message(thread, "New sign-in needed", SOON).await;
        let status = self.settled(ann, "/auth status", thread).await;
        self.take("needs-sign-in", &[self.title(thread), self.card(&status, "/auth status")]);
        let login = ann.click(&ended, "Sign in").await;
        login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let link = link_of(&login);
        self.stage.acme.approve_device(&link, &Person::ada()).await;
        login.sees(|view| view.contains("ada\\@"), SOON).await;
        let again = self.stage.discord.wait_channel_message(thread, "works again", SOON).await;
        self.take("ended-and-back", &[self.title(thread), self.card(&ended, ""), self.card(&again, "")]);
    }

    pub(super) async fn logout(&mut self, ann: &Member, thread: &Channel) {
        let asked = ann.slash("/auth logout").option("tenant", "acme").in_thread(thread).send().await;
        let question = asked.sees(|view| !view.is_deferred(), SOON).await;
        self.take("logout", &[self.title(thread), self.card(&question, "/auth logout")]);
        let first = question.buttons().first().expect("a question with its buttons").label.clone();
        let done = asked.click(&first).await;
        let done = done.sees(|view| view.buttons() != question.buttons(), SOON).await;
        self.take("logged-out", &[self.title(thread), self.card(&done, "/auth logout")]);
    }

    /// The one line that everybody reads: when the private message can no longer be changed.
    pub(super) async fn in_the_thread(&mut self, cleo: &Member, thread: &Channel) {
        self.too_late(cleo, thread, |_| ()).await;
        let mention = format!("<@{}>", cleo.id());
        let line = self.stage.discord.wait_channel_message(thread, &mention, SOON).await;
        self.take("in-the-thread", &[self.title(thread), self.card(&line, "")]);
    }

    /// The last way to reach a member: where nothing can be said in the thread.
    pub(super) async fn directly(&mut self, finn: &Member, thread: &Channel) {
        finn.open_dms();
        self.too_late(finn, thread, |stage| stage.discord.mute_bot(thread, true)).await;
        let told = finn.sees_direct("complete", SOON).await;
        let title = "<header><i>@</i>Latchkey</header>".to_owned();
        self.take("direct", &[title, self.card(&told, "").replace(" on home ", " on Night Owls ")]);
    }

    /// A sign-in that is complete when its message can no longer be changed.
    async fn too_late(
        &self,
        member: &Member,
        thread: &Channel,
        meanwhile: impl FnOnce(&crate::stage::Stage),
    ) {
        let login = member.slash("/auth login acme").in_thread(thread).send().await;
        login.sees(|view| view.button("Cancel").is_some(), SOON).await;
        let (link, code) = code_of(&login);
        login.sees(|view| view.content() == code, SOON).await;
        self.stage.discord.advance(Duration::from_mins(16));
        meanwhile(self.stage);
        self.stage.acme.approve_device(&link, &Person::ada()).await;
    }
}
