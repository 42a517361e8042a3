//! What the state of a store's sealing means, and what is to be done about it.
//!
//! Owns the judgement and its words, for `latchkey seal` and `latchkey check` alike. Invariant: a pure function of what was counted.

use latchkey::store::seal::SealStanding;

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

/// What `standing` comes to; the worst that holds.
pub fn judged(standing: &SealStanding) -> State {
    let first = standing.keys.first();
    if standing.unopened > 0 {
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
            standing.unopened
        ),
    }
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
    // Old keys that nothing needs any more.
    let unused = standing
        .keys
        .iter()
        .skip(1)
        .filter(|key| !standing.sealed.contains_key(*key) && standing.file.as_ref() != Some(*key));
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
        }
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
        for (standing, expected) in cases {
            assert_eq!(judged(&standing), expected, "{standing:?}");
            all.push(format!("{expected:?}\n{}", lines(&standing).join("\n")));
        }
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
