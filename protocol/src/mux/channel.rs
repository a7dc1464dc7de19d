//! The words of the mux: numbers, kinds, codes, roles.

use core::fmt;

/// A channel's number: 0 to 254.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Channel(u8);

impl Channel {
    /// The control protocol's.
    pub const CONTROL: Self = Self(0);

    /// How many there are.
    pub(super) const COUNT: usize = 255;

    /// The channel with this number, `None` for 255.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < u8::MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The one after this among those that can be opened, round and round.
    pub(super) const fn next(self) -> Self {
        Self(self.0 % (u8::MAX - 1) + 1)
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a channel carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The control protocol: channel 0 alone.
    Control,
    /// One RSP conversation.
    Debug,
    /// Something that this release does not know; to be refused.
    Unknown(u8),
}

impl Kind {
    pub(super) const fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Control,
            1 => Self::Debug,
            other => Self::Unknown(other),
        }
    }

    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Control => 0,
            Self::Debug => 1,
            Self::Unknown(other) => other,
        }
    }
}

/// Which side this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Opens channels.
    Client,
    /// Accepts them.
    Server,
}

/// Why a channel is refused or reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Code {
    /// No longer wanted.
    Cancelled,
    /// Kind not known here.
    UnknownKind,
    /// No room for more sessions.
    Busy,
    /// The server ends.
    ServerEnds,
    /// Something failed; the text says what.
    Failed,
    /// A code of a later release.
    Other(u8),
}

impl Code {
    pub(super) const fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Cancelled,
            1 => Self::UnknownKind,
            2 => Self::Busy,
            3 => Self::ServerEnds,
            4 => Self::Failed,
            other => Self::Other(other),
        }
    }

    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Cancelled => 0,
            Self::UnknownKind => 1,
            Self::Busy => 2,
            Self::ServerEnds => 3,
            Self::Failed => 4,
            Self::Other(other) => other,
        }
    }
}
