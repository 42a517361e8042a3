//! Where the bot has been: which threads are its guild's, and which channel each hangs from.
//!
//! Owns what was learnt of places since the start. Must not: be needed; what is not known here can be asked of Discord.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use latchkey::serve::socket::KnownThread;
use latchkey::tenant::ThreadId;

/// The threads that are known.
#[derive(Default)]
pub struct Places(Mutex<HashMap<ThreadId, Known>>);

enum Known {
    Foreign,
    /// It is ours; where it hangs is not known.
    Ours,
    /// It is ours, and hangs from this channel, if from any.
    Hanging(Option<ThreadId>),
}

impl Places {
    /// Notes that `thread`, which hangs from `parent`, is in our guild.
    pub fn note_ours(&self, thread: &ThreadId, parent: Option<ThreadId>) {
        self.lock().insert(thread.clone(), Known::Hanging(parent));
    }

    /// Notes that `thread` is in our guild, wherever it hangs from.
    pub fn note_ours_somewhere(&self, thread: &ThreadId) {
        self.lock().entry(thread.clone()).or_insert(Known::Ours);
    }

    /// Notes that `thread` is another guild's.
    pub fn note_foreign(&self, thread: &ThreadId) {
        self.lock().insert(thread.clone(), Known::Foreign);
    }

    /// What programs that ask for a token in `thread` are told by, if it is known to be in our guild and where it hangs.
    pub fn known(&self, thread: &ThreadId) -> Option<KnownThread> {
        match self.lock().get(thread)? {
            Known::Hanging(parent) => Some(KnownThread { parent: parent.clone() }),
            Known::Foreign | Known::Ours => None,
        }
    }

    /// `thread` is no more.
    pub fn forget(&self, thread: &ThreadId) {
        self.lock().remove(thread);
    }

    /// Whether `thread` is in our guild, if that is known.
    pub fn is_ours(&self, thread: &ThreadId) -> Option<bool> {
        self.lock().get(thread).map(|known| !matches!(known, Known::Foreign))
    }

    /// The channel `channel` and the threads that are known to hang from it: with the channel they are gone too.
    pub fn within(&self, channel: &ThreadId) -> Vec<ThreadId> {
        let known = self.lock();
        let threads = known
            .iter()
            .filter(|(_, known)| matches!(known, Known::Hanging(Some(parent)) if parent == channel));
        threads.map(|(thread, _)| thread.clone()).chain([channel.clone()]).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Known>> {
        // Looked up or changed, never across a wait.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W1
    #[test]
    fn a_channel_goes_with_its_threads() {
        let id = |text: &str| text.parse::<ThreadId>().unwrap();
        let places = Places::default();
        places.note_ours(&id("11"), Some(id("1")));
        places.note_ours(&id("21"), Some(id("2")));
        places.note_foreign(&id("3"));
        assert_eq!(places.within(&id("1")), [id("11"), id("1")]);
        assert_eq!(places.within(&id("3")), [id("3")]);
        let known = |text: &str| places.known(&id(text));
        let expected = [Some(KnownThread { parent: Some(id("1")) }), None, None];
        assert_eq!(["11", "3", "4"].map(known), expected);
        // That it is ours does not say that it hangs nowhere.
        places.note_ours_somewhere(&id("5"));
        places.note_ours_somewhere(&id("11"));
        assert_eq!((places.known(&id("5")), places.is_ours(&id("5"))), (None, Some(true)));
        assert_eq!(places.known(&id("11")), Some(KnownThread { parent: Some(id("1")) }));
        places.forget(&id("21"));
        assert_eq!(places.is_ours(&id("21")), None);
        assert_eq!(
            [id("11"), id("3"), id("4")].map(|id| places.is_ours(&id)),
            [Some(true), Some(false), None]
        );
    }
}
