//! `premote relay`, between clients and a server.

use std::sync::mpsc::Receiver;

use crate::process::Owned;
use crate::{lines_of, premote, receive};

/// A relay; its server's end is `-c`, its clients' `-s`. Ends when dropped.
#[derive(Debug)]
pub struct Repeater {
    process: Owned,
    lines: Receiver<String>,
    place: String,
}

impl Repeater {
    /// Starts it, and waits until it says where it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start(server: &str, clients: &str, more: &[&str]) -> Self {
        let mut arguments = vec!["relay", "-c", server, "-s", clients];
        arguments.extend(more);
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let mut command = premote::command(&arguments);
        command.stdout(writer.try_clone().expect("a pipe's end can be duplicated")).stderr(writer);
        let process = Owned::spawn(&mut command);
        drop(command);
        let lines = lines_of(reader);
        let place = receive(&lines).expect("the relay says where it listens");
        assert!(place.starts_with("premote relay: "), "{place}");
        Self { process, lines, place }
    }

    /// The process.
    pub fn process(&mut self) -> &mut Owned {
        &mut self.process
    }

    /// What it says of where it listens.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The port that it listens on.
    ///
    /// # Panics
    /// Where it is no port.
    #[must_use]
    pub fn port(&self) -> u16 {
        let (_, rest) = self.place.split_once("tcp port ").expect("it listens on a port");
        rest.split(' ').next().and_then(|port| port.parse().ok()).expect("a port is a number")
    }

    /// The connection string of its clients.
    ///
    /// # Panics
    /// Where it listens on no port.
    #[must_use]
    pub fn connection(&self) -> String {
        format!("tcp:server=127.0.0.1,port={}", self.port())
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn line(&self) -> String {
        receive(&self.lines).expect("the relay prints something")
    }
}
