//! Bytes between a debugger and a debug session.

use dbgsrv_client::RemoteServer;
use std::future::pending;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;
use tracing::debug;

/// How many bytes are passed on at once: what a mux frame carries at most, and more than most packets have.
const BUFFER: usize = 0x8000;

/// How long what the session said last may take to the debugger: as much as a slow serial line holds. Such a line does not tell
/// when nobody is there any more.
const FAREWELL_TIME: Duration = Duration::from_secs(10);

/// Makes a debugger's connection a debug session, to its end. The user is told what goes wrong: the debugger only sees that
/// its connection is closed.
pub(crate) async fn serve(
    server: RemoteServer,
    label: String,
    from_debugger: impl AsyncRead + Unpin,
    to_debugger: impl AsyncWrite + Unpin,
) {
    let session = match server.open_debug_session(&label).await {
        Ok(session) => session,
        Err(error) => return eprintln!("premote: {error}"),
    };
    debug!(label, channel = session.number(), "a debug session begins");
    match bridge(from_debugger, to_debugger, session).await {
        Ok(()) => debug!(label, "a debug session has ended"),
        Err(error) => eprintln!("premote: debug session: {error}"),
    }
}

/// Passes bytes on until the session ends, or its debugger takes no more. A debugger that sends no more ends its half: the
/// session hears of it and ends in its own way.
///
/// # Errors
/// How the session broke. A debugger that goes away is no error.
pub(crate) async fn bridge(
    from_debugger: impl AsyncRead + Unpin,
    to_debugger: impl AsyncWrite + Unpin,
    session: impl AsyncRead + AsyncWrite,
) -> io::Result<()> {
    let (from_session, to_session) = split(session);
    let requests_for_ever = async {
        requests(from_debugger, to_session).await;
        // It is the other direction that knows how the session ended.
        pending().await
    };
    tokio::select! {
        biased;
        result = replies(from_session, to_debugger) => result,
        never = requests_for_ever => never,
    }
}

/// From the debugger to the session, until either takes part no more.
async fn requests(mut debugger: impl AsyncRead + Unpin, mut session: impl AsyncWrite + Unpin) {
    let mut buffer = vec![0; BUFFER];
    // A debugger that was killed resets its connection; that is an end too.
    while let Ok(count @ 1..) = debugger.read(&mut buffer).await {
        if session.write_all(&buffer[..count]).await.is_err() || session.flush().await.is_err() {
            return;
        }
    }
    // It fails when the session is over, which is what it is for.
    let _ = session.shutdown().await;
}

/// From the session to the debugger.
async fn replies(mut session: impl AsyncRead + Unpin, mut debugger: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = session.read(&mut buffer).await?;
        if count == 0 {
            // The debugger may be gone already.
            let _ = timeout(FAREWELL_TIME, debugger.shutdown()).await;
            return Ok(());
        }
        if debugger.write_all(&buffer[..count]).await.is_err() || debugger.flush().await.is_err() {
            return Ok(());
        }
    }
}
