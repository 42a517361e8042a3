//! The people: members who type, press and read, each seeing only what Discord would show them.
//!
//! An actor can do only what a real client offers, and panics otherwise, as the test is wrong then; what a
//! forged client could send has `forge` or `forced` in its name.

mod autocomplete;
mod channel;
mod delivery;
mod interaction;
mod member;
mod modal;
mod options;
mod press;
mod slash;

pub use autocomplete::{Autocomplete, Choice};
pub use channel::Channel;
pub use delivery::{Delivery, Refused};
pub use interaction::Interaction;
pub use member::Member;
pub use modal::{Input, Modal};
pub use slash::Slash;
