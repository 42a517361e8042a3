//! A direct message to a member: the last route, when nothing can be said where they asked (U5).
//!
//! Invariant: whoever takes no direct messages is not asked again. Must not: be used for what can be said elsewhere.

use serenity::all::{CreateAllowedMentions, CreateMessage, Http, Nonce, UserId};

use super::api;
use super::notifier::refused;
use crate::view::Page;

/// The longest nonce, in characters.
const NONCE_CAP: usize = 25;

/// Whether `page` has reached `user`, or never will; an error if it may later. What has the same `name` shows once.
pub async fn tell(http: &Http, user: UserId, page: &Page, name: &str) -> serenity::Result<()> {
    let nonce = Nonce::String(name.chars().take(NONCE_CAP).collect());
    let message = CreateMessage::new()
        .content(&page.text)
        .allowed_mentions(CreateAllowedMentions::new())
        .nonce(nonce)
        .enforce_nonce(true);
    let sent = async { user.create_dm_channel(http).await?.id.send_message(http, message).await };
    match sent.await {
        Ok(_) => Ok(()),
        Err(error) if refused(&error) => {
            tracing::info!(%user, error = api::words(&error), "a member takes no direct messages");
            Ok(())
        }
        Err(error) => Err(error),
    }
}
