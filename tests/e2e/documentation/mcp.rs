//! The page about MCP servers: its configurations can be used, and its commands are there.

use std::path::Path;
use std::process::Command;

use latchkey::config::Config;

use super::{code, configurations, page};

/// F12: each example is a server that somebody can sign in to.
#[test]
fn every_example_on_the_page_about_mcp_is_a_configuration() {
    let examples = configurations(&page("docs/mcp.md"));
    assert_eq!(examples.len(), 2);
    for text in examples {
        let config = Config::parse(&text, Path::new("latchkey.toml"), &|_| None);
        let config = config.unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(config.warnings, [], "{text}");
        for provider in config.providers.iter() {
            assert!(provider.name.is_mcp() && provider.is_open(), "{text}");
        }
    }
}

/// Every command that the pages for operators name is there, and takes the options that they name.
#[test]
fn every_command_on_the_pages_for_operators_is_there() {
    let pages = [
        "README.md",
        "docs/access.md",
        "docs/check.md",
        "docs/mcp.md",
        "docs/operations.md",
        "docs/providers.md",
    ];
    for name in pages {
        let (page, mut named) = (page(name), 0);
        for code in code(&page) {
            for called in code.split("latchkey ").skip(1) {
                let mut words = called.split([' ', '\n', ')', '"', '\'']).take_while(|word| *word != "#");
                let command = words.next().unwrap_or_default();
                // The program alone, and what other programs have behind its name.
                if command.is_empty() || command.starts_with('-') {
                    continue;
                }
                let options: Vec<_> = words.filter(|word| word.starts_with("--")).collect();
                let help =
                    Command::new(env!("CARGO_BIN_EXE_latchkey")).args([command, "--help"]).output().unwrap();
                assert!(help.status.success(), "{name}: latchkey {command}");
                let help = String::from_utf8_lossy(&help.stdout).into_owned();
                for option in options {
                    assert!(help.contains(option), "{name}: latchkey {command} {option}");
                }
                named += 1;
            }
        }
        assert!(named >= 3, "{name}: {named}");
    }
}

/// The page's links lead somewhere.
#[test]
fn the_page_about_mcp_points_to_what_is_there() {
    super::leads_somewhere("docs/mcp.md");
}
