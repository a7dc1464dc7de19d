//! What goes to standard output.

use crate::exit::ExitError;
use crate::table::{Table, printable};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Prints a complete text.
pub(crate) fn print(text: &str) -> Result<(), ExitError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(ExitError::Output)
}

/// Prints a table, or says, not on standard output, that there is `nothing`.
pub(crate) fn print_table<const COLUMNS: usize>(table: &Table<COLUMNS>, nothing: &str) -> Result<(), ExitError> {
    if table.is_empty() {
        eprintln!("{nothing}");
        return Ok(());
    }
    print(&table.render(width()))
}

/// Prints a value as JSON, for programs.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), ExitError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| ExitError::Output(error.into()))?;
    print(&format!("{text}\n"))
}

/// Prints names and values, a pair to a line; pairs without a value are left out.
pub(crate) fn print_fields(fields: &[(&str, String)]) -> Result<(), ExitError> {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let shown = fields.iter().filter(|(_, value)| !value.is_empty());
    let lines = shown.map(|(name, value)| format!("{:width$} {}\n", format!("{name}:"), printable(value)));
    print(&lines.collect::<String>())
}

/// How many characters a line may have: the terminal's width, and no limit for anything but a terminal.
pub(crate) fn width() -> Option<usize> {
    let (_, columns) = io::stdout().is_terminal().then(|| console::Term::stdout().size_checked()).flatten()?;
    Some(columns.into())
}
