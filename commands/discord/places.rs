//! Where the bot has been: which threads are its guild's, and which channel each hangs from.
//!
//! Owns what was learnt of places since the start. Must not: be needed; what is not known here can be asked of Discord.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use latchkey::tenant::ThreadId;

/// The threads that are known.
#[derive(Default)]
pub struct Places(Mutex<HashMap<ThreadId, Known>>);

struct Known {
    is_ours: bool,
    /// The channel that it hangs from.
    parent: Option<ThreadId>,
}

impl Places {
    /// Notes that `thread`, which hangs from `parent`, is in our guild.
    pub fn note_ours(&self, thread: &ThreadId, parent: Option<ThreadId>) {
        self.lock().insert(thread.clone(), Known { is_ours: true, parent });
    }

    /// Notes that `thread` is another guild's.
    pub fn note_foreign(&self, thread: &ThreadId) {
        self.lock().insert(thread.clone(), Known { is_ours: false, parent: None });
    }

    /// Whether `thread` is known to be in our guild, and then the channel that it hangs from, if any.
    pub fn hangs_from(&self, thread: &ThreadId) -> Option<Option<ThreadId>> {
        self.lock().get(thread).filter(|known| known.is_ours).map(|known| known.parent.clone())
    }

    /// `thread` is no more.
    pub fn forget(&self, thread: &ThreadId) {
        self.lock().remove(thread);
    }

    /// Whether `thread` is in our guild, if that is known.
    pub fn is_ours(&self, thread: &ThreadId) -> Option<bool> {
        self.lock().get(thread).map(|known| known.is_ours)
    }

    /// The channel `channel` and the threads that are known to hang from it: with the channel they are gone too.
    pub fn within(&self, channel: &ThreadId) -> Vec<ThreadId> {
        let known = self.lock();
        let threads = known.iter().filter(|(_, known)| known.parent.as_ref() == Some(channel));
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
        let hangs_from = |text: &str| places.hangs_from(&id(text));
        assert_eq!((hangs_from("11"), hangs_from("3"), hangs_from("4")), (Some(Some(id("1"))), None, None));
        places.forget(&id("21"));
        assert_eq!(places.is_ours(&id("21")), None);
        assert_eq!(
            [id("11"), id("3"), id("4")].map(|id| places.is_ours(&id)),
            [Some(true), Some(false), None]
        );
    }
}
