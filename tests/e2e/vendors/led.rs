//! A vendor's own table, with its endpoints led to a server of ours.
//!
//! Invariant: nothing but addresses that requests go to is changed, so that client, scopes, bodies and quirks are what is
//! shipped; and nothing that a request could go to is left as it is.

use latchkey_test_authority::Authority;
use toml::{Table, Value};

/// Addresses that no request goes to: they are compared by the server, or name something.
const NAMES_ONLY: &[&str] = &[
    "redirect_uri",
    "loopback_redirect_uri",
    "exchange_redirect_uri",
    "scopes",
    "account_claim",
    "email_claim",
];

/// The table `[providers.<name>]` that puts `server` in place of the hosts in `shipped`, each path kept.
pub fn overrides(name: &str, shipped: &str, server: &Authority) -> String {
    let shipped: Table = shipped.parse().expect("a descriptor is TOML");
    let led = lead(&shipped, server);
    let providers = Table::from_iter([(name.to_owned(), Value::Table(led))]);
    Table::from_iter([("providers".to_owned(), Value::Table(providers))]).to_string()
}

/// As [`overrides`], but the whole table and not only what differs: for a vendor that is not built in.
pub fn whole(name: &str, table: &Table, server: &Authority) -> String {
    let mut led = table.clone();
    led.extend(lead(table, server));
    let providers = Table::from_iter([(name.to_owned(), Value::Table(led))]);
    Table::from_iter([("providers".to_owned(), Value::Table(providers))]).to_string()
}

fn lead(shipped: &Table, server: &Authority) -> Table {
    let mut led = Table::new();
    for (key, value) in shipped {
        match value {
            Value::Table(inner) => {
                let inner = lead(inner, server);
                if !inner.is_empty() {
                    led.insert(key.clone(), Value::Table(inner));
                }
            }
            Value::String(text) if is_address(key) => {
                let url: url::Url = text.parse().expect("an address");
                let path = if url.path() == "/" { "" } else { url.path() };
                led.insert(key.clone(), Value::String(server.url(path)));
            }
            _ => assert!(
                NAMES_ONLY.contains(&key.as_str()) || !value.to_string().contains("://"),
                "a request could go to {key} = {value}"
            ),
        }
    }
    led
}

fn is_address(key: &str) -> bool {
    key.ends_with("endpoint") || ["issuer", "verification_uri", "url"].contains(&key)
}
