//! The pages a person sees. Plain HTML forms: no script, nothing loaded from elsewhere.
//!
//! Every text that comes from a request is escaped before it enters a page.

use crate::authorize::Request;
use crate::incoming::Incoming;
use crate::person::Person;
use crate::reply::Reply;
use crate::settings::Settings;

const STYLE: &str = include_str!("style.css");

/// The page of the authorization endpoint.
pub(crate) fn sign_in(
    settings: &Settings,
    request: &Request,
    handle: &str,
    remembered: Option<&Person>,
) -> String {
    let client = escape(&request.client);
    let body = format!(
        "<h1>Sign in to continue</h1>\
         <p><strong>{client}</strong> asks for access to your {name} account.</p>{scopes}\
         <form method=\"post\" action=\"authorize\">\
         <input type=\"hidden\" name=\"request\" value=\"{handle}\">{accounts}{buttons}</form>",
        name = escape(&settings.name),
        scopes = scopes(&request.scopes),
        handle = escape(handle),
        accounts = accounts(settings, remembered),
        buttons = BUTTONS,
    );
    layout(settings, "Sign in", &body)
}

/// The verification page of the device flow.
pub(crate) fn device(
    settings: &Settings,
    code: &str,
    problem: Option<&str>,
    remembered: Option<&Person>,
) -> String {
    let warning = problem.map(|why| format!("<p class=\"warning\" role=\"alert\">{}</p>", escape(why)));
    let body = format!(
        "<h1>Connect a device</h1>\
         <p>Enter the code that your device shows. Continue only if you started this yourself: \
         never enter a code that somebody sent you.</p>{warning}\
         <form method=\"post\" action=\"device\">\
         <label class=\"label\" for=\"user_code\">Code</label>\
         <input class=\"code\" type=\"text\" id=\"user_code\" name=\"user_code\" value=\"{code}\" \
         autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" required>{accounts}{buttons}</form>",
        warning = warning.unwrap_or_default(),
        code = escape(code),
        accounts = accounts(settings, remembered),
        buttons = BUTTONS,
    );
    layout(settings, "Connect a device", &body)
}

/// The page that shows a code to copy.
pub(crate) fn copy_code(settings: &Settings, text: &str) -> String {
    let body = format!(
        "<h1>Copy this code</h1><p>Paste it where you started to sign in. It works once, for a few minutes.</p>\
         <output id=\"code\" tabindex=\"0\">{}</output><p>Then close this page.</p>",
        escape(text)
    );
    layout(settings, "Your code", &body)
}

/// A page that ends the matter.
pub(crate) fn done(settings: &Settings, title: &str, text: &str) -> String {
    layout(settings, title, &format!("<h1>{}</h1><p>{}</p>", escape(title), escape(text)))
}

/// A page that says what is wrong.
pub(crate) fn problem(settings: &Settings, status: u16, why: &str) -> Reply {
    Reply::page(status, done(settings, "This did not work", why))
}

/// The person chosen in a form, if one was.
pub(crate) fn chosen(settings: &Settings, incoming: &Incoming) -> Option<Person> {
    let account = incoming.field("account")?;
    if account != "other" {
        let offered = settings.people.iter().find(|person| person.sub == account).cloned();
        return offered.or_else(|| remembered(incoming).filter(|person| person.sub == account));
    }
    Some(Person::new(incoming.field("name")?.trim(), incoming.field("email")?.trim()))
}

/// The `Set-Cookie` value by which a browser remembers who signed in last.
pub(crate) fn remember(person: &Person) -> String {
    let mut value = url::form_urlencoded::Serializer::new(String::new());
    value.append_pair("sub", &person.sub).append_pair("email", &person.email);
    format!("account={}; Path=/; HttpOnly; SameSite=Lax", value.finish())
}

/// The person whom the browser remembers.
pub(crate) fn remembered(incoming: &Incoming) -> Option<Person> {
    let cookies = incoming.header("cookie")?;
    let value = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("account="))?;
    let field = |name: &str| {
        url::form_urlencoded::parse(value.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, text)| text.into_owned())
    };
    Some(Person::new(field("sub")?, field("email")?))
}

/// Text made safe for an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

const BUTTONS: &str = "<div class=\"buttons\">\
    <button class=\"primary\" name=\"decision\" value=\"approve\">Approve</button>\
    <button name=\"decision\" value=\"deny\" formnovalidate>Deny</button></div>";

fn scopes(scopes: &[String]) -> String {
    if scopes.is_empty() {
        return String::new();
    }
    let items: Vec<String> =
        scopes.iter().map(|scope| format!("<li>{}</li>", escape(meaning(scope)))).collect();
    let items = items.concat();
    format!("<p class=\"label\">It will be able to</p><ul>{items}</ul>")
}

fn meaning(scope: &str) -> &str {
    match scope {
        "openid" => "know who you are",
        "profile" => "see your name",
        "email" => "see your e-mail address",
        "offline_access" => "stay connected while you are away",
        other => other,
    }
}

fn accounts(settings: &Settings, remembered: Option<&Person>) -> String {
    let mut people: Vec<&Person> = settings.people.iter().collect();
    if let Some(person) = remembered
        && !people.iter().any(|known| known.sub == person.sub)
    {
        people.insert(0, person);
    }
    let checked = remembered.map_or_else(|| people.first().map(|p| p.sub.as_str()), |p| Some(p.sub.as_str()));
    let rows: Vec<String> = people
        .iter()
        .map(|person| {
            let mark = if checked == Some(person.sub.as_str()) { " checked" } else { "" };
            format!(
                "<label class=\"account\"><input type=\"radio\" name=\"account\" value=\"{sub}\"{mark}>\
                 <span>{sub}<small>{email}</small></span></label>",
                sub = escape(&person.sub),
                email = escape(&person.email),
            )
        })
        .collect();
    let rows = rows.concat();
    let mark = if people.is_empty() { " checked" } else { "" };
    format!(
        "<fieldset><legend>Account</legend>{rows}\
         <label class=\"account\"><input type=\"radio\" name=\"account\" value=\"other\"{mark}>\
         <span>Another account</span></label>\
         <div class=\"other\"><label class=\"label\" for=\"name\">Account name</label>\
         <input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"username\">\
         <label class=\"label\" for=\"email\">E-mail</label>\
         <input type=\"email\" id=\"email\" name=\"email\" autocomplete=\"email\"></div></fieldset>"
    )
}

fn layout(settings: &Settings, title: &str, body: &str) -> String {
    let name = escape(&settings.name);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · {name}</title><style>{STYLE}</style></head>\
         <body><main><p class=\"brand\">{name}</p>{body}</main></body></html>",
        title = escape(title),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_request_cannot_become_markup() {
        let request = Request {
            client: "<script>alert(1)</script>".into(),
            redirect_uri: String::new(),
            scopes: vec!["\"><img src=x>".into()],
            state: String::new(),
            challenge: String::new(),
            nonce: None,
        };
        let page = sign_in(&Settings::default(), &request, "h", None);
        assert!(!page.contains("<script") && !page.contains("<img"));
    }
}
