//! What DNS-SD says of a server: its text record, and what is made of somebody else's.

use dbgsrv_protocol::limits::{MAX_ADVERTISED_ADDRESSES, MAX_TEXT_RECORD};
use dbgsrv_protocol::options::{Address, Host, ListedServer, OptionsError, PortRange};
use std::net::IpAddr;
use std::str;
use thiserror::Error;

/// The version of the text record (RFC 6763, section 6.7).
pub(crate) const VERSION: (&str, &str) = ("txtvers", "1");
/// The key under which it has the server as lists show it.
pub(crate) const SERVER: &str = "server";

/// A server of another machine, as it announces itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NearServer {
    /// What its machine calls itself, such as `box17.local`.
    pub machine: Host,
    /// Where its machine is, those first that every machine of the link can use.
    pub addresses: Vec<IpAddr>,
    /// Where it is reached there.
    pub server: ListedServer,
}

impl NearServer {
    /// The machine as one calls it to connect: by its first address, since not every system looks names up by multicast;
    /// by its name where there is none.
    #[must_use]
    pub fn host(&self) -> Host {
        match self.addresses.first() {
            Some(IpAddr::V4(address)) => Host::Address(Address::V4(*address)),
            Some(IpAddr::V6(address)) => Host::Address(Address::V6(*address, None)),
            None => self.machine.clone(),
        }
    }
}

/// What is announced is no server that could be reached.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RecordError {
    /// Its machine has no name that one could be called by.
    #[error("not the name of a machine")]
    Machine,
    /// The text record does not say what it is.
    #[error("no `{SERVER}` in its text record")]
    NoServer,
    /// It says what makes no sense.
    #[error(transparent)]
    Server(#[from] OptionsError),
    /// It is not on the port that the service is on, or on none at all.
    #[error("not at the port that is announced")]
    Port,
}

/// Reads an announcement: the machine's name, the service's port, and what the text record has under [`SERVER`].
///
/// # Errors
/// [`RecordError`].
pub(crate) fn read(
    machine: &str,
    port: u16,
    text: Option<&[u8]>,
    addresses: impl IntoIterator<Item = IpAddr>,
) -> Result<NearServer, RecordError> {
    let machine = machine.trim_end_matches('.').parse().map_err(|_| RecordError::Machine)?;
    let text = text.filter(|text| text.len() <= MAX_TEXT_RECORD).ok_or(RecordError::NoServer)?;
    let server = str::from_utf8(text).map_err(|_| RecordError::NoServer)?.parse()?;
    if port_of(&server).is_none_or(|listed| listed.low().get() != port) {
        return Err(RecordError::Port);
    }
    let mut addresses: Vec<_> = addresses.into_iter().take(MAX_ADVERTISED_ADDRESSES).collect();
    addresses.sort_by_key(|address| (is_link_local(address), *address));
    Ok(NearServer { machine, addresses, server })
}

/// Whether an address is of use only with the name of an interface.
fn is_link_local(address: &IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// The port of a server that is on one.
pub(crate) fn port_of(server: &ListedServer) -> Option<PortRange> {
    match server {
        ListedServer::Tcp(tcp) => Some(tcp.port),
        ListedServer::Ssl(ssl) => Some(ssl.port),
        ListedServer::NamedPipe(_) | ListedServer::SecurePipe(_) | ListedServer::Serial(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<NearServer, RecordError> {
        read("BOX17.local.", 53, Some(text.as_bytes()), ["fe80::1", "::1", "192.0.2.7"].map(|a| a.parse().unwrap()))
    }

    #[test]
    fn an_announcement_says_machine_addresses_and_server() {
        let near = read_text("tcp:Port=53:60,Password=*").unwrap();
        let shown = [near.machine.to_string(), near.server.to_string(), near.host().to_string()];
        assert_eq!(shown, ["BOX17.local", "tcp:Port=53:60,Password=*", "192.0.2.7"]);
        assert_eq!(NearServer { addresses: Vec::new(), ..near }.host().to_string(), "BOX17.local");
    }

    #[test]
    fn what_could_not_be_reached_or_shown_is_refused() {
        for (text, reason) in [
            ("tcp:Port=54", "not at the port"),
            ("npipe:Pipe=app", "not at the port"),
            ("tcp:Port=53,Password=Secret1", "not masked"),
            ("tcp", "no colon"),
            (&format!("npipe:Pipe={}", "a".repeat(300)), "no `server`"),
        ] {
            let error = read_text(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert_eq!(read("BOX17", 53, None, []), Err(RecordError::NoServer));
        assert_eq!(read("BOX17", 53, Some(b"\xff"), []), Err(RecordError::NoServer));
        for name in ["", ".", "two words.local.", "\u{1b}[31m.local", "-oProxyCommand=x"] {
            assert_eq!(read(name, 53, Some(b"tcp:Port=53"), []), Err(RecordError::Machine), "{name:?}");
        }
    }
}
