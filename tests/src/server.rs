//! The server under test, started on a free port.

use std::io::{BufRead, BufReader, PipeReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::gdb::{Transcript, batch};
use crate::listening::{Listening, connection};
use crate::mi::Mi;
use crate::patience::Patience;
use crate::process::{self, Owned};
use crate::{premote, program, receive, rsp};

/// What is started as the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The server that the tests are for.
    Dbgsrv,
    /// The same, reached through `premote`.
    Premote,
    /// GDB's own: what `dbgsrv` is compared with, and its stand-in when the tests themselves are checked.
    Gdbserver,
}

impl Kind {
    /// The server that the tests run against: `DBGSRV_TEST_SERVER`, `dbgsrv` where that is not set.
    ///
    /// # Panics
    /// When the variable names neither.
    #[must_use]
    pub fn under_test() -> Self {
        match std::env::var("DBGSRV_TEST_SERVER").as_deref() {
            Err(_) | Ok("dbgsrv") => Self::Dbgsrv,
            Ok("premote") => Self::Premote,
            Ok("gdbserver") => Self::Gdbserver,
            Ok(other) => panic!("DBGSRV_TEST_SERVER is {other}; it can be dbgsrv, premote or gdbserver"),
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Dbgsrv | Self::Premote => {
                let mut command = Command::new(dbgsrv());
                command.args(["-t", "tcp:port=0"]);
                command
            }
            Self::Gdbserver => {
                let mut command = Command::new("gdbserver");
                command.args(["--multi", "localhost:0"]);
                command
            }
        }
    }
}

/// Whether the tests run against gdbserver, which can't do `what`. Says so, for the test's output.
#[must_use]
pub fn stand_in_lacks(what: &str) -> bool {
    let lacks = Kind::under_test() == Kind::Gdbserver;
    if lacks {
        eprintln!("skipped: gdbserver lacks {what}");
    }
    lacks
}

/// The server's executable: `DBGSRV_BIN`, or the one built into the same target directory as the test.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn dbgsrv() -> PathBuf {
    if let Some(path) = std::env::var_os("DBGSRV_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the test has a path");
    // The test is target/PROFILE/deps/NAME-HASH.
    let path = test.ancestors().nth(2).expect("cargo puts tests two folders deep").join("dbgsrv");
    assert!(path.exists(), "no {}: run `cargo build --workspace` (with the tests' profile) first", path.display());
    path
}

/// The exit status and the errors of a `dbgsrv` that does not start.
///
/// # Panics
/// When it goes on, which it is not to.
#[must_use]
pub fn refused(transport: &str) -> (i32, String) {
    let mut command = Command::new(dbgsrv());
    command.args(["-t", transport]).stdin(Stdio::null());
    let outcome = premote::finish(command);
    (outcome.status, outcome.stderr)
}

