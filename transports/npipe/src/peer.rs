//! Who is at the other end of a pipe.

use std::fmt;
use std::io;
use tokio::net::UnixStream;

/// The process that connected, or that listens, as the kernel knows it (`SO_PEERCRED`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its id; `None` where it is in a container that this one can't look into.
    pub pid: Option<i32>,
}

impl Peer {
    /// The one at the other end of `stream`.
    ///
    /// # Errors
    /// What getsockopt(2) says.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        Ok(Self { uid: credentials.uid(), pid: credentials.pid().filter(|pid| *pid > 0) })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "pid={pid},uid={}", self.uid),
            None => write!(f, "uid={}", self.uid),
        }
    }
}
