//! `premote … listen`, between the debuggers and the server.

use std::process::Stdio;

use crate::process::Owned;
use crate::{lines_of, premote, receive};

/// The connection string of a server, or of what is before it, on this machine; `more` begins with a comma or is empty.
#[must_use]
pub fn connection(port: u16, more: &str) -> String {
    format!("tcp:server=127.0.0.1,port={port}{more}")
}

/// A port each connection to which is a debug session of its own. Ends when dropped.
#[derive(Debug)]
pub struct Listening {
    process: Owned,
    port: u16,
}

impl Listening {
    /// Starts it, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn on(connection: &str) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let mut command = premote::command(&[connection, "listen"]);
        command.stdin(Stdio::null()).stdout(writer);
        let process = Owned::spawn(&mut command);
        drop(command);
        let lines = lines_of(reader);
        let line = receive(&lines).expect("premote says where it listens");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Self { process, port: port.unwrap_or_else(|| panic!("no port in {line:?}")) }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process.
    pub fn process(&mut self) -> &mut Owned {
        &mut self.process
    }
}
