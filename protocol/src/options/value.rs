//! What all values have in common, and the plainest of them.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use super::Parameter;
use super::error::excerpt;

/// Why a value is refused.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub struct ValueError {
    given: String,
    problem: &'static str,
    allowed: &'static str,
}

impl ValueError {
    /// `problem` goes on from what was given, as in "is not a port".
    pub(super) fn new(given: &str, problem: &'static str, allowed: &'static str) -> Self {
        Self { given: excerpt(given), problem, allowed }
    }

    /// For a value that must not be repeated.
    pub(super) fn secret(given: &str, problem: &'static str, allowed: &'static str) -> Self {
        Self::new(if given.is_empty() { "" } else { "***" }, problem, allowed)
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, problem, allowed } = self;
        if given.is_empty() {
            write!(f, "no value is given; allowed: {allowed}")
        } else {
            write!(f, "`{given}` {problem}; allowed: {allowed}")
        }
    }
}

/// What one parameter, or one of several alternative ones, holds.
pub(super) trait Value: Sized {
    /// What can be given, for the message that nothing is.
    const MISSING: &'static str;

    /// Reads what `parameter` holds, empty where it has no value.
    fn read(parameter: Parameter, text: &str) -> Result<Self, ValueError>;

    /// What [`Self::read`] reads, given [`Self::parameter`].
    fn text(&self) -> String;

    /// Which of the alternatives `admitted` says this.
    fn parameter(&self, admitted: &'static [Parameter]) -> Parameter;
}

/// A value that means the same whatever the parameter: it has one parameter, or says nothing about which.
pub(super) trait PlainValue: FromStr<Err = ValueError> + fmt::Display {
    /// What can be given, for messages.
    const ALLOWED: &'static str;
}

impl<T: PlainValue> Value for T {
    const MISSING: &'static str = T::ALLOWED;

    fn read(_: Parameter, text: &str) -> Result<Self, ValueError> {
        text.parse()
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn parameter(&self, admitted: &'static [Parameter]) -> Parameter {
        admitted[0]
    }
}

/// Reads a decimal number: digits only, where the standard library's parser also takes a sign.
pub(super) fn decimal(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Declares a type for text that `$check` admits; it returns the problem with text that it does not.
macro_rules! text_value {
    ($(#[$doc:meta])* pub struct $name:ident; allowed: $allowed:literal; check: $check:expr;) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        pub struct $name(alloc::string::String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $crate::options::value::PlainValue for $name {
            const ALLOWED: &'static str = $allowed;
        }

        impl core::str::FromStr for $name {
            type Err = $crate::options::ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(alloc::borrow::ToOwned::to_owned(text))),
                    Err(problem) => Err($crate::options::ValueError::new(text, problem, $allowed)),
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Refuses text that is empty, longer than `max_length` bytes or not printable.
pub(super) fn check_text(text: &str, max_length: usize) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty")
    } else if text.len() > max_length {
        Err("is too long")
    } else if text.contains(char::is_control) {
        Err("has a control character")
    } else {
        Ok(())
    }
}

text_value! {
    /// The path of a file on the machine where the string is used: 1 to 1024 bytes.
    pub struct FilePath;
    allowed: "the path of a file, up to 1024 bytes";
    check: |text| check_text(text, 1024);
}
