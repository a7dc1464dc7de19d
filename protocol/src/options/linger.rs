//! How long a session outlives its connection.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use super::ValueError;
use super::value::{PlainValue, decimal};

/// For how long a session that lost its connection waits for its client to come back: 0 to 86400 seconds (a day).
///
/// The default is 60. With 0, a session ends with its connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Linger(u32);

impl Linger {
    /// The longest time, in seconds: what a vanished client can keep occupied is given back within a day.
    pub const MAX_SECONDS: u32 = 86_400;

    /// The time, or `None` where it is longer than [`Self::MAX_SECONDS`].
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        if seconds <= Self::MAX_SECONDS { Some(Self(seconds)) } else { None }
    }

    /// The time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Default for Linger {
    fn default() -> Self {
        Self(60)
    }
}

impl PlainValue for Linger {
    const ALLOWED: &'static str = "0 to 86400 seconds";
}

impl FromStr for Linger {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let linger = decimal(text).and_then(Self::from_seconds);
        linger.ok_or_else(|| ValueError::new(text, "is not such a time", Self::ALLOWED))
    }
}

impl fmt::Display for Linger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
