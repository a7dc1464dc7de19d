//! What clap does not read: `DbgSrv`'s options of several letters behind one dash, and those that take all that follows.

use crate::implicit::{TooLong, check_length};
use std::ffi::{OsStr, OsString};
use thiserror::Error;

/// The word that ends the command line of `-c` and has the rest ignored.
const IGNORE: &str = "-x";
/// The one that ends it and makes the rest the implicit command line.
const PENDING: &str = "-pc";

/// A command line is not built as it has to be.
#[derive(Debug, Error)]
pub(super) enum WordsError {
    #[error("{0}: no program follows; allowed: {0} PROGRAM [ARGUMENT]...")]
    NoProgram(&'static str),
    // Which, and not what: it may be a password of the program's.
    #[error("{PENDING}: word {0} behind it is not UTF-8; allowed: words that are")]
    NotText(usize),
    #[error("{PENDING}: {0}")]
    TooLong(#[from] TooLong),
}

/// A command line, taken apart.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Words {
    /// For clap: the program's name and the options.
    pub(super) options: Vec<OsString>,
    /// What is started: by which option, and its words.
    pub(super) create: Option<(Create, Vec<OsString>)>,
    /// The implicit command line; empty: none.
    pub(super) implicit: Vec<String>,
}

/// How a program is started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Create {
    /// `-c`
    Running,
    /// `-cs`
    Suspended,
}

/// An option that takes all that follows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Last {
    Create(Create),
    Ignore,
    Pending,
}

impl Last {
    fn of(word: &OsStr) -> Option<Self> {
        match word.to_str()? {
            "-c" | "--create" => Some(Self::Create(Create::Running)),
            "-cs" | "--create-suspended" => Some(Self::Create(Create::Suspended)),
            IGNORE | "--ignore-rest" => Some(Self::Ignore),
            PENDING | "--pending-create" => Some(Self::Pending),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Create(Create::Running) => "-c",
            Self::Create(Create::Suspended) => "-cs",
            Self::Ignore => IGNORE,
            Self::Pending => PENDING,
        }
    }
}

/// Whether the word behind `word` is its value.
fn takes_value(word: &OsStr) -> bool {
    ["-t", "--transport", "--log-format", "--suspend-ifeo"].iter().any(|option| word == *option)
}

/// Takes a command line apart, the program's name included.
///
/// # Errors
/// [`WordsError`], with the option.
pub(super) fn split(arguments: Vec<OsString>) -> Result<Words, WordsError> {
    let mut words = Words::default();
    let mut arguments = arguments.into_iter();
    words.options.extend(arguments.next());
    while let Some(word) = arguments.next() {
        match Last::of(&word) {
            Some(last) => {
                words.take(last, arguments.collect())?;
                return Ok(words);
            }
            // To clap it would be `-s ifeo`.
            None if word == "-sifeo" => words.options.push("--suspend-ifeo".into()),
            None => words.options.push(word),
        }
        if words.options.last().is_some_and(|word| takes_value(word)) {
            words.options.extend(arguments.next());
        }
    }
    Ok(words)
}

