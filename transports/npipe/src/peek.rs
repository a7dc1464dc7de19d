//! Looking at what has come without taking it.

use nix::sys::socket::{MsgFlags, recv};
use std::io;
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Waits for bytes and copies them without taking them, so that who reads next gets them too. 0: the peer closed. Cancel
/// safe.
///
/// # Errors
/// What recv(2) says: the connection is broken.
pub async fn peek(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
    let look = || Ok(recv(stream.as_raw_fd(), buffer, MsgFlags::MSG_PEEK)?);
    stream.async_io(Interest::READABLE, look).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(flavor = "current_thread")]
    async fn peeked_bytes_stay_for_the_next_reader() {
        let (mut client, mut server) = UnixStream::pair().unwrap();
        let mut first = [0];
        let (count, sent) = tokio::join!(peek(&server, &mut first), client.write_all(b"+$g#67"));
        sent.unwrap();
        assert_eq!((count.unwrap(), first), (1, *b"+"));
        drop(client);
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"+$g#67");
        assert_eq!(peek(&server, &mut first).await.unwrap(), 0);
    }
}
