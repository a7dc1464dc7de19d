//! One command of a shell, from start to end.

use std::io::{self, PipeReader, Read, pipe};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::engine::linux::interruptible::{self, Awaited};

/// What runs commands (POSIX, XCU 1.1).
const SHELL: &str = "/bin/sh";
/// Bytes of output read at once.
const PIECE: usize = 0x1_0000;
/// Pieces that a command may leave behind at its end: what a pipe holds.
const LAST_PIECES: usize = 16;

/// What came of a command.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Done {
    /// Its exit status, or the signal that ended it.
    pub(crate) status: Result<u8, u8>,
    /// What it has printed, on either stream.
    pub(crate) output: Vec<u8>,
}

/// Runs `command` in `directory` with nothing to read, and keeps the first `most` bytes that it prints. It is ended with all
/// that it has started in its process group when it takes longer than `patience`, or when `client` hangs up; what it has
/// put into a group of its own goes on, and does not hold up the answer.
///
/// # Errors
/// It could not be started, or the session is to end.
pub(crate) fn shell(
    command: &std::ffi::OsStr,
    directory: &Path,
    patience: Option<Duration>,
    most: usize,
    client: BorrowedFd<'_>,
) -> io::Result<Done> {
    let (output, writer) = pipe()?;
    fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut shell = Command::new(SHELL);
    shell.arg("-c").arg(command).current_dir(directory).process_group(0);
    shell.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let child = Group(shell.spawn()?);
    // The command holds the writing ends, without which the output would have no end.
    drop(shell);
    let mut kept = Output { pipe: output, most, bytes: Vec::new() };
    let ended = child.run(&mut kept, patience.map(|patience| Instant::now() + patience), client)?;
    let status = match (ended.code(), ended.signal()) {
        (Some(code), _) => Ok(code as u8),
        (None, signal) => Err(signal.unwrap_or_default() as u8),
    };
    for _ in 0..LAST_PIECES {
        if kept.take()? == 0 {
            break;
        }
    }
    Ok(Done { status, output: kept.bytes })
}

/// A child that leads a process group, which is ended when this is dropped before the child has been waited for.
struct Group(Child);

impl Group {
    fn run(mut self, output: &mut Output, end: Option<Instant>, client: BorrowedFd<'_>) -> io::Result<ExitStatus> {
        let ended = interruptible::open_process(self.0.id())?;
        let mut open = true;
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let (pipe, client) = (output.pipe.as_raw_fd(), client.as_raw_fd());
            let awaited = [Awaited::input(ended.as_raw_fd()), Awaited::hang_up(client), Awaited::input(pipe)];
            let ready = interruptible::await_any(if open { &awaited } else { &awaited[..2] }, left)?;
            if ready & 0b10 != 0 || left.is_some_and(|left| left.is_zero()) {
                self.end();
                return self.0.wait();
            }
            if ready & 0b1 != 0 {
                return self.0.wait();
            }
            if ready & 0b100 != 0 {
                open = output.take()? > 0;
            }
        }
    }

    fn end(&self) {
        // It fails where all of the group have ended.
        let _ = killpg(Pid::from_raw(self.0.id() as i32), Signal::SIGKILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.end();
            let _ = self.0.wait();
        }
    }
}

/// What a command prints.
struct Output {
    pipe: PipeReader,
    /// So many bytes are kept; the rest is read and dropped, so that the command gets on.
    most: usize,
    bytes: Vec<u8>,
}

impl Output {
    /// Reads what is there; 0: nothing, and where the pipe was ready to be read, nothing more to come.
    fn take(&mut self) -> io::Result<usize> {
        let mut piece = vec![0; PIECE];
        let count = match self.pipe.read(&mut piece) {
            Err(error) if error.raw_os_error() == Some(Errno::EAGAIN as i32) => 0,
            other => other?,
        };
        let room = self.most - self.bytes.len();
        self.bytes.extend_from_slice(&piece[..count.min(room)]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn run_for(command: &str, patience: Option<Duration>, client: &impl AsFd) -> Done {
        shell(OsStr::new(command), Path::new("/"), patience, 10, client.as_fd()).expect("there is a shell")
    }

    fn run(command: &str) -> Done {
        let (_there, here) = UnixStream::pair().expect("a pair");
        run_for(command, None, &here)
    }

    fn done(status: Result<u8, u8>, output: &str) -> Done {
        Done { status, output: output.into() }
    }

    #[test]
    fn a_command_tells_its_status_and_what_it_printed_on_either_stream() {
        assert_eq!(run("pwd; echo error >&2; exit 3"), done(Ok(3), "/\nerror\n"));
        assert_eq!(run("cat"), done(Ok(0), ""));
        assert_eq!(run("kill -9 $$"), done(Err(9), ""));
        assert_eq!(run("no-such-command 2>/dev/null"), done(Ok(127), ""));
    }

    #[test]
    fn more_output_than_is_kept_does_not_hold_a_command_up() {
        assert_eq!(run("yes 12345678 | head -c 1000000; exit 4"), done(Ok(4), "12345678\n1"));
    }

    #[test]
    fn what_goes_on_in_the_background_is_not_waited_for() {
        let Done { status, output } = run("sleep 1000 & echo $!");
        assert_eq!(status, Ok(0));
        let pid = String::from_utf8(output).expect("text").trim().parse().expect("a pid");
        nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is still there");
    }

    #[test]
    fn a_command_ends_with_its_time_and_with_its_client() {
        let (there, here) = UnixStream::pair().expect("a pair");
        assert_eq!(run_for("echo a; sleep 1000", Some(Duration::from_millis(300)), &here).status, Err(9));
        drop(there);
        assert_eq!(run_for("sleep 1000", None, &here), done(Err(9), ""));
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let (_there, here) = UnixStream::pair().expect("a pair");
        let failed = shell(OsStr::new("true"), Path::new("/nonexistent"), None, 10, here.as_fd());
        assert_eq!(failed.expect_err("it can't be").kind(), io::ErrorKind::NotFound);
    }
}
