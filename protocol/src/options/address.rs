//! IP addresses.

use alloc::string::{String, ToString};
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use super::value::{PlainValue, Value, check_text};
use super::{Parameter, ValueError};

/// An IP address, with the zone (the interface) that a link-local one needs: `192.0.2.7`, `2001:db8::7`, `fe80::7%eth0`.
///
/// An IPv6 address is read with or without brackets and printed without.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Address {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr, Option<Zone>),
}

impl Address {
    /// The address, or `None` where `text` is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::V4(address));
        }
        let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let text = bracketed.unwrap_or(text);
        match text.split_once('%') {
            Some((address, zone)) => Some(Self::V6(address.parse().ok()?, Some(zone.parse().ok()?))),
            None => Some(Self::V6(text.parse().ok()?, None)),
        }
    }
}

impl PlainValue for Address {
    const ALLOWED: &'static str = "an IPv4 or IPv6 address of this machine";
}

impl FromStr for Address {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text).ok_or_else(|| ValueError::new(text, "is not an IP address", Self::ALLOWED))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address, None) => address.fmt(f),
            Self::V6(address, Some(zone)) => write!(f, "{address}%{zone}"),
        }
    }
}

text_value! {
    /// The zone of an IPv6 address, an interface's name or number: 1 to 64 bytes of letters, digits, `.`, `_`, `-`.
    pub struct Zone;
    allowed: "the name or number of a network interface";
    check: |text| {
        check_text(text, 64)?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.bytes().all(good) { Ok(()) } else { Err("is not a network interface") }
    };
}

/// A version of IP.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum IpVersion {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl PlainValue for IpVersion {
    const ALLOWED: &'static str = "4 or 6";
}

impl FromStr for IpVersion {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "4" => Ok(Self::V4),
            "6" => Ok(Self::V6),
            _ => Err(ValueError::new(text, "is not a version of IP", Self::ALLOWED)),
        }
    }
}

impl fmt::Display for IpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "4",
            Self::V6 => "6",
        })
    }
}

/// A choice among the machine's addresses to listen on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum ListenOn {
    /// One address: `bind=`.
    Address(Address),
    /// All addresses of one version: `ipversion=`.
    Version(IpVersion),
}

impl Value for ListenOn {
    const MISSING: &'static str = Address::ALLOWED;

    fn read(parameter: Parameter, text: &str) -> Result<Self, ValueError> {
        match parameter {
            Parameter::IpVersion => text.parse().map(Self::Version),
            _ => text.parse().map(Self::Address),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Version(version) => version.to_string(),
        }
    }

    fn parameter(&self, _: &'static [Parameter]) -> Parameter {
        match self {
            Self::Address(_) => Parameter::Bind,
            Self::Version(_) => Parameter::IpVersion,
        }
    }
}
