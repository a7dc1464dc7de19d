//! What copying a file takes in both directions: progress, digests, an end by Ctrl-C.

use crate::commands::label;
use crate::exit::ExitError;
use dbgsrv_client::RemoteServer;
use dbgsrv_client::debug::{DebugError, DebugSession};
use dbgsrv_session::Channel;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use tokio::signal::ctrl_c;

/// How many bytes are asked for or sent at once: several packets, so that a long way is no waiting.
pub(crate) const CHUNK: usize = 0x10_0000;

/// The bits of a file's mode that are copied: permissions, but nothing that makes others' rights of it.
pub(crate) const PERMISSIONS: u32 = 0o777;

/// A copy on its way: how far it is, and the digest of what there is of it.
pub(crate) struct Transfer {
    bar: ProgressBar,
    digest: Sha256,
    position: u64,
}

impl Transfer {
    /// Begins one of `length` bytes, as far as is known, called `name` for the user. The bar is for terminals only.
    pub(crate) fn new(name: &str, length: u64) -> Self {
        let bar = ProgressBar::new(length).with_message(name.to_owned());
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well-formed"));
        Self { bar, digest: Sha256::new(), position: 0 }
    }

    /// How many bytes there are of it.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Takes note of the bytes that come next.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.position += bytes.len() as u64;
        self.bar.set_position(self.position);
    }

    /// Takes note of the first `length` bytes of a file, which an earlier copy has left; its position is then behind them.
    ///
    /// # Errors
    /// What the system says, and where the file is shorter.
    pub(crate) fn advance_over(&mut self, file: &mut File, length: u64) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        let end = self.position + length;
        while self.position < end {
            let count = usize::try_from(end - self.position).unwrap_or(CHUNK).min(CHUNK);
            file.read_exact(&mut buffer[..count])?;
            self.advance(&buffer[..count]);
        }
        Ok(())
    }

    /// Forgets what there was of it.
    pub(crate) fn restart(&mut self) {
        self.digest = Sha256::new();
        self.position = 0;
    }

    /// Whether the remote file begins with these bytes.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) async fn agrees_with(&self, server: &RemoteServer, remote: &str) -> Result<bool, ExitError> {
        let (digest, length) = server.digest(remote, Some(self.position)).await?;
        Ok(length == self.position && digest == self.digest_so_far())
    }

    /// SHA-256 in hexadecimal.
    fn digest_so_far(&self) -> String {
        format!("{:x}", self.digest.clone().finalize())
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A debug session to copy files through, for the command called `name`.
///
/// # Errors
/// What the server says.
pub(crate) async fn open_session(server: &RemoteServer, name: &str) -> Result<DebugSession<Channel>, ExitError> {
    let channel = server.open_debug_session(&label(name)).await?;
    DebugSession::new(channel).await.map_err(|error| ExitError::Failure(format!("debug session: {error}")))
}

/// What went wrong with `path` on the server's machine.
pub(crate) fn remote_error(path: &str) -> impl FnOnce(DebugError) -> ExitError + Copy {
    move |error| ExitError::File { path: path.to_owned(), error }
}

/// Does `copy`, unless Ctrl-C comes before its end.
///
/// # Errors
/// Those of `copy`, and the interruption.
pub(crate) async fn until_interrupted(copy: impl Future<Output = Result<(), ExitError>>) -> Result<(), ExitError> {
    tokio::select! {
        result = copy => result,
        interrupted = ctrl_c() => {
            interrupted.map_err(ExitError::System)?;
            Err(ExitError::Failure("interrupted; the same command with --continue goes on from here".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};

    #[test]
    fn the_digest_is_that_of_all_bytes_however_they_came() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdefg").unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut transfer = Transfer::new("a", 9);
        transfer.advance_over(&mut file, 2).unwrap();
        transfer.advance(b"c");
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(transfer.digest_so_far(), abc);
        assert_eq!(transfer.position(), 3);
        assert!(transfer.advance_over(&mut file, 9).is_err(), "the file is shorter");
    }
}
