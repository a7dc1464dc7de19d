//! Where lldb-server meets its client: `[HOST]:PORT`, the path of a socket, or a URL.

use crate::gdbserver::comm::{Comm, Family, SocketName, host_and_port};
use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;

/// Whoever listens there by these schemes.
const LISTENING: [&str; 2] = ["tcp", "listen"];
/// Whoever is called there.
const CALLING: [&str; 2] = ["connect", "tcp-connect"];

/// Understands what follows the options of `lldb-server gdbserver`. With `call`, the client listens.
///
/// # Errors
/// What is wrong with it, and what is allowed.
pub(super) fn parse(place: &OsStr, call: bool) -> Result<Comm, String> {
    let Some(text) = place.to_str() else { return Ok(socket(SocketName::Path(place.into()), call)) };
    let Some((scheme, rest)) = text.split_once("://") else {
        return match host_and_port(text)? {
            Some((host, port)) => Ok(tcp(host, port, call)),
            None => Ok(socket(SocketName::Path(text.into()), call)),
        };
    };
    let name = || OsString::from(rest);
    match scheme {
        scheme if LISTENING.contains(&scheme) => port(rest, call),
        scheme if CALLING.contains(&scheme) => port(rest, true),
        "unix" | "unix-accept" => Ok(socket(SocketName::Path(rest.into()), call)),
        "unix-abstract" | "unix-abstract-accept" => Ok(socket(SocketName::Abstract(name()), call)),
        "unix-connect" => Ok(socket(SocketName::Path(rest.into()), true)),
        "unix-abstract-connect" => Ok(socket(SocketName::Abstract(name()), true)),
        "serial" if rest.contains('?') => {
            Err(format!("{text}: the line is used as it is set; allowed: to leave out what follows `?`"))
        }
        "serial" | "file" => Ok(Comm::Device(rest.into())),
        "fd" => descriptor(OsStr::new(rest)).map(Comm::Descriptor),
        _ => Err(format!(
            "the scheme is `{scheme}`; it can be {}, {}, unix, unix-accept, unix-connect, unix-abstract, \
             unix-abstract-accept, unix-abstract-connect, serial, file or fd",
            LISTENING.join(", "),
            CALLING.join(", "),
        )),
    }
}

/// The number of an inherited descriptor.
///
/// # Errors
/// What it can be.
pub(super) fn descriptor(number: &OsStr) -> Result<RawFd, String> {
    let text = number.to_string_lossy();
    text.parse()
        .ok()
        .filter(|number| *number >= 0)
        .ok_or_else(|| format!("the descriptor is `{text}`; it has to be a number"))
}

fn port(place: &str, call: bool) -> Result<Comm, String> {
    match host_and_port(place)? {
        Some((host, port)) => Ok(tcp(host, port, call)),
        None => Err(format!("`{place}` has no port; it has to be HOST:PORT")),
    }
}

/// No host is this machine, and `*` is every address that it has.
fn tcp(host: &str, port: u16, call: bool) -> Comm {
    let host = if host.is_empty() { "localhost" } else { host };
    match host {
        host if call => Comm::CallTcp { host: host.to_owned(), port },
        "*" => Comm::Tcp { host: String::new(), port, family: Family::Any },
        host => Comm::Tcp { host: host.to_owned(), port, family: Family::Any },
    }
}

fn socket(name: SocketName, call: bool) -> Comm {
    if call { Comm::CallUnix(name) } else { Comm::Unix(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(host: &str, port: u16) -> Comm {
        Comm::Tcp { host: host.into(), port, family: Family::Any }
    }

    #[test]
    fn every_form_of_lldb_servers_is_understood() {
        let path = |path: &str| SocketName::Path(path.into());
        let hidden = || SocketName::Abstract("x/y".into());
        let cases = [
            (":0", listening("localhost", 0)),
            ("1234", listening("localhost", 1234)),
            ("*:1234", listening("", 1234)),
            ("[::1]:1234", listening("::1", 1234)),
            ("tcp://localhost:7", listening("localhost", 7)),
            ("listen://box:7", listening("box", 7)),
            ("connect://box:7", Comm::CallTcp { host: "box".into(), port: 7 }),
            ("debug.sock", Comm::Unix(path("debug.sock"))),
            ("unix:///run/a", Comm::Unix(path("/run/a"))),
            ("unix-connect:///run/a", Comm::CallUnix(path("/run/a"))),
            ("unix-abstract://x/y", Comm::Unix(hidden())),
            ("unix-abstract-connect://x/y", Comm::CallUnix(hidden())),
            ("serial:///dev/pts/3", Comm::Device("/dev/pts/3".into())),
            ("fd://7", Comm::Descriptor(7)),
        ];
        for (text, comm) in cases {
            assert_eq!(parse(OsStr::new(text), false), Ok(comm), "{text}");
        }
    }

    #[test]
    fn a_client_that_listens_is_called() {
        let called = |text| parse(OsStr::new(text), true);
        assert_eq!(called("[::1]:7"), Ok(Comm::CallTcp { host: "::1".into(), port: 7 }));
        assert_eq!(called(":7"), Ok(Comm::CallTcp { host: "localhost".into(), port: 7 }));
        assert_eq!(called("/run/a"), Ok(Comm::CallUnix(SocketName::Path("/run/a".into()))));
    }

    #[test]
    fn errors_say_what_is_allowed() {
        let cases = [
            ("box:x", "0 to 65535"),
            ("tcp://box", "HOST:PORT"),
            ("udp://box:1", "unix-abstract"),
            ("fd://x", "number"),
            ("serial:///dev/ttyS0?baud=9600", "`?`"),
        ];
        for (text, part) in cases {
            let error = parse(OsStr::new(text), false).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
