//! The client's byte stream, as the worker blocks on it.

use crate::engine::interruptible::{self, END, INPUT};
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimeout};
use nix::sys::time::TimeVal;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

/// What came of an attempt to receive.
pub(super) enum Received {
    /// So many bytes.
    Bytes(usize),
    /// Nothing in time.
    Nothing,
}

/// A connected stream socket.
pub(super) struct Stream {
    socket: Rc<OwnedFd>,
    /// The time limit that the socket has.
    patience: Option<Duration>,
}

impl Stream {
    /// Bytes to send from which on it pays to send them before more are made.
    pub(super) const LARGE: usize = 64 << 10;

    /// Takes over a connected, blocking socket.
    pub(super) fn new(socket: Rc<OwnedFd>) -> io::Result<Self> {
        interruptible::signal_input(socket.as_raw_fd())?;
        // What came before the signal was set up is looked at first.
        interruptible::raise(INPUT);
        Ok(Self { socket, patience: None })
    }

    /// Receives what is there, waiting at most `patience` for it.
    pub(super) fn receive(&mut self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<Received> {
        if self.patience != patience {
            let limit = patience.unwrap_or_default();
            setsockopt(&self.socket, ReceiveTimeout, &TimeVal::new(0, limit.subsec_micros().into()))?;
            self.patience = patience;
        }
        self.receive_with(buffer, 0)
    }

    /// Receives what is there already.
    pub(super) fn receive_now(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        self.receive_with(buffer, libc::MSG_DONTWAIT)
    }

    fn receive_with(&mut self, buffer: &mut [u8], flags: i32) -> io::Result<Received> {
        interruptible::clear(INPUT);
        loop {
            match interruptible::recv(self.socket.as_raw_fd(), buffer, flags) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    if count == buffer.len() {
                        interruptible::raise(INPUT);
                    }
                    return Ok(Received::Bytes(count));
                }
                Err(Errno::EAGAIN) => return Ok(Received::Nothing),
                Err(Errno::EINTR) if !interruptible::raised(END) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Sends some of `bytes`; blocks while the client does not read.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match interruptible::send(self.socket.as_raw_fd(), bytes) {
                Err(Errno::EINTR) if !interruptible::raised(END) => {}
                result => return Ok(result?),
            }
        }
    }
}
