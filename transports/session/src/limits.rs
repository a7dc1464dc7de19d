//! How long things may take, and how much is done at once.

use std::time::Duration;

/// How long a handshake may take on either side, and an attempt to come back with its dialling.
///
/// A peer that has not proved anything yet keeps a connection open for this long at most.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// How long a peer that is turned away has to take the reason.
pub(crate) const TELL_LIMIT: Duration = Duration::from_secs(1);

/// How long a session that is closed may take to send what was sent before, and then again to say farewell.
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// The pause after the first failed attempt to come back; it doubles with each one.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two attempts to come back.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Reads in a row before other tasks of the runtime have their turn.
pub(crate) const ROUNDS: usize = 16;

/// Channels that the client has opened and the server has not looked at yet: as many as there are.
pub(crate) const MAX_INCOMING: usize = 254;
