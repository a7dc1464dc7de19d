//! The other end's machine.

use core::fmt;
use core::str::FromStr;

use super::value::{PlainValue, check_text};
use super::{Address, ValueError};

/// A machine on the network. Two backslashes before it are read and dropped, as `\\BOX17` is a common way to write it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Host {
    /// By name.
    Name(HostName),
    /// By address.
    Address(Address),
}

impl Host {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match Address::parse(text) {
            Some(address) => Ok(Self::Address(address)),
            None => check_host_name(text).map(|()| Self::Name(HostName(text.into()))),
        }
    }
}

impl PlainValue for Host {
    const ALLOWED: &'static str = "the name or the IP address of a machine";
}

impl FromStr for Host {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(without_backslashes(text)).map_err(|problem| ValueError::new(text, problem, Self::ALLOWED))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

fn without_backslashes(text: &str) -> &str {
    text.strip_prefix(r"\\").unwrap_or(text)
}

text_value! {
    /// A machine's name: 1 to 253 letters, digits, `-`, `_` and `.`.
    ///
    /// It starts with a letter, digit or `_`, so it can't be taken for an option of a command that it is passed to. Its
    /// last label is not a number, or else a mistyped IPv4 address would be one.
    pub struct HostName;
    allowed: "the name of a machine";
    check: check_host_name;
}

fn check_host_name(text: &str) -> Result<(), &'static str> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    check_text(text, 253)?;
    if !text.bytes().all(good) || text.starts_with(['-', '.']) || text.contains("..") {
        return Err("is not a host");
    }
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) { Err("is not a complete IPv4 address") } else { Ok(()) }
}

/// How Windows writes the machine that one is on, in the path of a pipe: `\\.\pipe\name`.
const THIS_MACHINE: &str = ".";

/// The machine that a pipe is on, and where it is another one, the user to be there: `BOX17` or `user@BOX17`. `.` is read as
/// `localhost`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PipeHost {
    /// Who to log in as; the same name as here where absent.
    pub user: Option<UserName>,
    /// The machine.
    pub host: Host,
}

impl PipeHost {
    /// This machine: `localhost`.
    #[must_use]
    pub fn this_machine() -> Self {
        Self { user: None, host: Host::Name(HostName("localhost".into())) }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        if text == THIS_MACHINE {
            return Ok(Self::this_machine());
        }
        let Some((user, host)) = text.split_once('@') else {
            return Ok(Self { user: None, host: Host::parse(text)? });
        };
        check_user_name(user)?;
        Ok(Self { user: Some(UserName(user.into())), host: Host::parse(host)? })
    }
}

impl PlainValue for PipeHost {
    const ALLOWED: &'static str = "the name or the IP address of a machine, or user@machine";
}

impl FromStr for PipeHost {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(without_backslashes(text)).map_err(|problem| ValueError::new(text, problem, Self::ALLOWED))
    }
}

impl fmt::Display for PipeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "{user}@{}", self.host),
            None => self.host.fmt(f),
        }
    }
}

text_value! {
    /// A user's name on another machine: 1 to 64 letters, digits, `.`, `_` and `-`, and no `-` first.
    pub struct UserName;
    allowed: "the name of a user";
    check: check_user_name;
}

fn check_user_name(text: &str) -> Result<(), &'static str> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match check_text(text, 64) {
        Ok(()) if text.bytes().all(good) && !text.starts_with('-') => Ok(()),
        _ => Err("has no good user name"),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_or_without_backslashes_and_brackets() {
        for (text, printed) in [
            ("BOX17", "BOX17"),
            (r"\\BOX17", "BOX17"),
            ("a-b.example.org.", "a-b.example.org."),
            ("127.0.0.42", "127.0.0.42"),
            (r"\\127.0.0.42", "127.0.0.42"),
            ("::1", "::1"),
            ("[2001:DB8::7]", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("[fe80::1%2]", "fe80::1%2"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn what_is_neither_name_nor_address_is_refused() {
        for (text, problem) in [
            ("-oProxyCommand=x", "is not a host"),
            ("two words", "is not a host"),
            ("a..b", "is not a host"),
            (".", "is not a host"),
            ("[BOX17]", "is not a host"),
            ("[127.0.0.1]", "is not a host"),
            (r"\BOX17", "is not a host"),
            (r"\\\\BOX17", "is not a host"),
            ("fe80::1%", "is not a host"),
            ("::1::", "is not a host"),
            ("BOX17:1025", "is not a host"),
            ("user@BOX17", "is not a host"),
            ("10.0.1", "is not a complete IPv4 address"),
            ("300.1.1.1", "is not a complete IPv4 address"),
        ] {
            let error = text.parse::<Host>().unwrap_err().to_string();
            assert_eq!(error, std::format!("`{text}` {problem}; allowed: the name or the IP address of a machine"));
        }
    }

    #[test]
    fn a_pipe_may_be_on_a_machine_where_one_logs_in_as_somebody() {
        let host: PipeHost = r"\\ann@BOX17".parse().unwrap();
        assert_eq!(host.to_string(), "ann@BOX17");
        assert_eq!(host.user.unwrap().as_str(), "ann");
        for text in ["@BOX17", "-l@BOX17", "a b@BOX17", "ann@", "ann@bob@BOX17", r"ann@\\BOX17", "ann@."] {
            assert!(text.parse::<PipeHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_dot_is_this_machine_as_in_the_path_of_a_pipe_on_windows() {
        for text in [".", r"\\."] {
            let host: PipeHost = text.parse().unwrap();
            assert_eq!((host.user.clone(), host.to_string().as_str()), (None, "localhost"));
        }
    }
}
