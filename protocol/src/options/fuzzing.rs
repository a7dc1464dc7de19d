//! The body of the fuzz target `options`.

use alloc::string::ToString;
use core::fmt::{Debug, Display};
use core::str::{self, FromStr};

use super::{ClientOptions, ListedServer, MAX_LENGTH, OptionsError, ServerOptions};

/// Reads `data` as a connection string of either end, or as a list of servers has it.
///
/// # Panics
/// Where one that parses does not print as a string that parses to the same, and where an error is unbounded.
pub fn options(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        round_trip::<ServerOptions>(text);
        round_trip::<ClientOptions>(text);
        round_trip::<ListedServer>(text);
    }
}

fn round_trip<T: FromStr<Err = OptionsError> + Display + Debug + PartialEq>(text: &str) {
    /// More than any message needs: a 64-character excerpt, escaped, and the names of all parameters.
    const MAX_MESSAGE: usize = 1500;
    match text.parse::<T>() {
        Ok(options) => {
            let printed = options.to_string();
            assert!(printed.len() <= MAX_LENGTH, "{} bytes", printed.len());
            assert_eq!(Ok(options), printed.parse(), "{printed}");
        }
        Err(error) => assert!(error.to_string().len() <= MAX_MESSAGE, "{error}"),
    }
}
