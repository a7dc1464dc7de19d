//! Finding a pipe by its name, and connecting to it.

use crate::claim::socket;
use dbgsrv_local::{Directory, Folder};
use dbgsrv_protocol::options::PipeName;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

/// How long a server may take to accept those who wait already.
const BUSY_LIMIT: Duration = Duration::from_secs(8);
/// How often it is asked meanwhile: the kernel does not say when there is room.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Connects to the pipe `name` of this user, or else of the machine. Takes 8 seconds at most. Cancel safe.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] where there is none, with the directories that were looked in;
/// [`io::ErrorKind::ConnectionRefused`] where its server has died; else what the system says about its socket.
pub async fn connect(name: &PipeName) -> io::Result<UnixStream> {
    connect_in(&Directory::all(Folder::Pipes), name).await
}

async fn connect_in(directories: &[Directory], name: &PipeName) -> io::Result<UnixStream> {
    let mut dead = None;
    for directory in directories.iter().filter(|directory| directory.is_trusted()) {
        // What is too long for a socket is not there.
        let Ok(path) = socket(directory, name) else { continue };
        match open(&path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => dead = Some(path),
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
            Ok(stream) => return Ok(stream),
        }
    }
    Err(match dead {
        Some(path) => {
            let text = format!("the server of {} has ended", path.display());
            io::Error::new(io::ErrorKind::ConnectionRefused, text)
        }
        None => io::Error::new(io::ErrorKind::NotFound, missing(directories)),
    })
}

async fn open(path: &PathBuf) -> io::Result<UnixStream> {
    let start = Instant::now();
    loop {
        match UnixStream::connect(path).await {
            // More wait to be accepted than the queue holds.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && start.elapsed() < BUSY_LIMIT => {
                sleep(BUSY_PAUSE).await;
            }
            result => return result,
        }
    }
}

fn missing(directories: &[Directory]) -> String {
    let places: Vec<_> = directories.iter().map(|directory| directory.folder().display().to_string()).collect();
    format!("there is no pipe of that name in {}", places.join(", "))
}

#[cfg(test)]
mod tests;
