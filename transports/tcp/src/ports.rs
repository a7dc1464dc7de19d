//! Which port of a range a listener gets.

use std::io;
use std::ops::RangeInclusive;
use thiserror::Error;

/// No port could be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// The only port asked for can't be used.
    #[error("cannot listen on tcp port {port}: {source}")]
    Port {
        /// What was asked for; 0 asks for any port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// No port of a range can be used.
    #[error("cannot listen on any tcp port from {low} to {high}; the last one tried: {source}")]
    Range {
        /// The first port tried.
        low: u16,
        /// The last port tried.
        high: u16,
        /// What the system said about the last port.
        source: io::Error,
    },
}

/// Calls `open` with each port of `ports`, lowest first, and returns its first success.
///
/// Every failure moves on to the next port, not only one already in use: of ports 1000 to 1100 an unprivileged user
/// gets 1024.
///
/// # Errors
/// [`BindError`] when no port could be opened, an empty range included.
pub(crate) fn first_free<T>(
    ports: RangeInclusive<u16>,
    open: impl FnMut(u16) -> io::Result<T>,
) -> Result<T, BindError> {
    let (low, high) = (*ports.start(), *ports.end());
    let mut last = io::Error::from(io::ErrorKind::InvalidInput);
    for result in ports.map(open) {
        match result {
            Ok(opened) => return Ok(opened),
            Err(error) => last = error,
        }
    }
    Err(if low == high {
        BindError::Port { port: low, source: last }
    } else {
        BindError::Range { low, high, source: last }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> io::Error {
        io::Error::from(io::ErrorKind::AddrInUse)
    }

    #[test]
    fn the_lowest_port_that_opens_is_taken_and_no_other_is_tried() {
        let mut tried = Vec::new();
        let opened = first_free(51..=60, |port| {
            tried.push(port);
            if port < 53 { Err(busy()) } else { Ok(port) }
        });
        assert_eq!(opened.unwrap(), 53);
        assert_eq!(tried, [51, 52, 53]);
    }

    #[test]
    fn the_last_port_there_is_ends_the_search() {
        let error = first_free::<()>(65_534..=65_535, |_| Err(busy())).unwrap_err();
        assert!(matches!(error, BindError::Range { low: 65_534, high: 65_535, .. }), "{error}");
    }

    #[test]
    fn a_single_port_in_use_is_named_with_the_reason() {
        let error = first_free::<()>(5005..=5005, |_| Err(busy())).unwrap_err();
        assert_eq!(error.to_string(), "cannot listen on tcp port 5005: address in use");
    }

    #[test]
    fn a_range_without_a_free_port_is_named_by_both_ends() {
        let error = first_free::<()>(51..=60, |_| Err(busy())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot listen on any tcp port from 51 to 60; the last one tried: address in use"
        );
    }
}
