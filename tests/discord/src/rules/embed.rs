//! Rules for embeds: lengths, counts, and 6,000 characters over all embeds of a message.

use serde_json::Value;

use crate::rules::{Problems, join, list};

/// Embeds in one message.
const EMBEDS: usize = 10;
/// Characters over all embeds of one message.
const TOTAL: usize = 6_000;

const KEYS: &[&str] = &[
    "title",
    "type",
    "description",
    "url",
    "timestamp",
    "color",
    "footer",
    "image",
    "thumbnail",
    "video",
    "provider",
    "author",
    "fields",
];

/// Judges the embeds of a message.
pub(crate) fn check(problems: &mut Problems, path: &str, embeds: &[Value]) {
    if embeds.len() > EMBEDS {
        problems.add(path, format!("{} embeds, at most {EMBEDS} are allowed", embeds.len()));
    }
    for (index, embed) in embeds.iter().enumerate() {
        one(problems, &join(path, index), embed);
    }
    let total: usize = embeds.iter().map(size).sum();
    if total > TOTAL {
        problems.add(path, format!("{total} characters in all embeds, at most {TOTAL} are allowed"));
    }
}

fn one(problems: &mut Problems, path: &str, embed: &Value) {
    problems.unknown_keys(path, embed, KEYS);
    problems.longest(path, embed, "title", 256);
    problems.longest(path, embed, "description", 4_096);
    problems.longest(&join(path, "footer"), &embed["footer"], "text", 2_048);
    problems.longest(&join(path, "author"), &embed["author"], "name", 256);
    let fields = list(embed, "fields");
    if fields.len() > 25 {
        problems.add(&join(path, "fields"), format!("{} fields, at most 25 are allowed", fields.len()));
    }
    for (index, field) in fields.iter().enumerate() {
        let path = join(&join(path, "fields"), index);
        problems.unknown_keys(&path, field, &["name", "value", "inline"]);
        problems.required(&path, field, "name", 256);
        problems.required(&path, field, "value", 1_024);
    }
    let media = ["image", "thumbnail", "video"].iter().any(|key| embed[key].is_object());
    if size(embed) == 0 && !media {
        problems.add(path, "an empty embed");
    }
}

fn size(embed: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let fields: usize = list(embed, "fields").iter().map(|f| text(&f["name"]) + text(&f["value"])).sum();
    text(&embed["title"])
        + text(&embed["description"])
        + text(&embed["footer"]["text"])
        + text(&embed["author"]["name"])
        + fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::tests::lines;

    fn judge(embeds: &Value) -> Vec<String> {
        let mut problems = Problems::default();
        check(&mut problems, "embeds", embeds.as_array().expect("a list"));
        lines(problems.0)
    }

    #[test]
    fn embeds_keep_their_limits() {
        let long = |n: usize| "x".repeat(n);
        for (embeds, expected) in [
            (json!([{ "title": "t" }]), vec![]),
            (json!([{}]), vec!["embeds.0: an empty embed"]),
            (
                json!([{ "title": long(257) }]),
                vec!["embeds.0.title: 257 characters, at most 256 are allowed"],
            ),
            (
                json!([{ "description": long(4_097) }]),
                vec!["embeds.0.description: 4097 characters, at most 4096 are allowed"],
            ),
            (
                json!([{ "description": long(4_000) }, { "description": long(2_001) }]),
                vec!["embeds: 6001 characters in all embeds, at most 6000 are allowed"],
            ),
            (
                json!([{ "fields": [{ "name": "", "value": "v" }] }]),
                vec!["embeds.0.fields.0.name: is required and must not be empty"],
            ),
            (json!([{ "titel": "t", "title": "t" }]), vec!["embeds.0.titel: unknown key"]),
        ] {
            assert_eq!(judge(&embeds), expected);
        }
    }
}
