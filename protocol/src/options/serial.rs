//! Serial lines.

use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;

use super::ValueError;
use super::value::{PlainValue, check_text, decimal};

/// A serial port.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SerialPort {
    /// By number, `COM2` or `2`, as Windows counts: `COM1` is the first.
    Numbered(ComNumber),
    /// By the path of its device, or of a stable link to it such as those in `/dev/serial/by-id`.
    Device(DevicePath),
}

impl PlainValue for SerialPort {
    const ALLOWED: &'static str = "COM1 to COM256, the number alone, or the absolute path of a device";
}

impl FromStr for SerialPort {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let prefixed = text.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("COM"));
        if let Some(number) = ComNumber::parse(if prefixed { &text[3..] } else { text }) {
            return Ok(Self::Numbered(number));
        }
        text.parse().map(Self::Device).map_err(|_| ValueError::new(text, "is not a serial port", Self::ALLOWED))
    }
}

impl fmt::Display for SerialPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered(number) => write!(f, "COM{}", number.get()),
            Self::Device(path) => path.fmt(f),
        }
    }
}

/// The number of a serial port: 1 to 256.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ComNumber(u16);

impl ComNumber {
    /// The number, or `None` where it is not 1 to 256.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if matches!(number, 1..=256) { Some(Self(number)) } else { None }
    }

    /// The number: 1 to 256.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        decimal(text).and_then(|number| u16::try_from(number).ok()).and_then(Self::new)
    }
}

text_value! {
    /// The absolute path of a device: 1 to 1024 bytes.
    pub struct DevicePath;
    allowed: "the absolute path of a device, up to 1024 bytes";
    check: |text| if text.starts_with('/') { check_text(text, 1024) } else { Err("is not an absolute path") };
}

/// The bit rate of a serial line, in bits per second: 1 and up. Which rates work depends on the hardware.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Baud(NonZeroU32);

impl Baud {
    /// The rate, or `None` for 0.
    #[must_use]
    pub const fn new(rate: u32) -> Option<Self> {
        match NonZeroU32::new(rate) {
            Some(rate) => Some(Self(rate)),
            None => None,
        }
    }

    /// The rate, in bits per second.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl PlainValue for Baud {
    const ALLOWED: &'static str = "a rate that the hardware has, such as 115200";
}

impl FromStr for Baud {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let rate = decimal(text).and_then(Self::new);
        rate.ok_or_else(|| ValueError::new(text, "is not a bit rate", Self::ALLOWED))
    }
}

impl fmt::Display for Baud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A channel on a serial line that several connections share: 0 to 254.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Channel(u8);

impl Channel {
    /// The channel, or `None` for 255.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < u8::MAX { Some(Self(number)) } else { None }
    }

    /// The channel's number: 0 to 254.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl PlainValue for Channel {
    const ALLOWED: &'static str = "0 to 254";
}

impl FromStr for Channel {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let channel = decimal(text).and_then(|number| u8::try_from(number).ok()).and_then(Self::new);
        channel.ok_or_else(|| ValueError::new(text, "is not a channel", Self::ALLOWED))
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
