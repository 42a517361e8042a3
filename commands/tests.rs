//! What `latchkey help` teaches.

use clap::CommandFactory;

use super::*;

/// Every command that people see, by name.
fn commands() -> Vec<(String, clap::Command)> {
    let mut all = Cli::command().term_width(100);
    all.build();
    let shown =
        all.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    shown.map(|command| (command.get_name().to_owned(), command.clone().term_width(100))).collect()
}

fn help_of(command: &clap::Command) -> String {
    command.clone().render_long_help().to_string()
}

/// The calls of `latchkey` in one line of an example, as words.
fn calls(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("latchkey ").map(|(at, _)| at);
    let begins = starts
        .filter(|at| line[..*at].chars().next_back().is_none_or(|before| before == ' ' || before == '('));
    begins.map(|at| words(&line[at..])).collect()
}

/// The words of a shell's command, up to whatever ends it: an operator, or the two blanks before a remark.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quote, mut was_blank, mut depth) = (None, false, 0);
    for c in text.chars() {
        let is_blank = c == ' ' && quote.is_none() && depth == 0;
        match c {
            ' ' if is_blank && was_blank => break,
            ' ' if is_blank => words.push(String::new()),
            '|' | '<' | '>' | ';' | '&' | ')' if quote.is_none() && depth == 0 => break,
            '(' if quote.is_none() => depth += 1,
            ')' if quote.is_none() => {
                depth -= 1;
                words.last_mut().unwrap().push('x');
            }
            '\'' | '"' if depth == 0 && quote == Some(c) => quote = None,
            '\'' | '"' if depth == 0 && quote.is_none() => quote = Some(c),
            _ if depth > 0 => {}
            _ => words.last_mut().unwrap().push(c),
        }
        was_blank = is_blank;
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

/// Whoever reads a command's help sees how it is called.
#[test]
fn each_command_shows_examples_that_parse() {
    let top = ("latchkey".to_owned(), Cli::command().term_width(100));
    for (name, command) in commands().into_iter().chain([top]) {
        let help = help_of(&command);
        let after = help.split_once("\nExamples:\n");
        let (_, after) = after.unwrap_or_else(|| panic!("the help of {name} shows no example:\n{help}"));
        let mut count = 0;
        for line in after.lines().filter(|line| line.starts_with("  ")) {
            for mut call in calls(line) {
                // What a rejected token's hash is computed from stands for one.
                if let Some(at) = call.iter().position(|word| word == "--rejected-sha256") {
                    call[at + 1] = "0".repeat(64);
                }
                let parsed = Cli::try_parse_from(&call);
                let is_help = parsed.as_ref().is_err_and(|error| error.exit_code() == 0);
                assert!(parsed.is_ok() || is_help, "{line}\n{call:?}: {}", parsed.unwrap_err());
                count += 1;
            }
        }
        assert!(count > 0, "the help of {name} calls nothing");
    }
    // The test can fail.
    assert!(Cli::try_parse_from(&calls("  latchkey token codex --colour  # no")[0]).is_err());
}

/// What holds for all commands stands in one place, and that is where people look first; a command tells what is its own.
#[test]
fn exit_codes_are_told_once() {
    const OF_ALL: &str =
        "Exit codes: 0 done, 1 internal error, 2 usage, configuration or unknown tenant, 3 needs sign-in";
    assert_eq!(help_of(&Cli::command()).matches(OF_ALL).count(), 1);
    for (name, command) in commands() {
        let help = help_of(&command);
        assert!(!help.contains("1 internal error"), "{name}: {help}");
    }
}

/// A change of a help text is seen.
#[test]
fn help_texts() {
    insta::assert_snapshot!("help", help_of(&Cli::command().term_width(100)));
    for (name, command) in commands() {
        insta::assert_snapshot!(format!("help-{name}"), help_of(&command));
    }
}

/// clap's own judgement of the whole.
#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}
