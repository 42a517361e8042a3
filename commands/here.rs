//! Where a program asks from: the Discord thread that its process works for, and the channel that this hangs from.
//!
//! Owns the two variables by which whoever starts one process a thread says so once. Invariant: the channel of one thread is never
//! taken for another's. Must not: look anything up; that is the store's and the bot's.

use latchkey::tenant::ThreadId;

/// The thread that this process works for.
pub const THREAD: &str = "LATCHKEY_THREAD";
/// The channel that this thread hangs from.
pub const PARENT: &str = "LATCHKEY_PARENT";

/// Where a program asks from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The thread.
    pub thread: Option<ThreadId>,
    /// The channel that it hangs from, where that is told.
    pub parent: Option<ThreadId>,
}

impl Place {
    /// What the command line says, else the environment.
    ///
    /// # Errors
    /// When a variable that counts is no id: what to say.
    pub fn of(
        thread: Option<ThreadId>,
        parent: Option<ThreadId>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let read = |name: &str| {
            let Some(text) = environment(name) else { return Ok(None) };
            let id = text.trim().parse::<ThreadId>();
            id.map(Some).map_err(|error| format!("{name} is no Discord id ({error}): correct or unset it"))
        };
        let own = match &thread {
            None => read(THREAD)?,
            // One that is no id is another thread than the named one in any case.
            Some(_) => read(THREAD).unwrap_or_default(),
        };
        let parent = match parent {
            None if thread.is_none() || thread == own => read(PARENT)?,
            parent => parent,
        };
        Ok(Self { thread: thread.or(own), parent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Option<ThreadId> {
        (!text.is_empty()).then(|| text.parse().unwrap())
    }

    /// The command line beats the environment, and a channel goes with its own thread only.
    #[test]
    fn a_channel_is_never_taken_for_that_of_another_thread() {
        // --thread, --parent, $LATCHKEY_THREAD, $LATCHKEY_PARENT: thread, parent.
        for (thread, parent, own, above, expected) in [
            ("", "", "", "", ("", "")),
            ("", "", "1", "2", ("1", "2")),
            ("", "", "1", "", ("1", "")),
            ("", "", "", "2", ("", "2")),
            ("", "3", "1", "2", ("1", "3")),
            ("4", "", "1", "2", ("4", "")),
            ("4", "3", "1", "2", ("4", "3")),
            ("1", "", "1", "2", ("1", "2")),
            ("4", "", "here", "there", ("4", "")),
            ("4", "", "", "2", ("4", "")),
        ] {
            let environment = |name: &str| {
                let text = if name == THREAD { own } else { above };
                (!text.is_empty()).then(|| text.to_owned())
            };
            let place = Place::of(id(thread), id(parent), &environment).unwrap();
            assert_eq!(place, Place { thread: id(expected.0), parent: id(expected.1) }, "{thread} {own}");
        }
    }

    /// A variable that counts and says nothing is told by its name.
    #[test]
    fn a_variable_that_is_no_id_is_told() {
        for name in [THREAD, PARENT] {
            let environment = |asked: &str| (asked == name).then(|| "here".to_owned());
            let why = Place::of(None, None, &environment).unwrap_err();
            assert!(why.starts_with(&format!("{name} is no Discord id (")), "{why}");
        }
    }
}
