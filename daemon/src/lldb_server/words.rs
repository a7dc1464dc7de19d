//! Command lines in LLVM's form: options with one hyphen or two, their values after `=` or in the next word, before and
//! after what is no option; `--` ends them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The words of a command line that are left.
pub(super) struct Words<I> {
    rest: I,
    /// What followed `=` in the last option.
    attached: Option<OsString>,
    /// After `--`.
    ended: bool,
}

/// One word.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Word {
    /// An option, without its hyphens.
    Option(String),
    /// Anything else.
    Input(OsString),
}

impl<I: Iterator<Item = OsString>> Words<I> {
    pub(super) fn new(words: I) -> Self {
        Self { rest: words, attached: None, ended: false }
    }

    /// The next word. The value of an option is to be asked for before that.
    ///
    /// # Errors
    /// Where the last option was given a value that it does not take.
    pub(super) fn next(&mut self) -> Result<Option<Word>, String> {
        if let Some(value) = self.attached.take() {
            return Err(format!("the value `{}` belongs to an option that takes none", value.display()));
        }
        let Some(word) = self.rest.next() else { return Ok(None) };
        if self.ended || !is_option(&word) {
            return Ok(Some(Word::Input(word)));
        }
        if word == "--" {
            self.ended = true;
            return self.next();
        }
        let bytes = word.as_bytes();
        let bytes = bytes.strip_prefix(b"--").unwrap_or_else(|| &bytes[1..]);
        let name = match bytes.iter().position(|byte| *byte == b'=') {
            Some(end) => {
                self.attached = Some(OsStr::from_bytes(&bytes[end + 1..]).to_owned());
                &bytes[..end]
            }
            None => bytes,
        };
        Ok(Some(Word::Option(String::from_utf8_lossy(name).into_owned())))
    }

    /// The value of the option `name`, which was the last word.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn value(&mut self, name: &str) -> Result<OsString, String> {
        self.attached.take().or_else(|| self.rest.next()).ok_or_else(|| format!("--{name}: missing argument"))
    }
}

/// A hyphen alone is none.
fn is_option(word: &OsStr) -> bool {
    word.len() > 1 && word.as_bytes().starts_with(b"-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Words<impl Iterator<Item = OsString>> {
        Words::new(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    #[test]
    fn options_stand_anywhere_before_two_hyphens() {
        let mut words = words("-S :1 --fd=7 -pipe 8 - -- --fd x");
        let option = |name: &str| Ok(Some(Word::Option(name.into())));
        let input = |text: &str| Ok(Some(Word::Input(text.into())));
        assert_eq!(words.next(), option("S"));
        assert_eq!(words.next(), input(":1"));
        assert_eq!(words.next(), option("fd"));
        assert_eq!(words.value("fd").unwrap(), "7");
        assert_eq!(words.next(), option("pipe"));
        assert_eq!(words.value("pipe").unwrap(), "8");
        assert_eq!(words.next(), input("-"));
        assert_eq!(words.next(), input("--fd"));
        assert_eq!(words.next(), input("x"));
        assert_eq!(words.next(), Ok(None));
    }

    #[test]
    fn a_value_that_is_missing_or_not_wanted_is_an_error() {
        let mut given = words("--setsid=yes");
        given.next().unwrap();
        assert!(given.next().unwrap_err().contains("`yes`"));
        let mut missing = words("--fd");
        missing.next().unwrap();
        assert_eq!(missing.value("fd").unwrap_err(), "--fd: missing argument");
    }
}
