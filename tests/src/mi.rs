//! gdb in MI mode: driven command by command, so that a test can do something while the program runs.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::Receiver;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::process::Owned;
use crate::{gdb, lines_of, receive};

/// A gdb, killed when dropped.
#[derive(Debug)]
pub struct Mi {
    process: Owned,
    lines: Receiver<String>,
    /// `*stopped` records that nobody has waited for yet.
    stops: VecDeque<Stop>,
    /// Everything that gdb has written, for the message of a failed test.
    transcript: String,
}

/// A `*stopped` record.
#[derive(Clone, Debug)]
pub struct Stop(String);

impl Stop {
    /// Why the program stopped, as gdb names it: `breakpoint-hit`, `end-stepping-range`, `signal-received`, …
    #[must_use]
    pub fn reason(&self) -> &str {
        self.field("reason").unwrap_or_default()
    }

    /// The first value with this name anywhere in the record.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.0.split_once(&format!("{name}=\""))?;
        rest.split('"').next()
    }
}

impl Mi {
    /// Starts gdb, with `program` loaded if given, and connects it.
    ///
    /// # Panics
    /// When it does not connect.
    #[must_use]
    pub fn connected(port: u16, program: Option<&Path>) -> Self {
        let mut command = gdb::command(&["-i=mi3"]);
        command.args(program).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = Owned::spawn(&mut command);
        let stdout = process.child().stdout.take().expect("the output is a pipe");
        let mut mi = Self { process, lines: lines_of(stdout), stops: VecDeque::new(), transcript: String::new() };
        // Commands are taken while the program runs.
        mi.command("-gdb-set mi-async on");
        mi.console(&format!("target extended-remote localhost:{port}"));
        if let Some(program) = program {
            mi.console(&format!("set remote exec-file {}", program.display()));
        }
        mi
    }

    /// Runs an MI command and returns what it printed on the console.
    ///
    /// # Panics
    /// When gdb reports an error, ends or hangs.
    #[track_caller]
    pub fn command(&mut self, command: &str) -> String {
        match self.try_command(command) {
            Ok(console) => console,
            Err(message) => panic!("{command} failed: {message}\n{}", self.transcript),
        }
    }

    /// Runs an MI command.
    ///
    /// # Errors
    /// gdb's message.
    ///
    /// # Panics
    /// When gdb ends or hangs.
    #[track_caller]
    pub fn try_command(&mut self, command: &str) -> Result<String, String> {
        let stdin = self.process.child().stdin.as_mut().expect("the input is a pipe");
        writeln!(stdin, "{command}").expect("gdb reads commands");
        let mut console = String::new();
        loop {
            let line = self.line(command);
            if let Some(text) = line.strip_prefix('~') {
                console.push_str(&unquoted(text));
            } else if let Some(record) = line.strip_prefix("^error") {
                return Err(unquoted(record.trim_start_matches(",msg=")));
            } else if line.starts_with('^') {
                return Ok(console);
            }
        }
    }

    /// Runs a CLI command that does not let the program run, and returns what it printed.
    #[track_caller]
    pub fn console(&mut self, command: &str) -> String {
        self.command(&format!("-interpreter-exec console \"{command}\""))
    }

    /// Waits for the next stop (or the program's end, which is reported alike).
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn wait_stop(&mut self) -> Stop {
        while self.stops.is_empty() {
            self.line("a stop");
        }
        self.stops.pop_front().expect("the loop ends when there is one")
    }

    /// Attaches, and waits until the program is stopped.
    #[track_caller]
    pub fn attach(&mut self, pid: Pid) {
        self.command(&format!("-target-attach {pid}"));
        self.wait_stop();
    }

    /// Ends gdb as a crash would.
    pub fn kill(self) {
        self.process.signal(Signal::SIGKILL);
    }

    /// The next line; a stop in it is kept.
    #[track_caller]
    fn line(&mut self, awaited: &str) -> String {
        let Some(line) = receive(&self.lines) else {
            panic!("gdb does not come to {awaited}:\n{}", self.transcript);
        };
        self.transcript.push_str(&line);
        self.transcript.push('\n');
        if line.starts_with("*stopped") {
            self.stops.push_back(Stop(line.clone()));
        }
        line
    }
}

/// The text of a C string literal as MI prints it. Escapes that no test looks at stay as they are.
fn unquoted(literal: &str) -> String {
    let inner = literal.trim_matches('"');
    inner.replace("\\n", "\n").replace("\\t", "\t").replace("\\\"", "\"")
}
