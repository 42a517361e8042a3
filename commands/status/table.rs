//! The table of `latchkey status`, as a pure function.
//!
//! Owns the layout. Invariants: on a terminal no line is wider than it, so that redrawing finds every line where it was; away from one
//! nothing is cut and nothing coloured.

use latchkey::broker::Overview;
use latchkey::clock::UnixSeconds;

use super::wording::{Mood, distance, login, next_step, plain, source, state};
use crate::terminal;

/// What columns may shrink to, in the order in which they do: account, who signed in, tenant.
const SHRINK: [(usize, usize); 3] = [(3, 12), (4, 8), (0, 12)];
const GAP: usize = 2;
const INDENT: &str = "  ";
/// No room is given away on a terminal of fewer columns.
const NARROW: usize = 20;
const HEADINGS: [&str; 5] = ["TENANT", "STATE", "TOKEN", "ACCOUNT", "SIGNED IN BY"];

/// For whom it is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Columns of the terminal; none where it is none.
    pub width: Option<usize>,
    /// Whether there may be colour.
    pub coloured: bool,
    /// Whether only data is wanted: no headings.
    pub quiet: bool,
}

impl Look {
    /// For whatever standard output is.
    pub fn here() -> Self {
        Self {
            width: terminal::size().map(|size| size.columns),
            coloured: terminal::is_coloured(),
            quiet: terminal::is_quiet(),
        }
    }
}

struct Row {
    cells: [String; 5],
    mood: Mood,
    below: Option<String>,
}

/// The whole page.
pub fn table(shown: &Overview, now: UnixSeconds, look: &Look) -> String {
    let mut lines = Vec::new();
    for said in &shown.sources {
        lines.extend(wrapped(&source(said), "", look));
    }
    let rows: Vec<_> = shown
        .tenants
        .iter()
        .map(|tenant| {
            let (word, mood) = state(tenant);
            let token = tenant
                .expires_at
                .map(|at| format!("{} {}", if at > now { "ends" } else { "ended" }, distance(at, now)));
            let blank = || "-".to_owned();
            let cells = [
                plain(&tenant.tenant),
                word,
                token.unwrap_or_else(blank),
                tenant.account.as_deref().map_or_else(blank, plain),
                tenant.owner.as_deref().map_or_else(blank, plain),
            ];
            Row { cells, mood, below: next_step(tenant, now) }
        })
        .collect();
    if !rows.is_empty() {
        let widths = widths(&rows, look);
        if !look.quiet {
            lines.push(painted(&line(&HEADINGS.map(str::to_owned), &widths), "2", look));
        }
        for row in &rows {
            lines.push(row_line(row, &widths, look));
            lines.extend(row.below.iter().flat_map(|below| wrapped(below, INDENT, look)));
        }
    }
    for open in &shown.logins {
        let (tenant, user) = (plain(&open.tenant), plain(&open.user));
        let ends = if open.expires_at > now { "ends" } else { "ended" };
        let text = format!(
            "the sign-in to {tenant} by {user} is {}, {ends} {}",
            login(&open.status),
            distance(open.expires_at, now)
        );
        lines.extend(wrapped(&text, "", look));
    }
    for owed in &shown.revocations {
        let text = format!(
            "tokens of {} are still to be revoked at its provider: tried again {}",
            plain(&owed.tenant),
            if owed.retry_at > now { distance(owed.retry_at, now) } else { "soon".to_owned() }
        );
        lines.extend(wrapped(&text, "", look));
    }
    for damage in &shown.damaged {
        lines.extend(wrapped(&format!("damaged: {}", plain(damage)), "", look));
    }
    lines.join("\n")
}

/// How wide each column is: as wide as its widest cell, unless the terminal is too narrow for that.
fn widths(rows: &[Row], look: &Look) -> [usize; 5] {
    let mut widths = if look.quiet { [0; 5] } else { HEADINGS.map(columns) };
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(columns(cell));
        }
    }
    if let Some(terminal) = look.width {
        for (column, least) in SHRINK {
            let all: usize = widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
            let excess = all.saturating_sub(terminal);
            let width = &mut widths[column];
            *width = width.saturating_sub(excess).max(least.min(*width));
        }
    }
    widths
}

fn line(cells: &[String; 5], widths: &[usize; 5]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| pad(&cut(cell, *width), *width));
    padded.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
}

/// A row, cut to the terminal as a whole where even its shrunk columns do not fit.
fn row_line(row: &Row, widths: &[usize; 5], look: &Look) -> String {
    let text = line(&row.cells, widths);
    let text = look.width.map_or(text.clone(), |width| cut(&text, width));
    if !look.coloured {
        return text;
    }
    let colour = match row.mood {
        Mood::Good => "32",
        Mood::Wavering => "33",
        Mood::Bad => "31",
        Mood::Resting => "2",
    };
    // The state is coloured in place, so that colours count for nothing in the layout.
    let word = cut(&row.cells[1], widths[1]);
    let start = pad(&cut(&row.cells[0], widths[0]), widths[0]).len() + GAP;
    match text.get(start..).and_then(|rest| rest.strip_prefix(word.as_str())) {
        Some(rest) => format!("{}\u{1b}[{colour}m{word}\u{1b}[0m{rest}", &text[..start]),
        None => text,
    }
}

fn painted(text: &str, code: &str, look: &Look) -> String {
    let text = look.width.map_or_else(|| text.to_owned(), |width| cut(text, width));
    if look.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text }
}

/// `text` in lines that fit, broken between words where that can be.
fn wrapped(text: &str, indent: &str, look: &Look) -> Vec<String> {
    let Some(width) = look.width else { return vec![format!("{indent}{text}")] };
    let indent = if width > NARROW { indent } else { "" };
    let room = width.saturating_sub(indent.len());
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let held = columns(&lines[last]);
        if held > 0 && held + 1 + columns(word) > room {
            lines.push(word.to_owned());
        } else {
            if held > 0 {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines.iter().map(|line| format!("{indent}{}", cut(line, room))).collect()
}

/// `text`, with its end cut off where it is wider than `width`.
fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut held = 0;
    let fits = |c: &char| {
        held += columns_of(*c);
        held < width
    };
    text.chars().take_while(fits).chain((width > 0).then_some('…')).collect()
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// How many columns a terminal gives a character: two to what is wide in East Asian type (UAX #11), one to all else.
fn columns_of(c: char) -> usize {
    let is_wide = matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1f64f}' | '\u{1f900}'..='\u{1f9ff}' | '\u{20000}'..='\u{3fffd}');
    if is_wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests;
