//! The page about providers: what it says of keys, names and examples is so.

use std::collections::BTreeSet;
use std::path::Path;

use latchkey::config::{Config, ConfigError};
use latchkey::provider::{BUILTINS, UNSUPPORTED};

use super::{between, configurations};

fn page() -> String {
    super::page("docs/providers.md")
}

/// Every configuration on the page.
pub fn examples() -> Vec<String> {
    configurations(&page())
}

/// The part of the page below a heading of the second level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(&format!("\n## {heading}\n")).expect("the heading is there") + 1;
    let rest = &page[start..];
    rest[3..].find("\n## ").map_or(rest, |end| &rest[..end + 3])
}

/// The names in the first column of the tables in `text`, aliases in brackets included.
fn first_column(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| between(row.split(" | ").next().unwrap_or_default(), "`", '`').step_by(2))
        .map(str::to_owned)
        .collect()
}

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("latchkey.toml"), &|_| None)
}

/// The keys that the configuration knows below `[providers.acme]` or a table in it, as it tells those who write another.
fn known(table: &str) -> BTreeSet<String> {
    let text = format!("providers.acme.issuer = \"https://id.acme.example\"\n{table}.qqqqqqqqqqqqqqqq = 1\n");
    let ConfigError::Invalid { problems, .. } = read(&text).expect_err("the key is unknown") else {
        panic!("the text can be read");
    };
    let [problem] = problems.as_slice() else { panic!("one problem: {problems:?}") };
    let keys = problem.remedy.strip_prefix("known here: ").expect("all keys are told");
    keys.split(", ").map(str::to_owned).collect()
}

/// T13, VENDORS: the reference names every key there is, and no other.
#[test]
fn the_reference_has_every_key_of_a_provider() {
    let page = page();
    let reference = section(&page, "All keys");
    let mut parts = reference.split("\nOf `[providers.<name>.");
    for table in ["providers.acme", "providers.acme.device", "providers.acme.refresh"] {
        let told = first_column(parts.next().expect("a table of keys"));
        assert_eq!(told, known(table), "{table}");
    }
}

/// VENDORS: every built-in is on the page, with its aliases.
#[test]
fn the_page_names_every_built_in() {
    let page = page();
    let mut shipped = BTreeSet::new();
    for builtin in BUILTINS {
        let table: toml::Table = builtin.text.parse().expect("a descriptor is TOML");
        let aliases = table["aliases"].as_array().expect("aliases are a list").iter();
        shipped.extend(aliases.filter_map(|alias| alias.as_str()).map(str::to_owned));
        shipped.insert(if builtin.name == "mcp" { "mcp:<name>".to_owned() } else { builtin.name.to_owned() });
    }
    let told = section(&page, "What is built in");
    assert_eq!(first_column(told), shipped);
    for builtin in BUILTINS {
        let start = format!("| `{}", builtin.name);
        let row = told.lines().find(|line| line.starts_with(&start)).expect("it has a row");
        assert!(row.ends_with(if builtin.tried { "| yes |" } else { "| no |" }), "{row}");
    }
}

/// VENDORS: whoever is looked for in vain is on the page too.
#[test]
fn the_page_says_what_is_not_there() {
    let page = page();
    let told = first_column(section(&page, "What is not there, and why"));
    let known = ["hermes", "opencode", "pi"].into_iter().chain(UNSUPPORTED.iter().map(|vendor| vendor.name));
    assert_eq!(told, known.map(str::to_owned).collect());
}

/// VENDORS: every example is a configuration in which somebody can sign in, or lacks what the page says that it lacks.
#[test]
fn every_example_is_a_configuration() {
    let examples = examples();
    assert!(examples.len() >= 10);
    for text in examples {
        let config = read(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        for provider in config.providers.iter() {
            assert!(!provider.flows.is_empty(), "{text}");
        }
        let lacks: Vec<_> = config.warnings.iter().map(|problem| problem.key.as_str()).collect();
        assert!(
            lacks.iter().all(|key| key.ends_with("client_secret_env") || key.ends_with(".access")),
            "{text}\n{lacks:?}"
        );
    }
}

/// The page's links lead somewhere.
#[test]
fn the_page_about_providers_points_to_what_is_there() {
    super::leads_somewhere("docs/providers.md");
    super::leads_somewhere("README.md");
}
