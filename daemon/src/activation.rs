//! Sockets that systemd has opened for this server (`sd_listen_fds(3)`).
//!
//! `LISTEN_PID` says whom they are for, `LISTEN_FDS` how many there are: from descriptor 3 on. Which is for which transport
//! their addresses tell, so their names (`LISTEN_FDNAMES`) are not looked at.

use crate::scrub;
use crate::worker::inherited;
use dbgsrv_transports::{Passed, PassedError};
use std::env;
use std::io;
use thiserror::Error;

/// The first descriptor that is passed.
const FIRST: i32 = 3;
/// Most descriptors taken: more ports than one server has any use for.
const MAX_PASSED: i32 = 64;
/// The variables, which are for this process alone.
const VARIABLES: [&str; 3] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// What was passed is of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ActivationError {
    /// The number of descriptors is none.
    #[error("LISTEN_FDS is `{0}`; allowed: the number of descriptors, from 0 to {MAX_PASSED}")]
    Count(String),
    /// One is not there.
    #[error("descriptor {0}, which LISTEN_FDS promises, is of no use: {1}")]
    Missing(i32, io::Error),
    /// One is no listening socket.
    #[error(transparent)]
    Useless(#[from] PassedError),
}

/// Takes what was passed to this process, once, and before it opens any descriptor or starts a thread. Nothing, where nothing
/// was passed or to another process.
///
/// # Errors
/// [`ActivationError`].
pub(crate) fn passed() -> Result<Passed, ActivationError> {
    let [for_whom, count, _] = VARIABLES.map(|name| env::var(name).ok());
    if for_whom.is_none_or(|pid| pid != std::process::id().to_string()) {
        return Ok(Passed::default());
    }
    for name in VARIABLES {
        scrub::remove(name);
    }
    let count = count.unwrap_or_default();
    let number = count.parse().ok().filter(|number| (0..=MAX_PASSED).contains(number));
    let number: i32 = number.ok_or(ActivationError::Count(count))?;
    let take = |descriptor| inherited(descriptor).map_err(|error| ActivationError::Missing(descriptor, error));
    let descriptors = (FIRST..FIRST + number).map(take).collect::<Result<Vec<_>, _>>()?;
    Ok(Passed::new(descriptors)?)
}
