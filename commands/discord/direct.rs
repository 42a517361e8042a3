//! A direct message to a member: the last route, when nothing can be said where they asked (U5).
//!
//! Invariant: whoever takes no direct messages is not asked again. Must not: be used for what can be said elsewhere.

use serenity::all::{CreateAllowedMentions, CreateMessage, Http, UserId};

use super::notifier::refused;
use super::{api, render};
use crate::view::Page;

/// Whether `page` has reached `user`, or never will; an error if it may later. What has the same `name` shows once.
pub async fn tell(http: &Http, user: UserId, page: &Page, name: &str) -> serenity::Result<()> {
    let message = CreateMessage::new()
        .content(&page.text)
        .allowed_mentions(CreateAllowedMentions::new())
        .nonce(render::nonce(name))
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
