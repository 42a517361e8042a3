//! The pages that people read: what they point to is there, and what they say is so.

pub(crate) mod providers;

use std::collections::BTreeSet;
use std::path::Path;

/// Bytes of a picture, so that a page of them is loaded soon.
const LARGEST: u64 = 60 * 1_024;

/// What stands between `before` and `after`, each time.
fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
}

/// A heading as the end of an address.
fn anchor(heading: &str) -> String {
    let letters = heading.trim_matches(['#', ' ']).to_lowercase();
    letters
        .chars()
        .filter(|c| c.is_alphanumeric() || " -".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn the_page_for_members_points_to_what_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = std::fs::read_to_string(docs.join("members.md")).unwrap();
    let pictures: BTreeSet<_> = between(&page, "src=\"members/", '"').map(str::to_owned).collect();
    let files: BTreeSet<_> = std::fs::read_dir(docs.join("members"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(pictures, files, "each picture is there, and none is left over: cargo run --example members");
    for file in files {
        let size = docs.join("members").join(&file).metadata().unwrap().len();
        assert!(size <= LARGEST, "{file}: {size} bytes");
    }
    for page in between(&page, "src=\"pages/", '"') {
        let size = docs.join("pages").join(page).metadata().map(|file| file.len());
        assert!(size.as_ref().is_ok_and(|size| *size <= LARGEST), "{page}: {size:?}");
    }
    let anchors: BTreeSet<_> = page.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    for link in between(&page, "](", ')') {
        match link.strip_prefix('#') {
            Some(name) => assert!(anchors.contains(name), "{link} in {anchors:?}"),
            None => assert!(docs.join(link).exists(), "{link}"),
        }
    }
    // A picture that cannot be seen is told in words.
    assert_eq!(
        page.matches("<img ").count(),
        between(&page, "alt=\"", '"').filter(|alt| !alt.is_empty()).count()
    );
}
