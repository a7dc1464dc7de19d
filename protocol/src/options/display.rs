//! Options as connection strings.

use core::fmt::{self, Write};

use super::form::Form;
use super::{Parameter, Transport};

/// Whether passwords are printed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Secrets {
    Shown,
    Hidden,
}

/// Prints parameters, one after the other.
pub(super) struct Writer<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    secrets: Secrets,
    separator: char,
}

impl Writer<'_, '_> {
    pub(super) fn flag(&mut self, parameter: Parameter) -> fmt::Result {
        write!(self.f, "{}{parameter}", self.separator)?;
        self.separator = ',';
        Ok(())
    }

    pub(super) fn value(&mut self, parameter: Parameter, text: &str) -> fmt::Result {
        self.flag(parameter)?;
        self.f.write_char('=')?;
        if parameter == Parameter::Password && self.secrets == Secrets::Hidden {
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
    secrets: Secrets,
) -> fmt::Result {
    write!(f, "{transport}")?;
    form.write(&mut Writer { f, secrets, separator: ':' })
}

/// Options as they are logged: the connection string with `***` for the password.
pub struct Redacted<'a> {
    pub(super) transport: Transport,
    pub(super) form: &'a dyn Form,
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_string(f, self.transport, self.form, Secrets::Hidden)
    }
}
