//! gdb in batch mode: a list of commands in, everything it printed out.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use crate::process::Owned;
use crate::receive;

/// What every gdb here is told before anything else: the user's own settings and terminal play no part.
pub const SETTINGS: [&str; 7] = [
    "set debuginfod enabled off",
    "set confirm off",
    "set pagination off",
    "set width 0",
    "set height 0",
    "set style enabled off",
    "set print thread-events off",
];

/// A gdb command line up to the commands.
#[must_use]
pub fn command(mode: &[&str]) -> Command {
    let mut command = Command::new("gdb");
    command.args(["-nx", "-nh", "-q"]).args(mode).env("LC_ALL", "C");
    for setting in SETTINGS {
        command.args(["-iex", setting]);
    }
    command
}

/// Runs gdb in batch mode. A command that fails does not end the run, as for a user who types them.
///
/// # Panics
/// When gdb does not come to its end.
#[must_use]
pub fn batch(commands: &[String]) -> Transcript {
    finish(command(&["-batch"]), commands)
}

/// As [`batch`], for a command line that has more to it.
///
/// # Panics
/// As there.
#[must_use]
pub fn finish(mut gdb: Command, commands: &[String]) -> Transcript {
    let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
    for text in commands {
        gdb.args(["-ex", text]);
    }
    let stdout = writer.try_clone().expect("a pipe's end can be duplicated");
    gdb.stdin(Stdio::null()).stdout(stdout).stderr(writer);
    let mut process = Owned::spawn(&mut gdb);
    // The command holds the writing end, which would keep the output open after gdb's end.
    drop(gdb);
    let (sender, output) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A failed read ends the output just as its end does; what came before is judged.
        let _ = reader.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    let Some(bytes) = receive(&output) else { panic!("gdb hangs in these commands: {commands:#?}") };
    process.wait();
    Transcript(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a run of gdb printed.
#[derive(Clone, Debug)]
pub struct Transcript(pub String);

impl Transcript {
    /// Fails the test unless `text` was printed.
    ///
    /// # Panics
    /// With the whole transcript.
    #[track_caller]
    pub fn assert_has(&self, text: &str) {
        assert!(self.0.contains(text), "gdb did not print {text:?}, but:\n{}", self.0);
    }

    /// Fails the test if `text` was printed.
    ///
    /// # Panics
    /// With the whole transcript.
    #[track_caller]
    pub fn assert_lacks(&self, text: &str) {
        assert!(!self.0.contains(text), "gdb printed {text:?}:\n{}", self.0);
    }

    /// What follows `before` in the first line that has it.
    ///
    /// # Panics
    /// When no line has it.
    #[track_caller]
    #[must_use]
    pub fn after(&self, before: &str) -> &str {
        let found = self.0.lines().find_map(|line| Some(line.split_once(before)?.1));
        found.unwrap_or_else(|| panic!("gdb did not print {before:?}, but:\n{}", self.0))
    }

    /// How often `text` was printed.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.0.matches(text).count()
    }
}
