//! Passwords and where they come from.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use super::value::{Value, check_text};
use super::{FilePath, Parameter, ValueError};

/// Splits any text behind the first `password=` in it, case and spaces aside, so that what follows can be left out of a
/// message. The text need not be a connection string: a secret is one in the wrong place too.
#[must_use]
pub fn split_before_password(text: &str) -> Option<(&str, &str)> {
    const NAME: &str = "password";
    text.to_ascii_lowercase().match_indices(NAME).find_map(|(at, _)| {
        let secret = text[at + NAME.len()..].trim_start().strip_prefix('=')?;
        Some(text.split_at(text.len() - secret.len()))
    })
}

/// A password: 1 to 128 bytes of any text, case-sensitive.
///
/// It prints as `***`; only [`Self::reveal`] and the connection string that it came with show it.
#[derive(Clone, Eq, PartialEq)]
pub struct Password(String);

impl Password {
    /// Longest password, in bytes.
    pub const MAX_LENGTH: usize = 128;

    const ALLOWED: &'static str = "1 to 128 bytes, in double quotes where there is a comma";

    /// The password itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Password {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() || text.len() > Self::MAX_LENGTH {
            return Err(ValueError::secret(text, "is too long", Self::ALLOWED));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

text_value! {
    /// The name of an environment variable: 1 to 256 bytes without `=`.
    pub struct VariableName;
    allowed: "the name of an environment variable";
    check: |text| if text.contains('=') { Err("has an equals sign") } else { check_text(text, 256) };
}

/// Where the password comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PasswordSource {
    /// The string itself: `password=`.
    Given(Password),
    /// A file: `password-file=`.
    File(FilePath),
    /// The environment: `password-env=`.
    Environment(VariableName),
}

impl Value for PasswordSource {
    const MISSING: &'static str = Password::ALLOWED;

    fn read(parameter: Parameter, text: &str) -> Result<Self, ValueError> {
        match parameter {
            Parameter::PasswordFile => text.parse().map(Self::File),
            Parameter::PasswordEnv => text.parse().map(Self::Environment),
            _ => text.parse().map(Self::Given),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Given(password) => password.reveal().to_owned(),
            Self::File(path) => path.to_string(),
            Self::Environment(name) => name.to_string(),
        }
    }

    fn parameter(&self, _: &'static [Parameter]) -> Parameter {
        match self {
            Self::Given(_) => Parameter::Password,
            Self::File(_) => Parameter::PasswordFile,
            Self::Environment(_) => Parameter::PasswordEnv,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_in_any_text() {
        let cases = [
            ("tcp:port=1,password=abc", "abc"),
            ("5005;PassWord = a b,hidden", " a b,hidden"),
            ("password-file=a,password=b", "b"),
            ("é,password=password=c", "password=c"),
            ("password=", ""),
        ];
        for (text, secret) in cases {
            let before = &text[..text.len() - secret.len()];
            assert_eq!(split_before_password(text), Some((before, secret)), "{text}");
        }
        for text in ["", "tcp:port=1", "password", "password-env=A"] {
            assert_eq!(split_before_password(text), None, "{text}");
        }
    }
}
