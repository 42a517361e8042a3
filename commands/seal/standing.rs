//! What the state of a store's sealing means, and what is to be done about it.
//!
//! Owns the judgement and its words, for `latchkey seal` and `latchkey check` alike. Invariant: a pure function of what was counted.

use latchkey::store::seal::{KeptAside, SealStanding};

/// How a store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No key is configured, and nothing is sealed.
    Off,
    /// A key is configured, and the next write seals.
    Waiting,
    /// Everything is sealed with the first key.
    Sealed,
    /// It is sealed, and something in it stands in clear: another program wrote it.
    Mixed,
    /// It is sealed, and something does not open.
    Unopened,
}

/// How much of what is sealed waits for a key that is not there: values, and what is kept aside.
fn unopened(standing: &SealStanding) -> usize {
    let has_none = |aside: &&KeptAside| aside.keys.iter().any(|key| !standing.keys.contains(key));
    standing.unopened + standing.kept_aside.iter().filter(has_none).count()
}

/// What `standing` comes to; the worst that holds.
pub fn judged(standing: &SealStanding) -> State {
    let first = standing.keys.first();
    if unopened(standing) > 0 {
        State::Unopened
    } else if standing.file.is_none() && first.is_none() {
        State::Off
    } else if standing.file.as_ref() != first {
        State::Waiting
    } else if standing.in_clear > 0 || standing.sealed.keys().any(|key| Some(key) != first) {
        State::Mixed
    } else {
        State::Sealed
    }
}

/// One line for people: what it is, and the remedy where there is one.
pub fn told(standing: &SealStanding) -> String {
    let first = standing.keys.first().map_or("", String::as_str);
    match judged(standing) {
        State::Off => {
            "tokens stand in clear: to seal them, `latchkey seal key --add FILE`, and write seal_key_file = \
                       \"FILE\" under [store]"
                .to_owned()
        }
        State::Waiting => {
            format!("not sealed with the key {first} yet: the next write does it, or `latchkey seal now`")
        }
        State::Sealed => format!("sealed with the key {first}"),
        State::Mixed => format!(
            "sealed with the key {first}, but for values that another program wrote or an older key sealed: `latchkey \
             seal now` seals them"
        ),
        State::Unopened => format!(
            "sealed values that do not open: {}; put the missing key's line back behind the others, or repair or remove the \
             entries that `latchkey check` names",
            unopened(standing)
        ),
    }
}

/// A line for each token that is kept aside: the key that it needs may be one that the file needs no more.
pub fn kept_aside(standing: &SealStanding) -> impl Iterator<Item = String> {
    standing.kept_aside.iter().map(|aside| {
        let note = |key: &String| {
            let known = standing.keys.contains(key);
            format!("{key}{}", if known { "" } else { ", which is not configured" })
        };
        let keys: Vec<_> = aside.keys.iter().map(note).collect();
        let how = match keys.as_slice() {
            [] => "in clear".to_owned(),
            keys => format!("sealed with the key {}", keys.join(" and ")),
        };
        format!("a rotated token that could not be stored yet is kept aside, {how}: {aside}")
    })
}

/// All there is to say, a line each.
pub fn lines(standing: &SealStanding) -> Vec<String> {
    let mut lines = vec![told(standing)];
    if !standing.keys.is_empty() {
        lines.push(format!("keys that are configured: {}", standing.keys.join(", ")));
    }
    let is_known = |key: &String| standing.keys.contains(key);
    for (key, count) in &standing.sealed {
        let note = if is_known(key) { "" } else { ", which is not configured" };
        lines.push(format!("sealed values with the key {key}{note}: {count}"));
    }
    if standing.in_clear > 0 {
        lines.push(format!("secret values in clear: {}", standing.in_clear));
    }
    lines.extend(kept_aside(standing));
    // Old keys that nothing needs any more.
    let is_needed = |key: &String| {
        standing.sealed.contains_key(key)
            || standing.file.as_ref() == Some(key)
            || standing.kept_aside.iter().any(|aside| aside.keys.contains(key))
    };
    let unused = standing.keys.iter().skip(1).filter(|key| !is_needed(key));
    let unused: Vec<_> = unused.map(String::as_str).collect();
    if !unused.is_empty() && standing.file.is_some() {
        lines.push(format!("nothing here is sealed with {}: older backups may be", unused.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(
        keys: &[&str],
        file: Option<&str>,
        sealed: &[(&str, usize)],
        in_clear: usize,
    ) -> SealStanding {
        SealStanding {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            file: file.map(str::to_owned),
            sealed: sealed.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect(),
            in_clear,
            unopened: 0,
            kept_aside: Vec::new(),
        }
    }

    /// G21: the key that has sealed it is needed, whatever the file is sealed with; without it a sign-in is lost.
    fn with_a_token_kept_aside() -> [(SealStanding, State); 4] {
        let aside = |tenant: Option<&str>, key: Option<&str>| KeptAside {
            tenant: tenant.map(|tenant| tenant.parse().unwrap()),
            file: "auth.json.locks/1f.rescue".into(),
            keys: key.into_iter().map(str::to_owned).collect(),
        };
        let new = |keys: &[&str], aside: KeptAside| SealStanding {
            kept_aside: vec![aside],
            ..standing(keys, Some("new"), &[("new", 3)], 0)
        };
        let off =
            SealStanding { kept_aside: vec![aside(Some("codex"), Some("old"))], ..SealStanding::default() };
        [
            (new(&["new", "old"], aside(Some("codex"), Some("old"))), State::Sealed),
            (new(&["new"], aside(None, Some("old"))), State::Unopened),
            (new(&["new"], aside(Some("codex"), None)), State::Sealed),
            (off, State::Unopened),
        ]
    }

    /// Sealing: each state has its line and its remedy.
    #[test]
    fn every_state_of_sealing_is_told_with_its_remedy() {
        let cases = [
            (standing(&[], None, &[], 3), State::Off),
            (standing(&["new"], None, &[], 3), State::Waiting),
            (standing(&["new", "old"], Some("old"), &[("old", 3)], 0), State::Waiting),
            (standing(&["new", "old"], Some("new"), &[("new", 3)], 0), State::Sealed),
            (standing(&["new"], Some("new"), &[("new", 3)], 1), State::Mixed),
            (standing(&["new", "old"], Some("new"), &[("new", 3), ("old", 1)], 0), State::Mixed),
            (
                SealStanding { unopened: 1, ..standing(&["new"], Some("new"), &[("new", 3), ("old", 1)], 0) },
                State::Unopened,
            ),
        ];
        let mut all = Vec::new();
        for (standing, expected) in cases.into_iter().chain(with_a_token_kept_aside()) {
            assert_eq!(judged(&standing), expected, "{standing:?}");
            all.push(format!("{expected:?}\n{}", lines(&standing).join("\n")));
        }
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
