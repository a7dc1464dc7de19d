//! Passwords and where they come from.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use super::value::{Value, check_text};
use super::{FilePath, Parameter, ValueError};

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
