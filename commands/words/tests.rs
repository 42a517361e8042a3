//! That every language says everything, and that the code asks for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

/// The variables of each text of a language.
fn texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut texts = BTreeMap::new();
    for (theme, source) in language.themes() {
        assert!(!source.contains('\t'), "{theme}: a tab ends a Fluent text");
        let resource = FluentResource::try_new((*source).to_owned())
            .unwrap_or_else(|(_, errors)| panic!("{theme} in {}: {errors:?}", language.tag()));
        drop(resource);
        let mut key = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                key = name.to_owned();
                assert!(texts.insert(key.clone(), BTreeSet::new()).is_none(), "{key} stands twice");
            }
            let variables = line.split('$').skip(1).map(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                rest[..end].to_owned()
            });
            if let Some(found) = texts.get_mut(&key) {
                found.extend(variables);
            }
        }
    }
    texts
}

/// Every `say!` in the program's sources: the key, and the names of what is filled in.
fn said() -> BTreeMap<String, BTreeSet<String>> {
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("commands")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "words") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                collect(&std::fs::read_to_string(&path).unwrap(), &mut said);
            }
        }
    }
    said
}

fn collect(source: &str, said: &mut BTreeMap<String, BTreeSet<String>>) {
    for call in source.split("say!(").skip(1) {
        let mut depth = 1;
        let end = call.char_indices().find_map(|(at, c)| {
            depth += i32::from(matches!(c, '(' | '[' | '{')) - i32::from(matches!(c, ')' | ']' | '}'));
            (depth == 0).then_some(at)
        });
        let call = &call[..end.expect("a call ends")];
        let key = call.split('"').nth(1).expect("a key is a literal");
        let mut names = said.remove(key).unwrap_or_default();
        let mut depth = 0;
        for part in call.split_inclusive([',', '(', ')', '[', ']', '{', '}']) {
            if depth == 0
                && let Some((name, _)) = part.split_once(" = ")
            {
                names.insert(name.trim().to_owned());
            }
            depth += i32::from(part.ends_with(['(', '[', '{'])) - i32::from(part.ends_with([')', ']', '}']));
        }
        said.insert(key.to_owned(), names);
    }
}

#[test]
fn every_language_has_every_text_with_the_same_variables() {
    let english = texts(Language::English);
    for language in Language::ALL {
        assert_eq!(texts(language), english, "{}", language.tag());
    }
}

#[test]
fn the_code_asks_for_the_texts_that_there_are_and_for_all_of_them() {
    let mut said = said();
    // What names the commands has no variables.
    said.extend(crate::auth::registration::keys().into_iter().map(|key| (key, BTreeSet::new())));
    let written = texts(Language::English);
    let unlike: Vec<_> =
        said.keys().chain(written.keys()).filter(|key| said.get(*key) != written.get(*key)).collect();
    assert!(unlike.is_empty(), "asked for and written unlike: {unlike:?}");
}

#[test]
fn a_locale_leads_to_a_language() {
    for (locale, language) in [
        ("de", Language::German),
        ("de-AT", Language::German),
        ("DE_ch", Language::German),
        ("en-US", Language::English),
        ("fr", Language::English),
        ("den", Language::English),
        ("", Language::English),
    ] {
        assert_eq!(Language::of(locale), language, "{locale:?}");
    }
}

#[test]
fn what_a_browser_accepts_leads_to_a_language() {
    for (header, language) in [
        ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", Language::German),
        ("en-US,en;q=0.9,de;q=0.8", Language::English),
        ("fr, de;q=0.4, en;q=0.2", Language::German),
        ("en;q=0.1, DE;q=0.3", Language::German),
        ("de;q=0, en;q=0.1", Language::English),
        ("de;q=nonsense", Language::English),
        ("de;q=7", Language::English),
        ("den", Language::English),
        ("*", Language::English),
        ("", Language::English),
    ] {
        assert_eq!(Language::accepted(header), language, "{header:?}");
    }
}

/// What somebody typed is never read as Fluent.
#[test]
fn what_is_filled_in_stays_as_it_is() {
    let name = "{ $login } { closing } 🐈";
    let said = say!(Language::English, "cancel-nothing", login = name);
    assert!(said.ends_with("\n{ $login } { closing } 🐈 starts one."), "{said}");
}
