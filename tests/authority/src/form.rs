//! Reads forms out of HTML: just enough for pages that these servers make themselves.

/// A form as a browser would send it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it goes, as written.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// The fields with their values; of radio buttons only the chosen one, of submit buttons none.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The fields to send, with `over` put over the form's own.
    #[must_use]
    pub fn filled(&self, over: &[(&str, &str)]) -> Vec<(String, String)> {
        let kept = self.fields.iter().filter(|(name, _)| !over.iter().any(|(key, _)| key == name)).cloned();
        kept.chain(over.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
    }
}

/// The forms of a page, in order.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let mut found: Vec<Form> = Vec::new();
    let mut inside = false;
    for tag in tags(html) {
        match tag.name.as_str() {
            "form" => {
                inside = true;
                found.push(Form {
                    action: tag.get("action").unwrap_or_default(),
                    method: tag.get("method").unwrap_or_else(|| "get".into()).to_ascii_lowercase(),
                    fields: Vec::new(),
                });
            }
            "/form" => inside = false,
            "input" if inside => {
                let kind = tag.get("type").unwrap_or_else(|| "text".into());
                let chosen = match kind.as_str() {
                    "radio" | "checkbox" => tag.get("checked").is_some(),
                    "submit" | "button" | "image" | "reset" => false,
                    _ => true,
                };
                if let (true, Some(name), Some(form)) = (chosen, tag.get("name"), found.last_mut()) {
                    form.fields.push((name, tag.get("value").unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
    found
}

/// The text of the element with this id, its tags left out.
pub(crate) fn element_text(html: &str, id: &str) -> Option<String> {
    let wanted = tags(html).find(|tag| tag.get("id").as_deref() == Some(id) && tag.name != "input")?;
    let rest = &html[wanted.end..];
    let text = rest.split("</").next()?;
    Some(unescape(text.trim()))
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    /// The byte after the tag.
    end: usize,
}

impl Tag {
    fn get(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

fn tags(html: &str) -> impl Iterator<Item = Tag> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + html.get(at..)?.find('<')? + 1;
        let length = tag_length(&html[start..])?;
        at = start + length + 1;
        Some(read_tag(&html[start..start + length], at))
    })
}

/// The bytes up to the `>` that ends a tag; one inside quotes does not.
fn tag_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

fn read_tag(text: &str, end: usize) -> Tag {
    let (name, mut rest) = text.split_once(|letter: char| letter.is_whitespace()).unwrap_or((text, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '/');
        if rest.is_empty() {
            break;
        }
        let stop = rest.find(|letter: char| letter == '=' || letter.is_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(stop);
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(after) => match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            },
        };
        attributes.push((key.to_ascii_lowercase(), unescape(value)));
        rest = after;
    }
    Tag { name: name.trim_end_matches('/').to_ascii_lowercase(), attributes, end }
}

fn unescape(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&#x2F;", "/")];
    let text = named.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_sends_what_a_browser_would() {
        let html = "<form action='x?a=1&amp;b=2' METHOD=post><input type=hidden name=h value=\"a>b &amp; c\">\
            <input type=radio name=r value=1><input type=radio name=r value=2 checked>\
            <input name=t value=><button name=go value=1></form><input name=outside value=1>";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let form = Form {
            action: "x?a=1&b=2".into(),
            method: "post".into(),
            fields: vec![pair("h", "a>b & c"), pair("r", "2"), pair("t", "")],
        };
        assert_eq!(forms(html), [form]);
    }

    #[test]
    fn the_text_of_an_element_is_found_by_its_id() {
        assert_eq!(
            element_text("<p>x</p><output id=\"code\" a>c&amp;d</output>", "code").as_deref(),
            Some("c&d")
        );
        assert_eq!(element_text("<p>x</p>", "code"), None);
    }
}
