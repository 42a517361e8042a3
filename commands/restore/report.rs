//! What is said of a restore, before and after.
//!
//! Owns the words; a pure function of the plan and the time. Invariant: no secret is in them, and what comes out of the file is
//! escaped.

use std::fmt::Write as _;
use std::time::Duration;

use latchkey::backup::{Fate, Header, Item, Left, Plan, Rest};
use latchkey::clock::UnixSeconds;

/// What is told of.
pub struct Report<'a> {
    /// What the copy says of itself.
    pub copy: &'a Header,
    /// The name of the store that is here.
    pub here: Option<&'a str>,
    /// Whether all of the copy is wished for.
    pub is_whole: bool,
    /// The time.
    pub now: UnixSeconds,
}

impl Report<'_> {
    /// What would be done, what that means, and how to have it done.
    pub fn of_plan(&self, plan: &Plan) -> String {
        let mut text = self.lines(plan, false);
        if let Some(warning) = self.warning(plan) {
            let _ = write!(text, "\n{warning}\n\n");
        }
        text.push_str("Nothing was changed.");
        if !plan.is_empty() {
            let _ = write!(text, " To restore {}, run it again with --yes.", tenants(plan.restored()));
        }
        if plan.items.iter().any(|item| matches!(&item.fate, Fate::Left(left) if left.is_for_replace())) {
            text.push_str(" With --replace, see what that would bring back as well.");
        }
        text
    }

    /// What was done.
    pub fn of_done(&self, plan: &Plan) -> String {
        let mut text = self.lines(plan, true);
        if plan.is_empty() {
            text.push_str("Nothing was changed.");
        } else {
            let _ = write!(text, "Restored: {}.", tenants(plan.restored()));
        }
        text
    }

    /// What restoring does to sign-ins, where it brings any back that are refreshed.
    pub fn warning(&self, plan: &Plan) -> Option<String> {
        plan.items.iter().find(|item| item.is_refreshed && item.fate.is_restored())?;
        let age = rough(self.now.saturating_sub(self.copy.created_at).max(0));
        let mut text = if self.is_of_this_store() {
            format!(
                "Before you restore: a refresh token is good once, and the bot of this store has spent those in the export that it \
                 refreshed since ({age}). To present a spent one has a strict provider end the sign-in everywhere. What is missing here was \
                 logged out or removed since, so that most likely it asks for a new sign-in at its first refresh."
            )
        } else {
            format!(
                "Before you restore: a refresh token is good once. The bot that this export came from has spent those that it refreshed \
                 since ({age}). To present a spent one has a strict provider end the sign-in everywhere, for whoever holds the newer token \
                 too. So be sure that that bot is gone for good, or stop it for good. What was spent asks for a new sign-in at its first \
                 refresh; what was logged out since comes back, and asks for one as well."
            )
        };
        if plan.items.iter().any(|item| matches!(item.fate, Fate::Replaces { .. })) {
            text += " What is replaced here is dropped: it is not ended at its provider, and there is no way back to it but a new \
                     sign-in, or an export of now.";
        }
        Some(text)
    }

    fn is_of_this_store(&self) -> bool {
        self.here.is_some() && self.copy.store_id.as_deref() == self.here
    }

    fn age(&self) -> String {
        match self.now.saturating_sub(self.copy.created_at) {
            seconds if seconds >= 0 => format!("{} ago", rough(seconds)),
            seconds => format!("{} from now, so check this host's clock", rough(seconds.saturating_neg())),
        }
    }

    fn lines(&self, plan: &Plan, done: bool) -> String {
        let made = time(self.copy.created_at);
        let by = self.copy.latchkey.escape_debug();
        let store = match self.here {
            _ if self.is_of_this_store() => "of this store",
            Some(_) => "of another store",
            None => "of another store; here is none yet",
        };
        let mut text = format!("An export {store}, made {made} ({}) by Latchkey {by}\n", self.age());
        if plan.items.is_empty() {
            text.push_str("  holds no tenant\n");
        }
        for item in &plan.items {
            let account = item
                .account
                .as_ref()
                .map(|account| format!(" ({})", account.escape_debug()))
                .unwrap_or_default();
            let _ = writeln!(text, "  {}{account}: {}", item.key.escape_debug(), what_becomes_of(item, done));
        }
        if self.is_whole {
            for (what, rest) in [
                ("threads", plan.threads),
                ("owed revocations", plan.revocations),
                ("sections of a later version", plan.unknown),
            ] {
                text += &line(what, rest, done);
            }
        } else {
            text.push_str("  threads and owed revocations: left out (--only)\n");
        }
        text
    }
}

