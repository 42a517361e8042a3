//! What the sign-in page wants of Discord: the name of the one who started a sign-in.
//!
//! Owns that look-up, made anew for each page, and the page's words being filled in with this guild's name. Must not: make
//! up a name; who cannot be found is named by their id.

use std::pin::Pin;
use std::sync::Arc;

use latchkey::provider::Catalog;
use latchkey::serve::{Asked, Reception, Starter};
use latchkey::tenant::User;
use serenity::all::{Http, UserId};

use super::api::{self, Home};
use crate::pages::{self, Scene};

/// The bot, as the sign-in page sees it.
pub struct Desk {
    pub http: Arc<Http>,
    pub catalog: Catalog,
    pub home: Home,
}

impl Desk {
    async fn look(&self, user: &User) -> Option<Starter> {
        let id = user.discord()?.as_str().parse().ok().filter(|id| *id != 0).map(UserId::new)?;
        match self.http.get_member(self.home.id, id).await {
            Ok(member) => {
                Some(Starter { display: member.display_name().to_owned(), handle: member.user.tag() })
            }
            Err(error) => {
                tracing::info!(%user, error = api::words(&error), "a sign-in page has to do without a name");
                None
            }
        }
    }
}

impl Reception for Desk {
    fn starter<'a>(
        &'a self,
        user: &'a User,
    ) -> Pin<Box<dyn Future<Output = Option<Starter>> + Send + 'a>> {
        Box::pin(self.look(user))
    }

    fn render(&self, asked: &Asked<'_>) -> String {
        let scene =
            Scene { guild: self.home.id.get(), guild_name: &self.home.name, catalog: &self.catalog };
        pages::render(asked, &scene)
    }
}
