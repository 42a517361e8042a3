//! What a server saw, as text: one request after another, with all that differs between vendors and nothing that is random.

use latchkey_test_authority::{Endpoint, Recorded};

/// Parameters whose values are random, or secrets of one sign-in.
const RANDOM: &[&str] = &[
    "code",
    "code_challenge",
    "code_verifier",
    "device_auth_id",
    "device_code",
    "nonce",
    "refresh_token",
    "state",
    "token",
    "user_code",
];

/// The conversation: a line for each request, and one for each of its parameters, in alphabetical order. What comes several
/// times in a row (polls) stands there once. Left out is what people and metadata are asked.
pub fn conversation(requests: &[Recorded]) -> String {
    let mut told: Vec<String> = requests.iter().filter(|request| is_ours(request)).map(tell).collect();
    told.dedup();
    told.concat()
}

fn is_ours(request: &Recorded) -> bool {
    match request.endpoint {
        Endpoint::Authorize => request.method == "GET",
        Endpoint::CodePage | Endpoint::DevicePage | Endpoint::Discovery | Endpoint::Api => false,
        _ => true,
    }
}

fn tell(request: &Recorded) -> String {
    let kind = match request.header("content-type").map(|kind| kind.split(';').next().unwrap_or_default()) {
        Some("application/x-www-form-urlencoded") => " form",
        Some("application/json") => " json",
        Some(_) => " odd",
        None => "",
    };
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in request.query.iter().chain(&request.form) {
        // The authorize parameter of this name is no secret.
        let random = RANDOM.contains(&name.as_str()) && value != "true";
        lines.push(format!("  {name} {}\n", if random { "*" } else { value }));
    }
    for (name, value) in &request.headers {
        match name.as_str() {
            "authorization" => {
                let scheme = value.split(' ').next().unwrap_or_default();
                lines.push(format!("  [authorization] {scheme} *\n"));
            }
            name if name.starts_with("editor-") || name.starts_with("copilot-") => {
                lines.push(format!("  [{name}] {value}\n"));
            }
            _ => {}
        }
    }
    lines.sort();
    format!("{} {}{kind}\n{}", request.method, request.path, lines.concat())
}

/// The part of a script below `# <heading>`, up to the next heading; empty where there is none.
pub fn part(script: &str, heading: &str) -> String {
    let mut inside = false;
    let mut found = String::new();
    for line in script.lines() {
        match line.strip_prefix("# ") {
            Some(title) => inside = title.trim() == heading,
            None if inside && !line.trim().is_empty() => {
                found.push_str(line);
                found.push('\n');
            }
            None => {}
        }
    }
    found
}
