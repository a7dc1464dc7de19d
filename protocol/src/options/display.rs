//! Options as connection strings.

use core::fmt::{self, Write};

use super::form::Form;
use super::{Parameter, Transport};

/// For what a connection string is printed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    /// To be read again: all of it.
    Complete,
    /// For a log: without the password.
    Redacted,
    /// In a list of servers: names with an initial capital.
    Listed,
}

/// Prints parameters, one after the other.
pub(super) struct Writer<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    style: Style,
    separator: char,
}

impl Writer<'_, '_> {
    pub(super) fn flag(&mut self, parameter: Parameter) -> fmt::Result {
        self.f.write_char(self.separator)?;
        let name = parameter.name();
        match name.split_at_checked(1) {
            Some((initial, rest)) if self.style == Style::Listed => {
                write!(self.f, "{}{rest}", initial.to_ascii_uppercase())?;
            }
            _ => self.f.write_str(name)?,
        }
        self.separator = ',';
        Ok(())
    }

    pub(super) fn value(&mut self, parameter: Parameter, text: &str) -> fmt::Result {
        self.flag(parameter)?;
        self.f.write_char('=')?;
        if parameter == Parameter::Password && self.style == Style::Redacted {
            self.f.write_str("***")
        } else if text.contains(',') || text.starts_with('"') {
            write!(self.f, "\"{}\"", text.replace('"', "\"\""))
        } else {
            self.f.write_str(text)
        }
    }
}

/// Prints the connection string of `form`.
pub(super) fn write_string(
    f: &mut fmt::Formatter<'_>,
    transport: Transport,
    form: &dyn Form,
    style: Style,
) -> fmt::Result {
    write!(f, "{transport}")?;
    form.write(&mut Writer { f, style, separator: ':' })
}

/// Options as they are logged: the connection string with `***` for the password.
pub struct Redacted<'a> {
    pub(super) transport: Transport,
    pub(super) form: &'a dyn Form,
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_string(f, self.transport, self.form, Style::Redacted)
    }
}
