//! The server under the names of other servers.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use tempfile::TempDir;

use crate::process::Owned;
use crate::server::dbgsrv;
use crate::{lines_of, receive};

/// A link to the server, in a folder of its own.
#[derive(Debug)]
pub struct Link {
    folder: TempDir,
    name: &'static str,
}

impl Link {
    /// Makes it.
    ///
    /// # Panics
    /// When no file can be made.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        symlink(dbgsrv(), folder.path().join(name)).expect("a link can be made");
        Self { folder, name }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    /// The folder, for other files of the test.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server by this name.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(self.path());
        command.args(arguments).stdin(Stdio::null());
        Running::start(command)
    }
}

/// A server that has been started, and what it has said.
#[derive(Debug)]
pub struct Running {
    /// Its process.
    pub process: Owned,
    lines: Receiver<String>,
    /// All lines so far.
    pub said: String,
}

impl Running {
    /// Starts a command whose standard input is settled.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let stdout = writer.try_clone().expect("a pipe's end can be duplicated");
        command.stdout(stdout).stderr(writer).env("SHELL", "/bin/sh");
        let process = Owned::spawn(&mut command);
        drop(command);
        Self { process, lines: lines_of(reader), said: String::new() }
    }

    /// What follows `start` in the next line that begins with it.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn after(&mut self, start: &str) -> String {
        loop {
            let Some(line) = receive(&self.lines) else { panic!("no line {start:?}, but:\n{}", self.said) };
            self.said.push_str(&line);
            self.said.push('\n');
            if let Some(rest) = line.strip_prefix(start) {
                return rest.to_owned();
            }
        }
    }

    /// Its exit status, after its last line.
    pub fn end(&mut self) -> i32 {
        while let Some(line) = receive(&self.lines) {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        self.process.wait()
    }

    /// Asserts that it has said something.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn assert_said(&self, text: &str) {
        assert!(self.said.contains(text), "no {text:?} in:\n{}", self.said);
    }
}
