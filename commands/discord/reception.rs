//! What the sign-in page wants of Discord: the name of the one who started a sign-in, and that its end is told.
//!
//! Owns that look-up, made anew for each page, and the page's words being filled in with this guild's name. Must not: make
//! up a name; who cannot be found is named by their id.

use std::pin::Pin;
use std::sync::Arc;

use latchkey::pending::PendingLogin;
use latchkey::serve::{Reception, Starter, Wanted};
use latchkey::tenant::User;
use serenity::all::UserId;

use super::{Desk, api};
use crate::pages::{self, Scene};

/// The bot, as the sign-in page sees it.
pub struct Receptionist(pub Arc<Desk>);

impl Receptionist {
    async fn look(&self, user: &User) -> Option<Starter> {
        let id = user.discord()?.as_str().parse().ok().filter(|id| *id != 0).map(UserId::new)?;
        match self.0.http.get_member(self.0.home.id, id).await {
            Ok(member) => {
                Some(Starter { display: member.display_name().to_owned(), handle: member.user.tag() })
            }
            Err(error) => {
                tracing::info!(%user, error = api::words(&error), "a sign-in page has to do without a name");
                None
            }
        }
    }

    /// What the workers would do, if they were still there.
    async fn tell(&self, before: &PendingLogin) {
        if !self.0.closing.is_cancelled() {
            return;
        }
        for watcher in &before.watchers {
            let Some(interaction) = &watcher.interaction else { continue };
            if let Err(error) = self.0.live.show(before, interaction).await {
                tracing::warn!(login = %before.id, error = api::words(&error), "a login's end could not be shown");
            } else if let Err(error) = self.0.broker.logins().mark_told(before, &watcher.thread).await {
                tracing::warn!(login = %before.id, %error, "that a login's end was told could not be noted");
            }
        }
    }
}

impl Reception for Receptionist {
    fn starter<'a>(&'a self, user: &'a User) -> Pin<Box<dyn Future<Output = Option<Starter>> + Send + 'a>> {
        Box::pin(self.look(user))
    }

    fn answered<'a>(&'a self, before: &'a PendingLogin) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(self.tell(before))
    }

    fn render(&self, asked: &Wanted<'_>) -> String {
        let (home, catalog) = (&self.0.home, &self.0.broker.catalog());
        pages::render(asked, &Scene { guild: home.id.get(), guild_name: &home.name, catalog })
    }
}
