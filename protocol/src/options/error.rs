//! Why a connection string is refused.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use super::{MAX_LENGTH, Parameter, SyntaxError, Transport, ValueError, split_before_password};

/// Why a connection string is refused: what is meant, what was given and what is allowed.
///
/// The message is one line and never holds a password.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum OptionsError {
    /// Longer than [`MAX_LENGTH`].
    #[error("the connection string is {0} bytes long; allowed: up to {MAX_LENGTH}")]
    TooLong(usize),
    /// Not built as the grammar says.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// No transport that this end has.
    #[error("transport `{given}` is unknown{}; allowed: {}", DidYouMean(.suggestion), List(.allowed, ", "))]
    UnknownTransport {
        /// What was given, cut short where it is long.
        given: String,
        /// What was probably meant.
        suggestion: Option<Transport>,
        /// The transports that this end has.
        allowed: &'static [Transport],
    },
    /// No parameter of any transport.
    #[error("{form} has no parameter `{given}`{}; allowed: {}", DidYouMean(.suggestion), List(.allowed, ", "))]
    UnknownParameter {
        /// Where it was given.
        form: FormName,
        /// What was given, cut short where it is long.
        given: String,
        /// What was probably meant.
        suggestion: Option<Parameter>,
        /// The parameters that can be given here.
        allowed: Vec<Parameter>,
    },
    /// After a password comes something that is no parameter: most likely the rest of the password.
    #[error(
        "what follows the comma after `password` is no parameter of {0}; \
         allowed: password=\"...\" for one that has a comma"
    )]
    CommaInPassword(FormName),
    /// A parameter of other transports or of the other end.
    #[error("parameter `{parameter}` does not belong to {form}; allowed: {}", List(.allowed, ", "))]
    Misplaced {
        /// Where it was given.
        form: FormName,
        /// What was given.
        parameter: Parameter,
        /// The parameters that can be given here.
        allowed: Vec<Parameter>,
    },
    /// The same parameter again.
    #[error("parameter `{parameter}` of {form} is given twice; allowed: once")]
    Duplicate {
        /// Where it was given.
        form: FormName,
        /// What was given.
        parameter: Parameter,
    },
    /// Two parameters for one thing.
    #[error("parameters `{first}` and `{second}` of {form} exclude each other; allowed: one of them")]
    Exclusive {
        /// Where they were given.
        form: FormName,
        /// One of the two.
        first: Parameter,
        /// The other.
        second: Parameter,
    },
    /// A parameter that can't be left out.
    #[error("parameter `{}` of {form} is missing; allowed: {allowed}", List(.parameters, "` or `"))]
    Missing {
        /// Where it should be.
        form: FormName,
        /// The parameter, or those of which one is needed.
        parameters: &'static [Parameter],
        /// What it can hold.
        allowed: &'static str,
    },
    /// A value that its parameter does not admit.
    #[error("parameter `{parameter}` of {form}: {problem}")]
    Value {
        /// Where it was given.
        form: FormName,
        /// Whose value.
        parameter: Parameter,
        /// What is wrong with it.
        problem: ValueError,
    },
}

/// What a connection string describes, as errors call it: a transport, dialled in reverse or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FormName {
    /// The transport.
    pub transport: Transport,
    /// Whether `clicon` is given.
    pub reverse: bool,
}

impl fmt::Display for FormName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clicon = if self.reverse { " with clicon" } else { "" };
        write!(f, "{}{clicon}", self.transport)
    }
}

struct DidYouMean<'a, T>(&'a Option<T>);

impl<T: fmt::Display> fmt::Display for DidYouMean<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, ", did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

struct List<'a, T>(&'a [T], &'static str);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { self.1 };
            write!(f, "{separator}{item}")?;
        }
        Ok(())
    }
}

/// Most characters that a message repeats of what was given.
const MAX_EXCERPT: usize = 64;

/// What a message repeats of `given`: not too much, nothing that moves the cursor, and no password that a wrong
/// separator (`port=5005;password=...`) has put there.
pub(super) fn excerpt(given: &str) -> String {
    let secret = split_before_password(given);
    let shown = secret.map_or(given, |(before, _)| before);
    let mut excerpt = String::new();
    for c in shown.chars().take(MAX_EXCERPT) {
        if matches!(c, '"' | '\'' | '\\') { excerpt.push(c) } else { excerpt.extend(c.escape_debug()) }
    }
    if shown.chars().nth(MAX_EXCERPT).is_some() {
        excerpt.push_str("...");
    } else if secret.is_some() {
        excerpt.push_str("***");
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_printable_and_without_password() {
        assert_eq!(excerpt(r#"\\BOX 17 "x" é"#), r#"\\BOX 17 "x" é"#);
        assert_eq!(excerpt("a\n\u{1b}[2J\u{200e}"), "a\\n\\u{1b}[2J\\u{200e}");
        assert_eq!(excerpt(&"é".repeat(65)), "é".repeat(64) + "...");
        assert_eq!(excerpt("5005;PassWord=Secret1"), "5005;PassWord=***");
        assert_eq!(excerpt("5005;password = Secret1"), "5005;password =***");
    }
}
