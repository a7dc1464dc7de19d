//! A byte stream that is no socket, made one: the session's loop waits for sockets only.

use nix::sys::signal::SigSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long what was said last may take to get out when the process ends.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits for what has been written to get out.
pub(super) struct Flush(Receiver<()>);

impl Flush {
    /// Returns when all is out, the other side is gone, or [`PATIENCE`] has run out. To be called when the stream has been
    /// dropped.
    pub(super) fn wait(self) {
        // Nothing is ever sent: the thread's end is the news.
        let _ = self.0.recv_timeout(PATIENCE);
    }
}

/// Connects a stream with what can be read from `input` and written to `output`.
///
/// # Errors
/// Where there are no descriptors or threads left.
pub(super) fn connect(input: File, output: File) -> io::Result<(OwnedFd, Flush)> {
    let (ours, theirs) = UnixStream::pair()?;
    let (to_session, from_session) = (theirs.try_clone()?, theirs);
    start("input", move || {
        copy(input, &to_session);
        // Where the session has gone first there is nobody to tell.
        let _ = to_session.shutdown(Shutdown::Write);
    })?;
    let (alive, ended) = channel();
    start("output", move || {
        copy(&from_session, output);
        // Nobody reads any more.
        let _ = from_session.shutdown(Shutdown::Read);
        drop::<std::sync::mpsc::Sender<()>>(alive);
    })?;
    Ok((ours.into(), Flush(ended)))
}

/// Starts a thread that leaves all signals of the process to the session's.
fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let former = SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK)?;
    let started = thread::Builder::new().name(name.into()).spawn(work);
    former.thread_set_mask()?;
    started.map(drop)
}

/// Copies until either side ends or fails, which is the same to the session.
fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if to.write_all(&buffer[..count]).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}
