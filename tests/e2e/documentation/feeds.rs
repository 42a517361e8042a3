//! The page about files that programs insist on: its configuration can be used, and it leads somewhere.

use std::path::Path;

use latchkey::config::Config;

use super::{configurations, page};

/// F12: each example is a feed.
#[test]
fn every_example_on_the_page_about_feeds_is_a_configuration() {
    let examples = configurations(&page("docs/feeds.md"));
    assert_eq!(examples.len(), 1);
    for text in examples {
        let config = Config::parse(&text, Path::new("latchkey.toml"), &|_| None);
        let config = config.unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!((config.warnings.len(), config.feeds.len()), (0, 1), "{text}");
    }
}

/// The page's links lead somewhere.
#[test]
fn the_page_about_feeds_points_to_what_is_there() {
    super::leads_somewhere("docs/feeds.md");
}
