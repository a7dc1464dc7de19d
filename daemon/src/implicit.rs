//! The implicit command line: a program that clients may start without naming it.

use dbgsrv_protocol::limits::MAX_IMPLICIT_COMMAND_LINE;
use thiserror::Error;

/// An implicit command line does not fit into the server's answer.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("an implicit command line of {0} bytes is too long; allowed: {MAX_IMPLICIT_COMMAND_LINE} bytes")]
pub struct TooLong(pub usize);

/// Checks that clients can be told of it.
///
/// # Errors
/// [`TooLong`].
pub(crate) fn check_length(words: &[String]) -> Result<(), TooLong> {
    let length = words.iter().map(|word| word.len() + 1).sum();
    if length > MAX_IMPLICIT_COMMAND_LINE { Err(TooLong(length)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgsrv_protocol::limits::MAX_CONTROL;

    #[test]
    fn the_longest_fits_into_a_message_however_it_is_escaped() {
        let longest = vec!["\u{1}".repeat(MAX_IMPLICIT_COMMAND_LINE - 1)];
        assert_eq!(check_length(&longest), Ok(()));
        assert!(longest[0].chars().count() * "\\u0001".len() < MAX_CONTROL);
        let too_long = vec![String::new(); MAX_IMPLICIT_COMMAND_LINE + 1];
        assert_eq!(check_length(&too_long), Err(TooLong(MAX_IMPLICIT_COMMAND_LINE + 1)));
    }
}
