//! The command `premote`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::gdb::{SETTINGS, Transcript};
use crate::process::Owned;
use crate::server::Server;

/// The executable: the one built into the same target directory as the test.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn path() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    // The test is target/PROFILE/deps/NAME-HASH.
    let path = test.ancestors().nth(2).expect("cargo puts tests two folders deep").join("premote");
    assert!(path.exists(), "no {}: run `cargo build --workspace` (with the tests' profile) first", path.display());
    path
}

/// The connection string for a server on this machine.
#[must_use]
pub fn connection(server: &Server) -> String {
    format!("tcp:server=localhost,port={}", server.port())
}

/// A command line of `premote`.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).env_remove("DBGSRV_CONNECTION").env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// What came of a run of `premote`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output of a run that must have gone well.
    ///
    /// # Panics
    /// With what was printed instead.
    #[track_caller]
    #[must_use]
    pub fn success(self) -> String {
        assert_eq!(self.status, 0, "{self:#?}");
        self.stdout
    }

    /// The error of a run that must have ended with `status`: one line.
    ///
    /// # Panics
    /// With what was printed instead.
    #[track_caller]
    #[must_use]
    pub fn failure(self, status: i32) -> String {
        assert_eq!(self.status, status, "{self:#?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:#?}");
        self.stderr
    }
}

/// Runs `premote` to its end.
///
/// # Panics
/// As [`finish`].
#[must_use]
pub fn run(arguments: &[&str]) -> Outcome {
    finish(command(arguments))
}

/// Runs a command to its end.
///
/// # Panics
/// When it does not come to an end.
#[must_use]
pub fn finish(mut command: Command) -> Outcome {
    let (stdout, out) = std::io::pipe().expect("a pipe can be made");
    let (stderr, err) = std::io::pipe().expect("a pipe can be made");
    let mut process = Owned::spawn(command.stdout(out).stderr(err));
    // The command holds the writing ends, which would keep the output open after the end.
    drop(command);
    let text = |pipe| std::thread::spawn(move || std::io::read_to_string(pipe).unwrap_or_default());
    let (stdout, stderr) = (text(stdout), text(stderr));
    let status = process.wait();
    let text = |thread: std::thread::JoinHandle<String>| thread.join().expect("reading does not panic");
    Outcome { status, stdout: text(stdout), stderr: text(stderr) }
}

/// Runs a command of `premote` at `server` to its end.
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn at(server: &Server, arguments: &[&str]) -> Outcome {
    let connection = connection(server);
    let mut all = vec![connection.as_str()];
    all.extend(arguments);
    run(&all)
}

/// Runs `premote … gdb OPTIONS -- --batch`, then these commands of gdb's.
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn gdb(server: &Server, options: &[&str], commands: &[&str]) -> (i32, Transcript) {
    let mut all = vec!["gdb"];
    all.extend(options);
    all.extend(["--", "-nx", "-nh", "-q", "-batch"]);
    all.extend(SETTINGS.iter().flat_map(|setting| ["-iex", setting]));
    all.extend(commands.iter().flat_map(|command| ["-ex", command]));
    let outcome = at(server, &all);
    (outcome.status, Transcript(outcome.stdout + &outcome.stderr))
}
