//! A fed file on the disk.
//!
//! Owns the order of things: read, judge, make the new file, keep a refresh token's file aside, replace. Invariant: nothing is written that differs in
//! nothing. Must not: know where a token comes from.

use super::edit::{Edit, Offer, Refusal};
use super::{emptied, fed, holds_refresh_token};
use crate::config::FeedConfig;
use crate::foreign::{self, ASIDE, Aside, ForeignError, MOST_MODE, Place};
use crate::gate::Class;

/// Why a file is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// It could not be read or written.
    #[error(transparent)]
    File(#[from] ForeignError),
    /// What stands there is not ours to change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is not text.
    #[error("it is not text: mend it, or move it away and it is made anew")]
    NotText,
    /// The file with a refresh token could not be kept aside, so it was left as it is.
    #[error(
        "a refresh token stands there, and a copy could not be kept aside first ({0}): make that possible"
    )]
    Aside(std::io::Error),
    /// There is no token to write. What stands there stays.
    #[error("{why}")]
    NoToken {
        /// Why.
        why: String,
        /// Who can do something about it.
        class: Class,
    },
}

impl FeedError {
    /// What it is about: the same error again has the same words here, also where it names another time.
    pub(super) fn topic(&self) -> String {
        match self {
            Self::NoToken { class, .. } => format!("{class:?}"),
            error => error.to_string(),
        }
    }
}

/// What came of it.
pub(super) struct Put {
    /// Whether anything was to be written, and was.
    pub wrote: Result<bool, FeedError>,
    /// Where the file is kept that had a refresh token, whether or not it could be replaced then.
    pub aside: Option<Aside>,
}

fn text(bytes: &[u8]) -> Result<&str, FeedError> {
    std::str::from_utf8(bytes).map_err(|_| FeedError::NotText)
}

fn text_of(found: Option<&foreign::Found>) -> Result<Option<&str>, FeedError> {
    found.map(|found| text(&found.bytes)).transpose()
}

/// Writes what is offered into the file, unless it is there.
pub(super) fn put(config: &FeedConfig, offer: &Offer) -> Result<Put, FeedError> {
    let place = Place::open(&config.path)?;
    let was = place.read()?;
    let fed = fed(config.program, text_of(was.as_ref())?, offer)?;
    let Edit::Write(new) = &fed.edit else { return Ok(Put { wrote: Ok(false), aside: None }) };
    // Whole before a copy is made: what cannot be replaced is not to be copied at each look.
    let prepared = place.prepare(was.as_ref(), new.expose().as_bytes(), MOST_MODE)?;
    let aside = match &was {
        Some(was) if fed.held_refresh_token => {
            Some(place.keep_aside(&was.bytes, ASIDE).map_err(FeedError::Aside)?)
        }
        _ => None,
    };
    let wrote = prepared.put().map(|()| true).map_err(FeedError::from);
    Ok(Put { wrote, aside })
}

/// Takes what we wrote out of the file, if it is there. Gives whether it was.
pub(super) fn take_out(config: &FeedConfig) -> Result<bool, FeedError> {
    let place = Place::open(&config.path)?;
    let Some(was) = place.read()? else { return Ok(false) };
    let Edit::Write(new) = emptied(config.program, text(&was.bytes)?)? else { return Ok(false) };
    place.prepare(Some(&was), new.expose().as_bytes(), MOST_MODE)?.put()?;
    Ok(true)
}

/// Removes what a process that was killed left beside the file. What holds a refresh token may be the only one that has it, and is
/// kept aside.
pub(super) fn tidy(config: &FeedConfig) -> Result<(), FeedError> {
    let place = Place::open(&config.path)?;
    place.sweep(|found| {
        let held = text(&found.bytes).ok().and_then(|text| holds_refresh_token(config.program, text).ok());
        held != Some(true) || place.keep_aside(&found.bytes, ASIDE).is_ok()
    })?;
    Ok(())
}

/// What a look at a file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whether there is one.
    pub is_there: bool,
    /// Whether a refresh token stands in it.
    pub holds_refresh_token: bool,
}

/// Whose token is to be fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// Nobody's yet.
    Nobodys,
    /// That of a sign-in which does not say.
    Unsaid,
    /// This account's.
    Of(&'a str),
}

/// Looks at the file of a feed, and changes nothing.
///
/// # Errors
/// What would keep it from being brought up to date.
pub fn find(config: &FeedConfig, whose: Whose<'_>) -> Result<Found, FeedError> {
    let place = Place::open(&config.path)?;
    let Some(found) = place.read()? else {
        return Ok(Found { is_there: false, holds_refresh_token: false });
    };
    place.can_keep_owner(&found)?;
    let text = text(&found.bytes)?;
    let account = match whose {
        Whose::Nobodys => None,
        Whose::Unsaid => Some(None),
        Whose::Of(account) => Some(Some(account)),
    };
    if let Some(account) = account {
        fed(config.program, Some(text), &Offer::of(account))?;
    }
    let holds_refresh_token = holds_refresh_token(config.program, text)?;
    Ok(Found { is_there: true, holds_refresh_token })
}
