//! How things are told: tables for people, JSON for programs.

use std::io::Write as _;

use cs_model::text::neutralise;
use serde_json::Value;

/// The widest that a line for a person gets, where it can be helped.
const WIDTH: usize = 100;

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Output {
    Json,
    Person,
}

impl Output {
    /// Prints an answer: as it is for programs, or in words.
    pub(crate) fn tell(self, answer: &Value, words: impl FnOnce(&Value) -> String) {
        match self {
            Self::Json => line(&answer.to_string()),
            Self::Person => line(words(answer).trim_end()),
        }
    }
}

/// A number of things: one of them has no `s`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Prints a line. That nobody reads it any more is no failure of what was done.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// A table with a heading. Texts of others are made harmless for the terminal; the widest column
/// is cut where the table would not fit, but never an id, which people copy.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>], empty: &str) -> String {
    if rows.is_empty() {
        return empty.to_owned();
    }
    let titles = heading.iter().map(|text| (*text).to_owned()).collect();
    let mut lines: Vec<Vec<String>> = vec![titles];
    lines.extend(rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()));
    let mut widths = widths(&lines);
    shrink(&mut widths, heading);
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| fit(cell, *width)).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Lines of `name  value`, without those that have no value.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let shown = || fields.iter().filter(|(_, value)| !value.is_empty());
    let width = shown().map(|(name, _)| name.len()).max().unwrap_or(0);
    shown().map(|(name, value)| format!("{name:<width$}  {}\n", clean(value))).collect()
}

/// A text of somebody else on one line, harmless for the terminal.
pub(crate) fn clean(text: &str) -> String {
    neutralise(text, usize::MAX)
}

/// JSON laid out for reading, with every text in it harmless for the terminal.
pub(crate) fn pretty(json: &str) -> String {
    let value: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let laid_out = serde_json::to_string_pretty(&value).unwrap_or_default();
    laid_out.lines().map(|line| format!("  {}\n", clean(line))).collect()
}

fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..columns).map(width).collect()
}

fn shrink(widths: &mut [usize], heading: &[&str]) {
    let gaps = widths.len().saturating_sub(1).saturating_mul(2);
    loop {
        let total = widths.iter().sum::<usize>().saturating_add(gaps);
        let cuttable = widths.iter_mut().zip(heading).filter(|(_, title)| !title.ends_with("id"));
        let widest = cuttable.map(|(width, _)| width).max();
        match widest {
            Some(widest) if total > WIDTH && *widest > 12 => *widest = widest.saturating_sub(1),
            Some(_) | None => return,
        }
    }
}

fn fit(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return format!("{cell:<width$}");
    }
    let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}\u{2026}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_is_singular() {
        assert_eq!([0, 1, 2].map(|it| counted(it, "key")), ["0 keys", "1 key", "2 keys"]);
    }

    #[test]
    fn a_table_fits_a_hundred_columns() {
        let long = "x".repeat(300);
        let id = format!("ses_{}", "0".repeat(32));
        let rows = vec![vec![id.clone(), long.clone(), long]];
        let text = table(&["id", "first", "second"], &rows, "");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains('\u{2026}') && text.contains(&id), "{text}");
    }

    #[test]
    fn an_empty_table_says_what_to_do() {
        assert_eq!(table(&["name"], &[], "no agents yet"), "no agents yet");
    }

    #[test]
    fn what_an_agent_wrote_cannot_move_the_cursor() {
        let rows = vec![vec!["\u{1b}[2Jgone\u{202e}".to_owned()]];
        let text = table(&["name"], &rows, "");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
        assert!(!pretty("{\"a\":\"\u{202e}\"}").contains('\u{202e}'));
    }
}
