//! What a server leaves in the registry: a few lines of text.
//!
//! ```text
//! dbgsrv-server 1
//! pid 1234
//! npipe:Pipe=app
//! tcp:Port=5005,Password=*
//! ```

use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::limits::{MAX_LISTED_SERVERS, MAX_REGISTRY_ENTRY};
use dbgsrv_protocol::options::{ListedServer, OptionsError};
use std::fmt;
use std::str;
use thiserror::Error;

/// The first line: what it is, and in which version.
const HEADING: &str = "dbgsrv-server 1";
/// Before the number of the server's process.
const PID: &str = "pid ";

/// One process, and the servers in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) pid: Pid,
    pub(crate) servers: Vec<ListedServer>,
}

/// A file in the registry is no entry.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EntryError {
    /// It would take room for ever.
    #[error("more than the {MAX_REGISTRY_ENTRY} bytes that an entry may have")]
    TooLong,
    /// It holds something else.
    #[error("no text")]
    NoText,
    /// It is not of this version.
    #[error("begins with other than `{HEADING}`")]
    Heading,
    /// It does not say whose it is.
    #[error("has no process id in its second line")]
    Pid,
    /// A server in it is none.
    #[error("line {line}: {problem}")]
    Server {
        /// Which, from 1.
        line: usize,
        /// Why not.
        problem: OptionsError,
    },
    /// It would fill every list.
    #[error("more than the {MAX_LISTED_SERVERS} servers that an entry may have")]
    TooMany,
}

impl Entry {
    /// Reads what a file holds.
    ///
    /// # Errors
    /// [`EntryError`].
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_REGISTRY_ENTRY {
            return Err(EntryError::TooLong);
        }
        let mut lines = str::from_utf8(bytes).map_err(|_| EntryError::NoText)?.lines();
        if lines.next() != Some(HEADING) {
            return Err(EntryError::Heading);
        }
        let pid = lines.next().and_then(|line| line.strip_prefix(PID)?.parse().ok()).and_then(Pid::new);
        let pid = pid.ok_or(EntryError::Pid)?;
        let mut servers = Vec::new();
        for (line, text) in (3..).zip(lines) {
            if servers.len() == MAX_LISTED_SERVERS {
                return Err(EntryError::TooMany);
            }
            servers.push(text.parse().map_err(|problem| EntryError::Server { line, problem })?);
        }
        Ok(Self { pid, servers })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}\n{PID}{}", self.pid)?;
        self.servers.iter().try_for_each(|server| writeln!(f, "{server}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        Entry::parse(bytes).unwrap_err().to_string()
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let servers = ["npipe:Pipe=app", "tcp:Port=53:60,Password=*"].map(|text| text.parse().unwrap());
        let entry = Entry { pid: Pid::new(1234).unwrap(), servers: servers.into() };
        let text = entry.to_string();
        assert_eq!(text, "dbgsrv-server 1\npid 1234\nnpipe:Pipe=app\ntcp:Port=53:60,Password=*\n");
        assert_eq!(Entry::parse(text.as_bytes()), Ok(entry));
    }

    #[test]
    fn what_is_no_entry_is_refused_with_the_reason() {
        for (bytes, reason) in [
            (&b""[..], "begins with other than `dbgsrv-server 1`"),
            (b"dbgsrv-server 2\npid 1\n", "begins with other than `dbgsrv-server 1`"),
            (b"\x7fELF\xff", "no text"),
            (b"dbgsrv-server 1\n", "has no process id"),
            (b"dbgsrv-server 1\npid 0\n", "has no process id"),
            (b"dbgsrv-server 1\npid 99999999999\n", "has no process id"),
            (b"dbgsrv-server 1\npid 7\ntcp:Port=0\n", "line 3: parameter `port` of tcp: `0` is not a port"),
            (b"dbgsrv-server 1\npid 7\ntcp:Port=1\n\n", "line 4: no colon"),
        ] {
            assert!(refusal(bytes).starts_with(reason), "{}: {}", bytes.escape_ascii(), refusal(bytes));
        }
    }

    #[test]
    fn an_entry_is_bounded_in_bytes_and_in_servers() {
        assert!(refusal(&vec![b'a'; MAX_REGISTRY_ENTRY + 1]).contains("bytes"));
        let with = |count| format!("dbgsrv-server 1\npid 7\n{}", "tcp:Port=1\n".repeat(count));
        assert!(Entry::parse(with(MAX_LISTED_SERVERS).as_bytes()).is_ok());
        assert!(refusal(with(MAX_LISTED_SERVERS + 1).as_bytes()).contains("servers"));
    }
}
