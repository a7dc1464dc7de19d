//! Tables for people.

use console::{measure_text_width, truncate_str};
use std::borrow::Cow;

/// Fewest characters that the last column is cut to, however narrow the terminal is.
const NARROWEST: usize = 16;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Align {
    /// At the left: words.
    Left,
    /// At the right: numbers.
    Right,
}

/// Rows of texts under headings.
#[derive(Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    headings: [(&'static str, Align); COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table without rows.
    pub(crate) const fn new(headings: [(&'static str, Align); COLUMNS]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// Whether it has no rows.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row. Texts come from other machines: their control characters are escaped.
    pub(crate) fn push(&mut self, row: [String; COLUMNS]) {
        self.rows.push(row.map(|text| match printable(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(escaped) => escaped,
        }));
    }

    /// The table, a line for each row; the last column is cut so that a line has at most `width` characters.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
            let texts = self.rows.iter().map(|row| measure_text_width(&row[column]));
            texts.max().unwrap_or(0).max(self.headings[column].0.len())
        });
        let before_last: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
        let room = width.map(|width| width.saturating_sub(before_last).max(NARROWEST));
        let headings = self.headings.map(|(heading, _)| heading);
        let mut text = self.line(headings, &widths, room);
        for row in &self.rows {
            text += &self.line(row.each_ref().map(String::as_str), &widths, room);
        }
        text
    }

    fn line(&self, texts: [&str; COLUMNS], widths: &[usize; COLUMNS], room: Option<usize>) -> String {
        let mut line = String::new();
        for (column, text) in texts.into_iter().enumerate() {
            let last = column + 1 == COLUMNS;
            let text = match room {
                Some(room) if last => truncate_str(text, room, "…"),
                _ => text.into(),
            };
            let padding = " ".repeat(widths[column].saturating_sub(measure_text_width(&text)));
            match self.headings[column].1 {
                Align::Right => line.extend([padding.as_str(), &text]),
                Align::Left if last => line += &text,
                Align::Left => line.extend([&text, padding.as_str()]),
            }
            if !last {
                line += "  ";
            }
        }
        line.truncate(line.trim_end().len());
        line + "\n"
    }
}

/// A text with its control characters escaped: it neither ends the line nor tells the terminal anything.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character.is_control() { escaped.extend(character.escape_debug()) } else { escaped.push(character) }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(rows: &[[&str; 3]]) -> Table<3> {
        let mut table = Table::new([("PID", Align::Right), ("USER", Align::Left), ("COMMAND", Align::Left)]);
        for row in rows {
            table.push(row.map(str::to_owned));
        }
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_text_and_the_last_is_not_padded() {
        let table = processes(&[["7", "root", "init"], ["12345", "a", "sleep 10"]]);
        assert_eq!(table.render(None), "  PID  USER  COMMAND\n    7  root  init\n12345  a     sleep 10\n");
    }

    #[test]
    fn a_table_without_rows_has_its_headings() {
        assert_eq!(processes(&[]).render(Some(80)), "PID  USER  COMMAND\n");
    }

    #[test]
    fn the_last_column_is_cut_to_the_width_and_no_other_text_is() {
        let table = processes(&[["1", "somebody-with-a-name", "a-program with arguments of some length"]]);
        let text = table.render(Some(50));
        assert!(text.lines().all(|line| measure_text_width(line) <= 50), "{text}");
        assert!(text.contains("somebody-with-a-name  a-program with argum"), "{text}");
        assert!(text.ends_with("…\n"), "{text}");
    }

    #[test]
    fn a_terminal_that_is_too_narrow_still_gets_the_beginning_of_the_last_column() {
        let text = processes(&[["1", "root", "a-program with arguments"]]).render(Some(3));
        assert!(text.contains("a-program with "), "{text}");
    }

    #[test]
    fn characters_of_two_columns_keep_the_columns_aligned() {
        let table = processes(&[["1", "日本", "a"], ["2", "root", "b"]]);
        assert!(table.render(None).contains("日本  a\n"), "{}", table.render(None));
    }

    #[test]
    fn a_text_stays_in_its_line_and_leaves_the_terminal_alone() {
        assert_eq!(printable("a\nb\u{1b}[31mé"), "a\\nb\\u{1b}[31mé");
        let text = processes(&[["1", "root", "a\n2  root  b\u{9b}0m"]]).render(None);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains('\u{9b}'), "{text}");
    }
}
