//! A terminal device as a line for bytes.

use crate::OpenError;
use crate::port::Port;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions, ioctl_tiocexcl, ioctl_tiocnxcl, isatty, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::task::{Context, Poll, ready};
use tokio::io::unix::AsyncFd;

/// How far, in percent, the rate that the hardware has may be from the one that was asked for: a byte of ten bits is still read
/// right.
const TOLERANCE: u64 = 3;

/// An open port: raw, 8N1, and nobody else's.
#[derive(Debug)]
pub(crate) struct Tty(AsyncFd<File>);

impl Tty {
    /// Opens a port. Must be called inside a tokio runtime with I/O.
    ///
    /// # Errors
    /// [`OpenError`].
    pub(crate) fn open(port: &Port) -> Result<Self, OpenError> {
        let refused = |source: io::Error| match Errno::from_io_error(&source) {
            Some(Errno::BUSY | Errno::WOULDBLOCK) => busy(port),
            _ => OpenError::Open { port: port.given.clone(), path: port.path.clone(), source },
        };
        // Not to become the process's terminal, nor to wait for a modem.
        let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits() as i32;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&port.path).map_err(refused)?;
        if !isatty(&file) {
            return Err(OpenError::NoTerminal(port.path.clone()));
        }
        // The lock tells root's programs, whom the other does not keep out, and those that ask before they open.
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|errno| refused(errno.into()))?;
        ioctl_tiocexcl(&file).map_err(|errno| refused(errno.into()))?;
        set_up(&file, port).map_err(|problem| match problem {
            Problem::Rate(nearest) => OpenError::Rate { port: port.given.clone(), wanted: port.baud, nearest },
            Problem::System(errno) => refused(errno.into()),
        })?;
        register(file).map(Self).map_err(refused)
    }

    /// Reads what has come. `Ok(0)`: the device is gone.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            if let Ok(result) = ready.try_io(|fd| fd.get_ref().read(buffer)) {
                return Poll::Ready(result);
            }
        }
    }

    /// Hands bytes to the driver, as many as it takes.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            if let Ok(result) = ready.try_io(|fd| fd.get_ref().write(bytes)) {
                return Poll::Ready(result);
            }
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // Somebody else may have it open who would not close it.
        let _ = ioctl_tiocnxcl(&self.0);
    }
}

#[expect(unsafe_code, reason = "tokio believes whatever says that it has a descriptor")]
fn register(file: File) -> io::Result<AsyncFd<File>> {
    // SAFETY: a file's descriptor is always the same, and open as long as the file is.
    unsafe { AsyncFd::register(file) }.map_err(Into::into)
}

fn busy(port: &Port) -> OpenError {
    OpenError::Busy { port: port.given.clone(), path: port.path.clone() }
}

enum Problem {
    /// What it took instead.
    Rate(u32),
    System(Errno),
}

impl From<Errno> for Problem {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Sets the mode (termios(3)): eight bits, no parity, all bytes as they are, no flow control, no modem lines.
fn set_up(file: &File, port: &Port) -> Result<(), Problem> {
    let mut mode = tcgetattr(file)?;
    mode.make_raw();
    mode.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL | ControlModes::CS8;
    // Without HUPCL the other side sees no hangup when another process takes the port over.
    mode.control_modes &= !(ControlModes::CRTSCTS | ControlModes::CSTOPB | ControlModes::PARENB | ControlModes::HUPCL);
    let wanted = port.baud.get();
    mode.set_speed(wanted)?;
    tcsetattr(file, OptionalActions::Now, &mode).map_err(|errno| match errno {
        Errno::INVAL => Problem::Rate(tcgetattr(file).map_or(0, |mode| mode.output_speed())),
        errno => Problem::System(errno),
    })?;
    // A driver that does not have the rate takes another one without a word.
    let taken = tcgetattr(file)?.output_speed();
    if u64::from(taken.abs_diff(wanted)) * 100 > u64::from(wanted) * TOLERANCE {
        Err(Problem::Rate(taken))
    } else {
        Ok(())
    }
}
