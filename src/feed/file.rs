//! A fed file on the disk.
//!
//! Owns the order of things: read, judge, keep a refresh token's file aside, write. Invariant: nothing is written that differs in
//! nothing. Must not: know where a token comes from.

use std::path::PathBuf;

use super::edit::{Edit, Offer, Refusal};
use super::{emptied, fed, holds_refresh_token};
use crate::config::FeedConfig;
use crate::foreign::{self, ForeignError};
use crate::gate::Class;

/// What is put behind the name of a file that is kept aside.
const ASIDE: &str = "replaced";

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
    /// Whether anything was to be written.
    pub wrote: bool,
    /// Where the file is kept that had a refresh token.
    pub aside: Option<PathBuf>,
}

fn text(bytes: &[u8]) -> Result<&str, FeedError> {
    std::str::from_utf8(bytes).map_err(|_| FeedError::NotText)
}

/// Writes what is offered into the file, unless it is there.
pub(super) fn put(config: &FeedConfig, offer: &Offer) -> Result<Put, FeedError> {
    let was = foreign::read(&config.path)?;
    let fed = fed(config.program, was.as_deref().map(text).transpose()?, offer)?;
    let aside = match &was {
        Some(bytes) if fed.held_refresh_token => {
            Some(foreign::keep_aside(&config.path, bytes, ASIDE).map_err(FeedError::Aside)?)
        }
        _ => None,
    };
    let wrote = change(config, was.as_deref(), &fed.edit)?;
    Ok(Put { wrote, aside })
}

/// Takes what we wrote out of the file, if it is there. Gives whether it was.
pub(super) fn take_out(config: &FeedConfig) -> Result<bool, FeedError> {
    let Some(was) = foreign::read(&config.path)? else { return Ok(false) };
    change(config, Some(&was), &emptied(config.program, text(&was)?)?)
}

fn change(config: &FeedConfig, was: Option<&[u8]>, edit: &Edit) -> Result<bool, FeedError> {
    let Edit::Write(new) = edit else { return Ok(false) };
    foreign::put(&config.path, was, new.expose().as_bytes())?;
    Ok(true)
}

/// What a look at a file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whether there is one.
    pub is_there: bool,
    /// Whether a refresh token stands in it.
    pub holds_refresh_token: bool,
}

/// Looks at the file of a feed, and changes nothing.
///
/// # Errors
/// What would keep it from being brought up to date.
pub fn find(config: &FeedConfig) -> Result<Found, FeedError> {
    let Some(bytes) = foreign::read(&config.path)? else {
        return Ok(Found { is_there: false, holds_refresh_token: false });
    };
    let holds_refresh_token = holds_refresh_token(config.program, text(&bytes)?)?;
    Ok(Found { is_there: true, holds_refresh_token })
}