fn what_becomes_of(item: &Item, done: bool) -> String {
    let would = if done { "" } else { "would be " };
    match &item.fate {
        Fate::Restored => format!("missing here, {would}restored"),
        Fate::RestoredBeside(sibling) => format!(
            "missing here, {would}restored; {sibling} is signed in to the same account, as far as is known, and a spent token could end that too"
        ),
        Fate::Replaces { obtained_at } => {
            format!(
                "{would}restored in the place of the sign-in that {} here{}",
                if done { "was" } else { "is" },
                since(*obtained_at)
            )
        }
        Fate::RestoredUnread => {
            format!("missing here, {would}restored as it stands, since this Latchkey does not understand it")
        }
        Fate::Left(left) => match left {
            Left::Same => "left: the same tokens are here".to_owned(),
            Left::NewerHere { here, copy } => format!(
                "left: the same sign-in is here with newer tokens (generation {here}, the export has {copy}); the older ones are \
                     spent, and to present them would end it, so that not even --replace brings them back"
            ),
            Left::NewerElsewhere { holder, here, copy } => format!(
                "left: the same sign-in is here as {holder} with newer tokens (generation {here}, the export has {copy}); the older ones \
                     are spent, and to present them would end it, so that not even --replace brings them back"
            ),
            Left::OlderHere { here, copy } => format!(
                "left: the same sign-in is here with older tokens (generation {here}, the export has {copy}); --replace puts the \
                     newer ones in their place"
            ),
            Left::AnotherSignIn { obtained_at, is_newer } => format!(
                "left: {} is here{}; --replace puts this in its place",
                match is_newer {
                    Some(true) => "a newer sign-in",
                    Some(false) => "an older sign-in",
                    None => "another sign-in",
                },
                since(*obtained_at)
            ),
            Left::Beside(sibling) => format!(
                "left: missing here, but {sibling} is signed in to the same account, as far as is known, and a spent token could end that \
                     too; --replace restores it all the same"
            ),
            Left::Refused(why) => format!("left, and the tenant is left as it is: {why}"),
            Left::Damaged(error) => format!("left: {error} (`latchkey logout {}` removes it)", error.key),
            Left::Sealed => "left: in the export it is still sealed, with a key that was not there when it was made, so that nobody can use \
                             it; take it from another export, or sign in anew"
                .to_owned(),
            Left::Unread => {
                "left: this Latchkey does not understand it, and the tenant is taken here".to_owned()
            }
        },
    }
}

fn line(what: &str, rest: Rest, done: bool) -> String {
    let mut parts = Vec::new();
    if rest.restored > 0 {
        parts.push(format!("{} {}", rest.restored, if done { "restored" } else { "would be restored" }));
    }
    if rest.here > 0 {
        parts.push(format!("{} left, since something is here already", rest.here));
    }
    if rest.over > 0 {
        parts.push(format!("{} left out, since nobody would try them any more", rest.over));
    }
    if parts.is_empty() { String::new() } else { format!("  {what}: {}\n", parts.join(", ")) }
}

fn tenants(count: usize) -> String {
    format!("{count} {}", if count == 1 { "tenant" } else { "tenants" })
}

fn since(at: Option<UnixSeconds>) -> String {
    at.map(|at| format!(", of {}", time(at))).unwrap_or_default()
}

fn time(at: UnixSeconds) -> String {
    let at = chrono::DateTime::from_timestamp(at, 0);
    at.map_or_else(|| "at an impossible time".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// Days, or what there is below that: nobody wants the seconds of a year.
fn rough(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let unit = [86_400, 3_600, 60].into_iter().find(|unit| seconds >= *unit).unwrap_or(1);
    match seconds / unit * unit {
        0 => "a moment".to_owned(),
        whole if unit == 86_400 => {
            format!("{} {}", whole / unit, if whole / unit == 1 { "day" } else { "days" })
        }
        whole => humantime::format_duration(Duration::from_secs(whole)).to_string(),
    }
}

#[cfg(test)]
mod tests;
