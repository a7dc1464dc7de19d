//! A child of ours between fork and exec.

use super::LaunchSettings;
use dbgsrv_protocol::ids::Pid;
use libc::{c_char, c_int};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// A child that waits to be told to run the program. Where this is dropped first, it ends by itself.
#[derive(Debug)]
pub(super) struct Forked {
    pub(super) pid: Pid,
    /// `None`: it has been told already.
    go: Option<File>,
    error: File,
}

impl Forked {
    /// Forks a child that is to run `program`, searched in `PATH` where it has no slash, with `words` as its arguments
    /// from the zeroth on, and `streams` for its standard ones, the server's where there is none. `apart` makes it live apart
    /// from the server: see [`Apart`].
    pub(super) fn new(
        settings: &LaunchSettings,
        program: &CStr,
        words: &[CString],
        streams: [Option<BorrowedFd<'_>>; 3],
        apart: bool,
    ) -> Result<Self, Errno> {
        let environment = settings.environment();
        let directory = settings.directory.as_ref().map(|path| CString::new(path.as_os_str().as_bytes()));
        let directory = directory.transpose().map_err(|_| Errno::EINVAL)?;
        let (go_read, go_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (error_read, error_write) = pipe2(OFlag::O_CLOEXEC)?;
        let pid = fork(&Child {
            program: program.as_ptr(),
            arguments: &pointers(words),
            environment: &pointers(&environment),
            directory: directory.as_deref(),
            disable_randomization: settings.disable_randomization,
            apart: apart.then(|| Apart { server: std::process::id().into() }),
            streams: streams.map(|stream| stream.map(|stream| stream.as_raw_fd())),
            go: go_read.as_raw_fd(),
            parents: go_write.as_raw_fd(),
            error: error_write.as_raw_fd(),
        })?;
        Ok(Self { pid, go: Some(go_write.into()), error: error_read.into() })
    }

    /// Lets the child run the program.
    pub(super) fn go(&mut self) {
        if let Some(mut go) = self.go.take() {
            // Where the child is dead it does not read, and its end is noticed anyway.
            let _ = go.write_all(b"g");
        }
    }

    /// Has the child end.
    pub(super) fn give_up(&mut self) {
        self.go = None;
    }

    /// Waits until the child runs the program or has given up: what failed then.
    pub(super) fn failure(&mut self) -> Option<Errno> {
        let mut number = [0; 4];
        self.error.read_exact(&mut number).ok()?;
        Some(Errno::from_raw(i32::from_ne_bytes(number)))
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

/// All that the child needs after the fork, ready: it must not allocate.
struct Child<'a> {
    program: *const c_char,
    arguments: &'a [*const c_char],
    environment: &'a [*const c_char],
    directory: Option<&'a CStr>,
    disable_randomization: bool,
    apart: Option<Apart>,
    /// What becomes its standard streams.
    streams: [Option<RawFd>; 3],
    /// Says when the program may run.
    go: RawFd,
    /// The parent's end of that.
    parents: RawFd,
    /// Takes the errno of what failed.
    error: RawFd,
}

/// A child that outlives the server, its terminal, and the connection that asked for it.
struct Apart {
    /// The server's process id.
    server: libc::c_ulong,
}

#[expect(unsafe_code, reason = "fork, and the few calls that are allowed between fork and exec")]
fn fork(child: &Child<'_>) -> Result<Pid, Errno> {
    // SAFETY: the child calls async-signal-safe functions only, and never returns.
    match unsafe { libc::fork() } {
        // SAFETY: this is the child.
        0 => unsafe { child.run() },
        pid => Pid::new(Errno::result(pid)?).ok_or(Errno::EAGAIN),
    }
}

#[expect(unsafe_code, reason = "the few calls that are allowed between fork and exec")]
impl Child<'_> {
    /// # Safety
    /// Only in a forked child.
    unsafe fn run(&self) -> ! {
        // SAFETY: system calls on values that were made ready before the fork.
        unsafe {
            // With it, this process would wait for itself where the parent gives up.
            libc::close(self.parents);
            match &self.apart {
                // A group of its own: what a terminal sends to the server's group is not meant for the program.
                None => _ = libc::setpgid(0, 0),
                Some(apart) => apart.enter(),
            }
            for (stream, place) in self.streams.iter().zip(libc::STDIN_FILENO..) {
                if let Some(stream) = *stream {
                    libc::dup2(stream, place);
                }
            }
            // What this process ignores would be inherited: SIGPIPE through the Rust runtime, others through whatever has
            // started the server. The C library refuses its own.
            for signal in 1..=libc::SIGRTMAX() {
                libc::signal(signal, libc::SIG_DFL);
            }
            // So would the mask of a session's thread.
            let mut mask = std::mem::zeroed();
            libc::sigemptyset(&raw mut mask);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const mask, std::ptr::null_mut());
            let mut byte = 0_u8;
            if libc::read(self.go, (&raw mut byte).cast(), 1) != 1 {
                libc::_exit(127);
            }
            let entered = self.directory.is_none_or(|directory| libc::chdir(directory.as_ptr()) == 0);
            if entered {
                if self.disable_randomization {
                    let current = libc::personality(0xffff_ffff);
                    libc::personality((current | libc::ADDR_NO_RANDOMIZE) as libc::c_ulong);
                }
                libc::execvpe(self.program, self.arguments.as_ptr(), self.environment.as_ptr());
            }
            let errno = *libc::__errno_location();
            libc::write(self.error, (&raw const errno).cast(), size_of::<c_int>());
            libc::_exit(127)
        }
    }
}

#[expect(unsafe_code, reason = "the few calls that are allowed between fork and exec")]
impl Apart {
    /// # Safety
    /// Only in a forked child.
    unsafe fn enter(&self) {
        // SAFETY: system calls on numbers.
        unsafe {
            // In a session of its own no terminal ends it, and the kernel continues no stopped one when the server ends.
            libc::setsid();
            // Another thread may be handing descriptors to a session's worker at this moment. Before Linux 5.11 the
            // kernel does not know the call, and one of those may be inherited.
            libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
            // Under Yama's restricted mode only ancestors may attach, and workers are none. Without Yama it fails.
            libc::prctl(libc::PR_SET_PTRACER, self.server, 0, 0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::interruptible;
    use super::*;

    #[test]
    fn a_child_that_is_given_up_or_forgotten_ends_by_itself() {
        for give_up in [true, false] {
            let mut child = Forked::new(&LaunchSettings::default(), c"/bin/true", &[], [None; 3], false).unwrap();
            let pid = child.pid.leader();
            if give_up {
                child.give_up();
            } else {
                drop(child);
            }
            let status = interruptible::wait_for(pid).unwrap();
            assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 127, "{status:#x}");
        }
    }
}
