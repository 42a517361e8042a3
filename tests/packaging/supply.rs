//! deny.toml: the exceptions, which nobody else holds to their day. Licences, bans and sources are cargo-deny's to check.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::file;

/// An advisory that is passed over.
struct Exception {
    id: String,
    /// The crate and its locked version.
    about: (String, String),
    until: SystemTime,
}

fn exceptions(deny: &str) -> Vec<Exception> {
    let deny: toml::Table = deny.parse().unwrap();
    let entries = deny["advisories"]["ignore"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| exception(entry).unwrap_or_else(|| panic!("no crate, version or day: {entry}")))
        .collect()
}

fn exception(entry: &toml::Value) -> Option<Exception> {
    let reason = entry.get("reason")?.as_str()?;
    let mut words = reason.split(' ');
    let about = (words.next()?.to_owned(), words.next()?.to_owned());
    let day = reason.rsplit_once("Look again by ")?.1;
    let until = humantime::parse_rfc3339(&format!("{day}T00:00:00Z")).ok()?;
    Some(Exception { id: entry.get("id")?.as_str()?.to_owned(), about, until })
}

fn locked() -> BTreeSet<(String, String)> {
    let lock: toml::Table = file("Cargo.lock").parse().unwrap();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    let packages = lock["package"].as_array().unwrap();
    packages.iter().map(|package| (text(package, "name"), text(package, "version"))).collect()
}

/// What is wrong with an exception, at this time.
fn judged(exception: &Exception, locked: &BTreeSet<(String, String)>, now: SystemTime) -> Option<String> {
    let (name, version) = &exception.about;
    if !locked.contains(&exception.about) {
        return Some(format!(
            "{}: {name} {version} is not locked any more: strike the exception",
            exception.id
        ));
    }
    (now > exception.until).then(|| {
        format!(
            "{}: its day is past: is there a patched {name}? If not, say why, and set another day",
            exception.id
        )
    })
}

/// An exception ends with its day, or with the version that it is about.
#[test]
fn exceptions_are_needed_and_of_today() {
    let (locked, now) = (locked(), SystemTime::now());
    let wrong: Vec<_> =
        exceptions(&file("deny.toml")).iter().filter_map(|entry| judged(entry, &locked, now)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// The same, of exceptions that have outlived their reason.
#[test]
fn an_exception_that_outlived_its_reason_is_found() {
    let entry = r#"{ id = "RUSTSEC-2000-0001", reason = "a 1.0.0 is fine. Look again by 2000-01-02" }"#;
    let found = exceptions(&format!("[advisories]\nignore = [{entry}]"));
    let locked = BTreeSet::from([("a".to_owned(), "1.0.0".to_owned())]);
    let before = found[0].until - Duration::from_secs(1);
    assert_eq!(judged(&found[0], &locked, before), None);
    let past = judged(&found[0], &locked, SystemTime::now()).unwrap();
    assert!(past.contains("its day is past"), "{past}");
    let gone = judged(&found[0], &BTreeSet::new(), before).unwrap();
    assert!(gone.contains("not locked any more"), "{gone}");
}
