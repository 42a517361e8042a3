//! What a reload takes over, and what waits for a restart.

use std::path::Path;

use super::*;

const OLD: &str = "[discord]\nguild = \"81\"\n[http]\npublic_url = \"https://a.example\"\n[tokens]\nsocket = \"t.sock\"\n\
                   [providers.acme]\nissuer = \"https://id.acme.example\"\nclient_id = \"x\"\nflows = [\"callback\"]\n";

fn parsed(text: &str) -> Config {
    Config::parse(text, Path::new("latchkey.toml"), &|_| None).unwrap()
}

/// What cannot change while the bot runs is named, one by one, and nothing else is.
#[test]
fn what_needs_a_restart_is_named() {
    for (from, to, expected) in [
        ("guild = \"81\"", "guild = \"82\"", "discord.guild"),
        ("guild = \"81\"", "guild = \"81\"\ncommand = \"signin\"", "discord.command"),
        ("guild = \"81\"", "guild = \"81\"\ntoken_file = \"t\"", "the place of the bot's token"),
        ("[http]", "[store]\npath = \"x\"\n[http]", "store.path"),
        ("[http]", "[store]\nallow_unverified_locks = true\n[http]", "store.allow_unverified_locks"),
        ("[http]", "[store]\nseal_key_file = \"k\"\n[http]", "the place of the store's seal key"),
        ("[http]", "[http]\nlisten = \"127.0.0.1:1\"", "http.listen"),
        ("https://a.example", "https://b.example", "http.public_url"),
        ("[http]", "[ops]\n[http]", "ops.listen"),
        ("t.sock", "u.sock", "the token socket (socket, mode or group under [tokens])"),
        ("t.sock\"", "t.sock\"\nmode = \"0666\"", "the token socket (socket, mode or group under [tokens])"),
        ("t.sock\"", "t.sock\"\nallow = [{ uid = 1, tenants = [\"acme\"] }]", ""),
        ("[http]", "[access]\nmembers = { anyone = true }\n[http]", ""),
        ("[http]", "[limits]\nstarts_per_minute = 2\n[http]", ""),
        ("client_id = \"x\"", "client_id = \"y\"", ""),
    ] {
        let (old, new) = (parsed(OLD), parsed(&OLD.replacen(from, to, 1)));
        let named = waiting(&old, &new);
        assert_eq!(named.join(" "), expected, "{to}");
        // Taken over, it is as if those had not changed.
        assert_eq!(waiting(&old, &keep(new, &old)), Vec::<&str>::new(), "{to}");
    }
}

/// T4: a page that is not moved is where browsers are sent to, whatever the new configuration says.
#[test]
fn providers_keep_the_page_that_is_served() {
    let old = parsed(OLD);
    let moved = OLD.replace("https://a.example", "https://b.example").replace("\"x\"", "\"y\"");
    let kept = keep(parsed(&moved), &old);
    let acme = kept.providers.find("acme").unwrap();
    assert_eq!(acme.callback_uri.as_deref(), Some("https://a.example/callback/acme"));
    assert_eq!(acme.client_id.as_deref(), Some("y"));
    assert_eq!(kept.http, old.http);
}
