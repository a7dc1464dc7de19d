//! Cleaning up after a worker that could not.

use crate::engine::journal::Journal;
use dbgsrv_protocol::ids::Pid;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long cleaning up may take. A thread that sleeps in the kernel can't be stopped, and the server's own end must not
/// wait for it for ever.
const RECOVERY_TIME: Duration = Duration::from_secs(10);

/// Undoes what the journal says a dead worker left in its processes, and returns those looked after.
///
/// On a thread of its own, because it stops the processes' threads one by one and waits for each.
///
/// # Errors
/// Where no thread can be started, the journal can't be read, or it takes too long; it goes on in that case.
pub(super) async fn recover(journal: Arc<OwnedFd>) -> io::Result<Vec<Pid>> {
    let (report, outcome) = oneshot::channel();
    thread::Builder::new().name("recover".into()).spawn(move || {
        // Nobody waits for the report where the server has meanwhile ended.
        let _ = report.send(undo(&journal));
    })?;
    timeout(RECOVERY_TIME, outcome).await?.unwrap_or_else(|_| Err(io::Error::other("the recovery broke off")))
}

fn undo(journal: &OwnedFd) -> io::Result<Vec<Pid>> {
    Ok(Journal::map(journal)?.recover())
}
