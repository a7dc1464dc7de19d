//! The pseudoterminals that programs are started on, of which the client has the other ends (pty(7)).
//!
//! A console is read only while the client may be told what comes from it, and one piece at a time: a program that prints
//! faster than its client reads is held up by the kernel. That there is something to read is signalled as input on the
//! client's stream is, so that the worker pays nothing for a program that is silent.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use nix::sys::termios::{OutputFlags, SetArg, tcgetattr, tcsetattr};

use super::Engine;
use super::interruptible::{self, OUTPUT};
use super::launch::StandardStreams;
use crate::engine::error::{Error, Result};

/// Most consoles of one session. A program that goes on in the background keeps the one that it was started on; when there
/// are too many, the oldest is closed.
const CONSOLES_MAX: usize = 16;
/// Bytes read from a console at once: as many as the kernel keeps for its reader.
const PIECE: usize = 4096;
/// Bytes that are read after a stop before it is told. Whoever prints them still runs, undebugged, and may never end.
const LAST_WORDS_MAX: usize = 0x1_0000;
/// Most typed bytes that wait for a program to read them.
const TYPED_MAX: usize = 0x1_0000;

/// The client's end of a console.
#[derive(Debug)]
pub(super) struct Console {
    master: File,
    /// What the client has typed and the kernel has had no room for.
    typed: Vec<u8>,
}

impl Console {
    /// A new console, and the end that is the program's: for typing, with the modes that terminals have, or for printing,
    /// where the lines come as they are.
    ///
    /// # Errors
    /// What `posix_openpt(3)` and its kin say.
    pub(super) fn open(streams: StandardStreams) -> nix::Result<(Self, OwnedFd)> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let slave = open(ptsname_r(&master)?.as_str(), flags, Mode::empty())?;
        if streams == StandardStreams::Printed {
            let mut modes = tcgetattr(&slave)?;
            modes.output_flags -= OutputFlags::OPOST;
            tcsetattr(&slave, SetArg::TCSANOW, &modes)?;
        }
        interruptible::signal_input(master.as_raw_fd())?;
        let master = File::from(master.as_fd().try_clone_to_owned().map_err(|error| errno(&error))?);
        Ok((Self { master, typed: Vec::new() }, slave))
    }

    /// Appends a piece of what was printed to `output`, and passes on what was typed. `false`: no program has the console
    /// any more.
    fn serve(&mut self, output: &mut Vec<u8>) -> bool {
        self.pass_on();
        let mut piece = [0; PIECE];
        match self.master.read(&mut piece) {
            Ok(count) => {
                // There may be more.
                interruptible::raise(OUTPUT);
                output.extend_from_slice(&piece[..count]);
                true
            }
            Err(error) => matches!(errno(&error), Errno::EAGAIN | Errno::EINTR),
        }
    }

    fn pass_on(&mut self) {
        if !self.typed.is_empty()
            && let Ok(count) = self.master.write(&self.typed)
        {
            self.typed.drain(..count);
        }
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// The consoles of a session.
#[derive(Debug, Default)]
pub(super) struct Consoles {
    open: Vec<Console>,
    /// Bytes read since the report that is due.
    last_words: usize,
}

impl Consoles {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn add(&mut self, console: Console) {
        if self.open.len() == CONSOLES_MAX {
            self.open.remove(0);
        }
        self.open.push(console);
    }

    fn read(&mut self) -> Vec<u8> {
        interruptible::clear(OUTPUT);
        let mut output = Vec::new();
        self.open.retain_mut(|console| console.serve(&mut output));
        output
    }
}

impl Engine {
    /// What programs have printed on their consoles, if anything.
    ///
    /// All that was printed before a stop comes before its report. While none is due, the debuggees' news come first: a
    /// program that never ceases to print must not hide them.
    pub(super) fn printed(&mut self) -> Option<Vec<u8>> {
        if self.consoles.is_empty() {
            return None;
        }
        if self.reports.is_empty() {
            self.consoles.last_words = 0;
            if !interruptible::raised(OUTPUT) {
                return None;
            }
            self.sweep();
            self.give_up_dead_leaders();
        }
        if self.consoles.last_words >= LAST_WORDS_MAX {
            return None;
        }
        let output = self.consoles.read();
        if !self.reports.is_empty() {
            self.consoles.last_words += output.len();
        }
        (!output.is_empty()).then_some(output)
    }

    /// Gives what the client has typed to the program that was started last.
    ///
    /// # Errors
    /// [`Error::NoConsole`], and [`Error::TooMany`] where the program does not read.
    pub fn type_in(&mut self, text: &[u8]) -> Result<()> {
        let console = self.consoles.open.last_mut().ok_or(Error::NoConsole)?;
        if console.typed.len() + text.len() > TYPED_MAX {
            return Err(Error::TooMany("typed characters that its program does not read"));
        }
        console.typed.extend_from_slice(text);
        console.pass_on();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(streams: StandardStreams) -> (Console, File) {
        interruptible::install_handler().expect("a handler");
        let (console, slave) = Console::open(streams).expect("a console");
        (console, slave.into())
    }

    fn output_of(console: &mut Console) -> (String, bool) {
        let mut output = Vec::new();
        let open = console.serve(&mut output);
        (String::from_utf8(output).expect("text"), open)
    }

    #[test]
    fn lines_come_as_they_are_or_as_a_terminal_has_them() {
        let (mut console, mut program) = opened(StandardStreams::Printed);
        program.write_all(b"a\nb").expect("written");
        assert_eq!(output_of(&mut console), ("a\nb".to_owned(), true));
        let (mut console, mut program) = opened(StandardStreams::Typed);
        program.write_all(b"a\n").expect("written");
        assert_eq!(output_of(&mut console), ("a\r\n".to_owned(), true));
    }

    #[test]
    fn what_is_typed_is_read_and_echoed() {
        let (mut console, mut program) = opened(StandardStreams::Typed);
        console.typed.extend_from_slice(b"hello\n");
        console.pass_on();
        let mut line = [0; 16];
        assert_eq!(program.read(&mut line).expect("a line"), 6);
        assert_eq!(output_of(&mut console).0, "hello\r\n");
        assert!(console.typed.is_empty());
    }

    #[test]
    fn all_is_read_before_the_end_is_seen() {
        let (mut console, mut program) = opened(StandardStreams::Printed);
        assert_eq!(output_of(&mut console), (String::new(), true));
        program.write_all(b"last").expect("written");
        drop(program);
        assert_eq!(output_of(&mut console), ("last".to_owned(), true));
        assert_eq!(output_of(&mut console), (String::new(), false));
    }

    #[test]
    fn output_is_signalled_to_the_thread_that_has_the_console() {
        let (_console, mut program) = opened(StandardStreams::Printed);
        interruptible::clear(OUTPUT);
        program.write_all(b"x").expect("written");
        while !interruptible::raised(OUTPUT) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_oldest_console_makes_way() {
        let mut consoles = Consoles::default();
        let (first, program) = opened(StandardStreams::Printed);
        consoles.add(first);
        let _programs: Vec<_> = (0..CONSOLES_MAX)
            .map(|_| {
                let (console, program) = opened(StandardStreams::Printed);
                consoles.add(console);
                program
            })
            .collect();
        assert_eq!(consoles.open.len(), CONSOLES_MAX);
        assert_eq!((&program).write(b"x").map_err(|error| errno(&error)), Err(Errno::EIO));
    }
}
