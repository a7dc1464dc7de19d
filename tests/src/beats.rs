//! The program `beats` and the memory it shares with the test, by which a test sees from outside whether it runs.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::unistd::Pid;
use tempfile::TempDir;

use crate::process::{self, Owned};
use crate::{program, wait_until};

/// A word of `struct shared` in `programs/beats.c`.
#[derive(Clone, Copy, Debug)]
enum Word {
    Beats = 0,
    ThreadBeats = 1,
    Trigger = 2,
    RareCalls = 3,
    RarelyAddress = 4,
    ThreadsReady = 5,
    Pid = 6,
}

/// The memory shared with one run of the program.
#[derive(Debug)]
pub struct Shared {
    _directory: TempDir,
    path: PathBuf,
    file: File,
}

impl Shared {
    /// Makes the file, all words zero.
    ///
    /// # Panics
    /// When the directory for temporary files can't be written to.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("shared");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(&path).expect("the file is new");
        file.set_len(4096).expect("a page fits");
        Self { _directory: directory, path, file }
    }

    /// The program's first argument.
    ///
    /// # Panics
    /// When the directory for temporary files has a name that is not UTF-8.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.to_str().expect("the name is UTF-8")
    }

    /// How often the main thread has gone round its loop.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.read(Word::Beats)
    }

    /// The process id, as the program sees it.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.read(Word::Pid) as i32)
    }

    /// Where `rarely` is in the program's memory.
    #[must_use]
    pub fn rarely_address(&self) -> u64 {
        self.read(Word::RarelyAddress)
    }

    /// How many calls of `rarely` have returned.
    #[must_use]
    pub fn rare_calls(&self) -> u64 {
        self.read(Word::RareCalls)
    }

    /// Has the program call `rarely` once more. It runs into a breakpoint there, if any.
    pub fn call_rarely(&self) {
        self.write(Word::Trigger, self.read(Word::Trigger) + 1);
    }

    /// Waits until the main thread runs and has started `threads` others.
    ///
    /// # Panics
    /// When it does not come so far.
    pub fn wait_until_running(&self, threads: u64) {
        wait_until("the program runs", || self.beats() > 0 && self.read(Word::ThreadsReady) == threads);
    }

    /// Waits until the main thread, and the others if there are any, have gone on from where they are now.
    ///
    /// # Panics
    /// When they do not.
    pub fn assert_goes_on(&self) {
        for word in [Word::Beats, Word::ThreadBeats] {
            let before = self.read(word);
            let idle = matches!(word, Word::ThreadBeats) && self.read(Word::ThreadsReady) == 0;
            // Two turns: the first may have been under way in a stopped thread.
            wait_until("the program goes on", || idle || self.read(word) > before + 1);
        }
    }

    fn read(&self, word: Word) -> u64 {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, word as u64 * 8).expect("the file has a whole page");
        u64::from_ne_bytes(bytes)
    }

    fn write(&self, word: Word, value: u64) {
        self.file.write_all_at(&value.to_ne_bytes(), word as u64 * 8).expect("the file has a whole page");
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

/// The program, started by the test and running by itself.
#[derive(Debug)]
pub struct Beats {
    process: Owned,
    /// What it shares with the test.
    pub shared: Shared,
    original: u8,
}

impl Beats {
    /// Starts it with `threads` threads besides the main one, and waits until all run.
    #[must_use]
    pub fn start(threads: u64) -> Self {
        let shared = Shared::new();
        let mut command = Command::new(program::path("beats"));
        command.arg(shared.path()).arg(threads.to_string()).stdin(Stdio::null());
        let process = Owned::spawn(&mut command);
        shared.wait_until_running(threads);
        let original = process::memory_byte(process.pid(), shared.rarely_address());
        Self { process, shared, original }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// Whether the first byte of `rarely` is what the compiler put there, that is: holds no breakpoint.
    #[must_use]
    pub fn has_original_text(&self) -> bool {
        process::memory_byte(self.pid(), self.shared.rarely_address()) == self.original
    }

    /// Waits until the program is as if it had never been debugged: not traced, not stopped, no breakpoint in its text,
    /// no watchpoint in a debug register (one on `rare_value` would end it), and running.
    ///
    /// # Panics
    /// When it does not come to that.
    pub fn assert_left_as_it_was_found(&self) {
        wait_until("the program is not traced and not stopped", || process::is_left_alone(self.pid()));
        assert!(process::is_alive(self.pid()), "the program has ended");
        wait_until("the program's text is restored", || self.has_original_text());
        self.shared.assert_goes_on();
        let before = self.shared.rare_calls();
        self.shared.call_rarely();
        wait_until("the program runs over where the breakpoint was", || self.shared.rare_calls() > before);
        self.shared.assert_goes_on();
        assert!(process::is_alive(self.pid()), "the program has ended");
    }
}
