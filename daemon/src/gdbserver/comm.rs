//! Where to meet the client, and the `COMM` of gdbserver's command line.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::path::PathBuf;

/// Where to meet the client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Comm {
    /// It listens on a TCP port, and is called.
    CallTcp { host: String, port: u16 },
    /// It listens on a Unix-domain socket, and is called.
    CallUnix(SocketName),
    /// It is connected already: an inherited descriptor.
    Descriptor(RawFd),
    /// A serial line, or a named pipe.
    Device(PathBuf),
    /// Standard input and output.
    Stdio,
    /// A TCP port.
    Tcp {
        /// Empty: none was named.
        host: String,
        /// 0: any free one.
        port: u16,
        family: Family,
    },
    /// A Unix-domain socket.
    Unix(SocketName),
}

/// The name of a Unix-domain socket (`unix(7)`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SocketName {
    /// Known to the kernel only.
    Abstract(OsString),
    Path(PathBuf),
}

/// Which addresses to listen on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    Any,
    V4,
    V6,
}

/// What may stand before the host.
const PREFIXES: [(&str, Family); 3] = [("tcp:", Family::Any), ("tcp4:", Family::V4), ("tcp6:", Family::V6)];

impl Comm {
    /// Understands `-`, `stdio`, `HOST:PORT`, `:PORT`, `[ADDRESS]:PORT` and `PORT`, with `tcp:`, `tcp4:` or `tcp6:` before
    /// them; anything else without a colon is a device.
    ///
    /// # Errors
    /// What is wrong with the port or the brackets.
    pub(super) fn parse(text: &OsStr) -> Result<Self, String> {
        let Some(name) = text.to_str() else { return Ok(Self::Device(text.into())) };
        if matches!(name, "-" | "stdio") {
            return Ok(Self::Stdio);
        }
        let prefixed = PREFIXES.iter().find_map(|(prefix, family)| Some((name.strip_prefix(prefix)?, *family)));
        // A host may be called `tcp`: then one colon is all there is.
        let prefixed =
            prefixed.filter(|(rest, _)| rest.contains(':') || name.starts_with("tcp4") || name.starts_with("tcp6"));
        let (place, family) = prefixed.unwrap_or((name, Family::Any));
        Ok(match host_and_port(place).map_err(|problem| format!("{name}: {problem}"))? {
            Some((host, port)) => Self::Tcp { host: host.to_owned(), port, family },
            None => Self::Device(OsString::from(name).into()),
        })
    }
}

/// Understands `HOST:PORT`, `:PORT`, `[ADDRESS]:PORT` and `PORT`; `None` for anything else without a colon.
///
/// # Errors
/// What is wrong with the port or the brackets.
pub(crate) fn host_and_port(place: &str) -> Result<Option<(&str, u16)>, String> {
    let (host, port) = match place.rsplit_once(':') {
        Some(halves) => halves,
        None if !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit()) => ("", place),
        None => return Ok(None),
    };
    let port = port.parse().map_err(|_| format!("the port is `{port}`; it can be 0 to 65535"))?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or("missing `]` before the port")?,
        None => host,
    };
    Ok(Some((host, port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_gdbservers_is_understood() {
        let tcp = |host: &str, port, family| Comm::Tcp { host: host.into(), port, family };
        let cases = [
            ("-", Comm::Stdio),
            ("stdio", Comm::Stdio),
            (":2345", tcp("", 2345, Family::Any)),
            ("2345", tcp("", 2345, Family::Any)),
            (":0", tcp("", 0, Family::Any)),
            ("localhost:2345", tcp("localhost", 2345, Family::Any)),
            ("[::1]:2345", tcp("::1", 2345, Family::Any)),
            ("::1:2345", tcp("::1", 2345, Family::Any)),
            ("tcp:host:1", tcp("host", 1, Family::Any)),
            ("tcp::1", tcp("", 1, Family::Any)),
            ("tcp:1", tcp("tcp", 1, Family::Any)),
            ("tcp4:1", tcp("", 1, Family::V4)),
            ("tcp4::1", tcp("", 1, Family::V4)),
            ("tcp6:[::1]:1", tcp("::1", 1, Family::V6)),
            ("/dev/ttyS0", Comm::Device("/dev/ttyS0".into())),
            ("com1", Comm::Device("com1".into())),
        ];
        for (text, comm) in cases {
            assert_eq!(Comm::parse(OsStr::new(text)), Ok(comm), "{text}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_named() {
        for (text, part) in
            [("host:", "``"), (":70000", "70000"), ("a:b", "`b`"), ("70000", "70000"), ("[::1:5", "`]`")]
        {
            let error = Comm::parse(OsStr::new(text)).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