/// A running server, killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Owned,
    port: u16,
    between: Option<Listening>,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts the server under test and waits until it listens.
    #[must_use]
    pub fn start() -> Self {
        Self::start_as(Kind::under_test())
    }

    /// Starts a server of the given kind and waits until it listens.
    ///
    /// # Panics
    /// When it does not say where it listens.
    #[must_use]
    pub fn start_as(kind: Kind) -> Self {
        let mut server = Self::spawn(kind.command());
        server.between = (kind == Kind::Premote).then(|| Listening::on(&connection(server.port, "")));
        server
    }

    /// Starts `dbgsrv` with these arguments, of which `-t` must make it listen, and waits until it does.
    ///
    /// # Panics
    /// When it does not say where it listens.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        let mut command = Command::new(dbgsrv());
        command.args(arguments);
        Self::spawn(command)
    }

    /// Has a shell do `first`, and then become `dbgsrv` on a free port.
    ///
    /// # Panics
    /// When it does not say where it listens.
    #[must_use]
    pub fn start_after(first: &str) -> Self {
        Self::start_after_with(first, "tcp:port=0")
    }

    /// Has a shell do `first`, and then become `dbgsrv` on this transport.
    ///
    /// # Panics
    /// When it does not say where it listens.
    #[must_use]
    pub fn start_after_with(first: &str, transport: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{first}; exec \"$0\" -t {transport}")]).arg(dbgsrv());
        Self::spawn(command)
    }

    /// Runs `command`, which becomes a server, and waits until it listens.
    ///
    /// # Panics
    /// When it does not say where it listens.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let stdout = writer.try_clone().expect("a pipe's end can be duplicated");
        command.stdin(Stdio::null()).stdout(stdout).stderr(writer);
        let process = Owned::spawn(&mut command);
        // The command holds the writing end, which would keep the log open after the server's end.
        drop(command);
        let log = Arc::new(Mutex::new(String::new()));
        let (found, port) = channel();
        let written = Arc::clone(&log);
        std::thread::spawn(move || collect(reader, &written, &found));
        let Some(port) = receive(&port) else {
            panic!("the server does not say where it listens; its output is:\n{}", read(&log));
        };
        Self { process, port, between: None, log }
    }

    /// Starts `dbgsrv` so that it calls a port of this machine; `more` begins with a comma or is empty.
    ///
    /// # Panics
    /// When it does not say whom it calls.
    #[must_use]
    pub fn calling(port: u16, more: &str) -> Self {
        Self::start_with(&["-t", &format!("tcp:port={port},clicon=127.0.0.1{more}")])
    }

    /// The port that debuggers connect to, or that it calls.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.between.as_ref().map_or(self.port, Listening::port)
    }

    /// The daemon's process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// Everything it has written so far, with the output of the programs it started.
    #[must_use]
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Waits until the log has `text`: it is read as it comes, which may be after what it tells of has been seen.
    ///
    /// # Panics
    /// With the whole log, when it does not get it.
    #[track_caller]
    pub fn assert_logs(&self, text: &str) {
        let mut patience = Patience::new();
        while !self.log().contains(text) {
            assert!(patience.lasts(), "the log does not say {text:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its children that serve a session: those that run the server's own executable. A program that is just being
    /// started by a worker is not among them, since its parent is the worker.
    #[must_use]
    pub fn workers(&self) -> Vec<Pid> {
        let executable = |pid: Pid| std::fs::read_link(format!("/proc/{pid}/exe")).ok();
        let own = executable(self.pid());
        process::children(self.pid()).into_iter().filter(|&pid| executable(pid) == own).collect()
    }

    /// The worker that traces `pid`.
    ///
    /// # Panics
    /// When nothing traces it.
    #[must_use]
    pub fn worker_of(&self, pid: Pid) -> Pid {
        let tracer = process::threads(pid).first().map_or(0, |thread| thread.tracer);
        assert!(tracer != 0, "nothing traces {pid}");
        Pid::from_raw(tracer)
    }

    /// Sends the daemon a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for the daemon's end: its exit status, or minus the signal that ended it.
    pub fn wait(&mut self) -> i32 {
        self.process.wait()
    }

    /// Runs a new gdb with these commands, connected to this server, and returns what it printed.
    #[must_use]
    pub fn gdb(&self, program: Option<&Path>, commands: &[&str]) -> Transcript {
        let connect = format!("target extended-remote localhost:{}", self.port());
        let mut all = vec![connect];
        if let Some(program) = program {
            all.insert(0, format!("file {}", program.display()));
            all.push(format!("set remote exec-file {}", program.display()));
        }
        all.extend(commands.iter().map(|&command| command.to_owned()));
        batch(&all)
    }

    /// A new gdb in MI mode, connected to this server.
    #[must_use]
    pub fn mi(&self, program: Option<&Path>) -> Mi {
        Mi::connected(self.port(), program)
    }

    /// A new raw connection.
    #[must_use]
    pub fn rsp(&self) -> rsp::Client {
        rsp::Client::connect(self.port())
    }

    /// Has a new gdb run a whole program: what came before must not have harmed the server.
    ///
    /// # Panics
    /// When it does not work.
    pub fn assert_still_serves(&self) {
        let transcript = self.gdb(Some(&program::path("basics")), &["break square", "run", "continue"]);
        transcript.assert_has("Breakpoint 1, square (x=6)");
        transcript.assert_has("exited with code 03]");
    }
}

/// Copies the server's output into `log`; sends the port when the line with it comes.
fn collect(reader: PipeReader, log: &Mutex<String>, found: &Sender<u16>) {
    for line in BufReader::new(reader).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line);
        if let Some(port) = listening_port(&line) {
            // Only the first is waited for.
            let _ = found.send(port);
        }
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(&line);
        log.push('\n');
    }
}

/// The port in a line such as `… listening on tcp port 5005 …`, `Listening on port 5005` or `… calling tcp port 5005 of …`.
fn listening_port(line: &str) -> Option<u16> {
    let line = line.to_lowercase();
    let (_, place) = line.split_once("listening on ").or_else(|| line.split_once("calling "))?;
    let (_, rest) = place.split_once("port")?;
    let digits = rest.trim_start_matches([' ', '=']);
    digits.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn read(log: &Mutex<String>) -> String {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
