//! The table of docs/performance.md: every row with its peer, measured in one run.
//!
//! `cargo bench --bench table` prints it, as Markdown, in some minutes; with a word behind `--`, only the rows whose name
//! has it. Each row is the median of turns that the thing and its peer take in one loop; in
//! parentheses the shortest tenth, which a busy machine spoils less.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod growth;
mod machine;
mod oidc_agent;
mod programs;
mod refresh;
mod row;
mod socket;

use common::pair::measure;
use common::rows;
use row::Row;

/// Turns of a row that is measured inside this process.
const TURNS: usize = 60;

/// What measures a part of the table.
type Measure = fn() -> Vec<Row>;

/// The parts that need more than this process, with the words they are asked for by.
const PARTS: [(&str, Measure); 6] = [
    ("whole process", programs::fresh),
    ("sealed", programs::sealed),
    ("storm", programs::storm),
    ("refresh", refresh::rows),
    ("hand-over", crowd::hand_over),
    ("socket", socket::rows),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, rest @ ..] = arguments.as_slice()
        && crowd::is_member(mode)
    {
        return crowd::member(mode, rest);
    }
    if let [mode, rest @ ..] = arguments.as_slice()
        && socket::is_member(mode)
    {
        return socket::member(mode, rest);
    }
    // Cargo says `--bench`; without it, this is a test run that wants to know only that it starts.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let word = arguments.iter().find(|argument| !argument.starts_with('-')).map_or("", String::as_str);
    let wanted = |name: &str| name.contains(word);

    machine::print();
    println!("| what | measured | peer, in the same run | ratio | to reach | |\n|---|---|---|---|---|---|");
    for mut pair in rows::all().into_iter().filter(|pair| wanted(pair.name)) {
        let (thing, peer) = measure(&mut pair, TURNS);
        Row::of_pair(&pair, thing, peer).print();
    }
    for (_, measure) in PARTS.into_iter().filter(|(name, _)| wanted(name)) {
        for row in measure() {
            row.print();
        }
    }
    if wanted("socket") {
        socket::print();
    }
    if wanted("growth") {
        growth::print();
    }
}
