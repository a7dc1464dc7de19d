//! TCP ports.

use core::fmt;
use core::num::NonZeroU16;
use core::str::FromStr;

use super::ValueError;
use super::value::{PlainValue, decimal};

/// A TCP port to connect to: 1 to 65535.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Port(NonZeroU16);

impl Port {
    /// The port, or `None` for 0.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The port's number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    fn parse(text: &str) -> Option<Self> {
        decimal(text).and_then(|number| u16::try_from(number).ok()).and_then(Self::new)
    }
}

impl PlainValue for Port {
    const ALLOWED: &'static str = "1 to 65535";
}

impl FromStr for Port {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let problem = if text.contains(':') { "is not a single port" } else { "is not a port" };
        Self::parse(text).ok_or_else(|| ValueError::new(text, problem, Self::ALLOWED))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Ports to try in turn, from the lowest: `LOW:HIGH`, or one port alone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PortRange {
    low: Port,
    high: Port,
}

impl PortRange {
    /// The ports from `low` to `high`, both included, or `None` where `high` is below `low`.
    #[must_use]
    pub fn new(low: Port, high: Port) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    /// The first port.
    #[must_use]
    pub const fn low(self) -> Port {
        self.low
    }

    /// The last port.
    #[must_use]
    pub const fn high(self) -> Port {
        self.high
    }

    /// The ports, from the lowest.
    pub fn ports(self) -> impl Iterator<Item = Port> {
        (self.low.get()..=self.high.get()).filter_map(Port::new)
    }

    /// The range, or the problem with `text`.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((low, high)) = text.split_once(':') else {
            let port = Port::parse(text).ok_or("is not a port")?;
            return Ok(Self { low: port, high: port });
        };
        match (Port::parse(low), Port::parse(high)) {
            (Some(low), Some(high)) => Self::new(low, high).ok_or("is a range that ends before it starts"),
            _ => Err("is not a range of ports"),
        }
    }
}

/// Where a port that is used stands before the last of those that were allowed, such as in a list of servers.
impl PlainValue for PortRange {
    const ALLOWED: &'static str = "1 to 65535, or a range LOW:HIGH";
}

impl FromStr for PortRange {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text).map_err(|problem| ValueError::new(text, problem, <Self as PlainValue>::ALLOWED))
    }
}

impl From<Port> for PortRange {
    fn from(port: Port) -> Self {
        Self { low: port, high: port }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high { self.low.fmt(f) } else { write!(f, "{}:{}", self.low, self.high) }
    }
}

/// Where to listen.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ListenPort {
    /// Any free port, which the system chooses: `0`.
    Any,
    /// The first free one of these.
    Range(PortRange),
}

impl PlainValue for ListenPort {
    const ALLOWED: &'static str = "1 to 65535, a range LOW:HIGH, or 0 for any free port";
}

impl FromStr for ListenPort {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if decimal(text) == Some(0) {
            return Ok(Self::Any);
        }
        PortRange::parse(text).map(Self::Range).map_err(|problem| ValueError::new(text, problem, Self::ALLOWED))
    }
}

impl fmt::Display for ListenPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("0"),
            Self::Range(range) => range.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_range_is_walked_from_its_lowest_port_to_its_highest() {
        let Ok(ListenPort::Range(range)) = "65533:65535".parse() else { panic!("a range") };
        assert_eq!(range.ports().map(Port::get).collect::<Vec<_>>(), [65533, 65534, 65535]);
    }

    #[test]
    fn a_range_of_one_port_is_that_port() {
        assert_eq!("51:51".parse::<ListenPort>(), "51".parse());
    }
}
