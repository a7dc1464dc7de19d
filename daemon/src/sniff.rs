//! What a fresh connection speaks, told by its first byte.

use dbgsrv_protocol::session::PREFACE;
use dbgsrv_transports::Stream;
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;

/// How long a client may say nothing before it is turned away. Debuggers speak at once; the rest is for slow links.
const SNIFF_TIME: Duration = Duration::from_secs(10);

/// A connection that no session can be made of.
#[derive(Debug, Error)]
pub(crate) enum SniffError {
    #[error("the client closed the connection without a word")]
    Closed,
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("the client said nothing for {} s", SNIFF_TIME.as_secs())]
    Silent,
    #[error("the client speaks no protocol known here: its first byte is {0:#04x}")]
    Unknown(u8),
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Spoken {
    /// RSP: a debugger that connected directly.
    Rsp,
    /// The session's protocol, which carries channels.
    Session,
}

/// As [`sniff`]; a client that says nothing is given up.
pub(crate) async fn sniff_in_time(stream: &mut Stream) -> Result<Spoken, SniffError> {
    timeout(SNIFF_TIME, sniff(stream)).await.map_err(|_| SniffError::Silent)?
}

/// Waits until the client starts to speak. Its bytes stay in the socket for whoever is to have them.
pub(crate) async fn sniff(stream: &mut Stream) -> Result<Spoken, SniffError> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    match first {
        _ if count == 0 => Err(SniffError::Closed),
        [byte] if starts_rsp(byte) => Ok(Spoken::Rsp),
        [byte] if byte == PREFACE[0] => Ok(Spoken::Session),
        [byte] => Err(SniffError::Unknown(byte)),
    }
}

/// Whether an RSP client can start with `byte`: an acknowledgement either way, a packet, or Ctrl-C.
pub(crate) const fn starts_rsp(byte: u8) -> bool {
    matches!(byte, b'+' | b'-' | b'$' | 0x03)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    async fn pair() -> (TcpStream, Stream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, Stream::Tcp(listener.accept().await.unwrap().0))
    }

    #[test]
    fn only_what_starts_an_rsp_conversation_is_rsp() {
        let starts: Vec<u8> = (0..=u8::MAX).filter(|byte| starts_rsp(*byte)).collect();
        assert_eq!(starts, [0x03, b'$', b'+', b'-']);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_debugger_is_known_by_its_first_byte_alone() {
        let (mut client, mut stream) = pair().await;
        client.write_all(b"+").await.unwrap();
        assert_eq!(sniff(&mut stream).await.unwrap(), Spoken::Rsp);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_session_is_known_by_the_first_byte_of_its_preface() {
        let (mut client, mut stream) = pair().await;
        client.write_all(&PREFACE[..1]).await.unwrap();
        assert_eq!(sniff(&mut stream).await.unwrap(), Spoken::Session);
        assert!(!starts_rsp(PREFACE[0]));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn tls_and_http_are_refused_by_their_first_byte() {
        for first in [0x16, b'G'] {
            let (mut client, mut stream) = pair().await;
            client.write_all(&[first, b'+', b'$']).await.unwrap();
            assert!(matches!(sniff(&mut stream).await, Err(SniffError::Unknown(byte)) if byte == first));
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_client_that_closes_at_once_is_not_waited_for() {
        let (client, mut stream) = pair().await;
        drop(client);
        assert!(matches!(sniff(&mut stream).await, Err(SniffError::Closed)));
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_silent_client_is_given_up() {
        let (_client, mut stream) = pair().await;
        assert!(matches!(sniff_in_time(&mut stream).await, Err(SniffError::Silent)));
    }
}