impl Words {
    fn take(&mut self, option: Last, mut rest: Vec<OsString>) -> Result<(), WordsError> {
        match option {
            Last::Ignore => return Ok(()),
            Last::Create(create) => {
                let end = rest.iter().position(|word| word == IGNORE || word == PENDING).unwrap_or(rest.len());
                let behind = rest.split_off(end);
                if rest.is_empty() {
                    return Err(WordsError::NoProgram(option.name()));
                }
                self.create = Some((create, rest));
                let mut behind = behind.into_iter();
                match behind.next() {
                    Some(word) if word == PENDING => self.take(Last::Pending, behind.collect())?,
                    _ => {}
                }
            }
            Last::Pending => {
                if rest.is_empty() {
                    return Err(WordsError::NoProgram(option.name()));
                }
                self.implicit = (1..)
                    .zip(rest)
                    .map(|(number, word)| word.into_string().map_err(|_| WordsError::NotText(number)))
                    .collect::<Result<_, _>>()?;
                check_length(&self.implicit)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn words(line: &str) -> Result<Words, WordsError> {
        split(line.split(' ').map(OsString::from).collect())
    }

    fn texts(words: &[OsString]) -> String {
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_command_line_goes_up_to_a_word_that_ends_it() {
        for (line, options, suspended, created, implicit) in [
            ("dbgsrv -t T -c app -v -t U", "dbgsrv -t T", false, "app -v -t U", ""),
            ("dbgsrv -t T -cs app --flag", "dbgsrv -t T", true, "app --flag", ""),
            ("dbgsrv -v --create app -C -X -PC", "dbgsrv -v", false, "app -C -X -PC", ""),
            ("dbgsrv -t T --create-suspended app -xx -pcs", "dbgsrv -t T", true, "app -xx -pcs", ""),
            ("dbgsrv -t T -c app a -x b -pc c", "dbgsrv -t T", false, "app a", ""),
            ("dbgsrv -t T -c app a -pc other -x -pc", "dbgsrv -t T", false, "app a", "other -x -pc"),
        ] {
            let words = words(line).unwrap();
            let (create, program) = words.create.unwrap();
            assert_eq!(texts(&words.options), options, "{line}");
            assert_eq!((create == Create::Suspended, texts(&program).as_str()), (suspended, created), "{line}");
            assert_eq!(words.implicit.join(" "), implicit, "{line}");
        }
    }

    #[test]
    fn the_rest_is_ignored_or_kept_for_clients() {
        for (line, implicit) in [
            ("dbgsrv -t T -x -c app", ""),
            ("dbgsrv -t T --ignore-rest", ""),
            ("dbgsrv -t T -pc app -c a -x b", "app -c a -x b"),
            ("dbgsrv -t T --pending-create app", "app"),
        ] {
            let words = words(line).unwrap();
            assert_eq!((texts(&words.options).as_str(), &words.create), ("dbgsrv -t T", &None), "{line}");
            assert_eq!(words.implicit.join(" "), implicit, "{line}");
        }
    }

    #[test]
    fn options_keep_their_values_and_are_told_from_them_by_their_case() {
        for (line, options) in [
            ("dbgsrv -sifeo app.bin -t T", "dbgsrv --suspend-ifeo app.bin -t T"),
            ("dbgsrv -t -c", "dbgsrv -t -c"),
            ("dbgsrv -T T -CS -SIFEO", "dbgsrv -T T -CS -SIFEO"),
            ("dbgsrv", "dbgsrv"),
        ] {
            let words = words(line).unwrap();
            assert_eq!((texts(&words.options).as_str(), words.create), (options, None), "{line}");
        }
    }

    #[test]
    fn an_option_without_its_program_is_an_error_that_names_it() {
        for (line, option) in [
            ("dbgsrv -t T -c", "-c"),
            ("dbgsrv -t T -cs", "-cs"),
            ("dbgsrv -t T -c -x app", "-c"),
            ("dbgsrv -t T -pc", "-pc"),
            ("dbgsrv -t T -c app -pc", "-pc"),
        ] {
            let error = words(line).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{option}: no program follows; allowed: {option} PROGRAM [ARGUMENT]..."),
                "{line}"
            );
        }
    }

    #[test]
    fn what_clients_cannot_be_told_is_refused() {
        let line = |word: Vec<u8>| split(vec!["dbgsrv".into(), "-pc".into(), OsString::from_vec(word)]);
        let error = line(b"--password=Secret1\xff".into()).unwrap_err();
        assert_eq!(error.to_string(), "-pc: word 1 behind it is not UTF-8; allowed: words that are");
        assert!(matches!(line(vec![b'a'; 0x10000]), Err(WordsError::TooLong(_))));
        assert_eq!(line("é".into()).unwrap().implicit, ["é"]);
    }
}
