//! Rules for what makes a message: its keys, its content, and that it shows something at all.

use serde_json::Value;

use crate::reply::Problem;
use crate::rules::{Problems, components, embed, list};

/// Where a message body comes from; the keys differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The data of an interaction callback.
    Callback,
    /// A follow-up.
    FollowUp,
    /// An edit of any kind.
    Edit,
    /// A message posted to a channel.
    Channel,
}

const COMMON: &[&str] =
    &["content", "embeds", "allowed_mentions", "components", "attachments", "flags", "tts", "poll"];
const CHANNEL: &[&str] = &["nonce", "enforce_nonce", "message_reference", "sticker_ids"];

/// Judges a body. That it shows something is asked of the message as it would be afterwards.
pub(crate) fn check(source: Source, path: &str, body: &Value) -> Vec<Problem> {
    let mut problems = Problems::default();
    let mut keys = COMMON.to_vec();
    if source == Source::Channel {
        keys.extend_from_slice(CHANNEL);
    }
    problems.unknown_keys(path, body, &keys);
    problems.longest(path, body, "content", 2_000);
    embed::check(&mut problems, &super::join(path, "embeds"), list(body, "embeds"));
    components::check(&mut problems, &super::join(path, "components"), list(body, "components"));
    mentions(&mut problems, &super::join(path, "allowed_mentions"), &body["allowed_mentions"]);
    problems.0
}

fn mentions(problems: &mut Problems, path: &str, mentions: &Value) {
    if mentions.is_null() {
        return;
    }
    problems.unknown_keys(path, mentions, &["parse", "users", "roles", "replied_user"]);
    let parse: Vec<_> = list(mentions, "parse").iter().filter_map(Value::as_str).collect();
    for key in ["users", "roles"] {
        if parse.contains(&key) && !list(mentions, key).is_empty() {
            problems.add(path, format!("parse: {key} and a list of {key} exclude each other"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::tests::lines;

    #[test]
    fn messages_keep_their_rules() {
        for (source, body, expected) in [
            (Source::Callback, json!({ "content": "x".repeat(2_000) }), vec![]),
            (
                Source::Callback,
                json!({ "content": "x".repeat(2_001) }),
                vec!["content: 2001 characters, at most 2000 are allowed"],
            ),
            (Source::Edit, json!({ "contents": "x" }), vec!["contents: unknown key"]),
            (Source::FollowUp, json!({ "content": "x", "nonce": 1 }), vec!["nonce: unknown key"]),
            (Source::Channel, json!({ "content": "x", "nonce": 1 }), vec![]),
            (
                Source::Channel,
                json!({ "content": "x", "allowed_mentions": { "parse": ["users"], "users": ["1"] } }),
                vec!["allowed_mentions: parse: users and a list of users exclude each other"],
            ),
        ] {
            assert_eq!(lines(check(source, "", &body)), expected);
        }
    }
}
