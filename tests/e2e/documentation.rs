//! The pages that people read: what they point to is there, and what they say is so.

mod errors;
mod feeds;
mod mcp;
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

/// A page of the project.
fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("the page is there")
}

/// What stands in blocks of `language` on `page`.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// Every configuration on `page`.
fn configurations(page: &str) -> Vec<String> {
    blocks(page, "toml")
}

/// Every line of a shell on `page`, and all that stands in a sentence as code.
fn code(page: &str) -> Vec<String> {
    let lines =
        blocks(page, "sh").into_iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>());
    let prose: String = page.split("```").step_by(2).collect();
    lines.chain(prose.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

/// Whether each link of the page `name` leads to a file, and to a heading in it where it names one.
fn leads_somewhere(name: &str) {
    let text = page(name);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    for link in between(&text, "](", ')').filter(|link| !link.contains("://")) {
        let (file, heading) =
            link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
        let target = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
        assert!(target.exists(), "{name}: {link}");
        if let Some(heading) = heading {
            let there = std::fs::read_to_string(&target).unwrap();
            let anchors: BTreeSet<_> =
                there.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
            assert!(anchors.contains(heading), "{name}: {link} in {anchors:?}");
        }
    }
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
    // A picture that cannot be seen is told in words.
    assert_eq!(
        page.matches("<img ").count(),
        between(&page, "alt=\"", '"').filter(|alt| !alt.is_empty()).count()
    );
}

/// Every page points to what is there.
#[test]
fn every_page_leads_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let pages: Vec<_> = files
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    assert!(pages.len() > 8, "{pages:?}");
    for name in pages.iter().map(String::as_str).chain(["README.md", "ARCHITECTURE.md"]) {
        leads_somewhere(name);
    }
}
