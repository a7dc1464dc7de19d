//! Turning a client away with a reason that its user sees.

use crate::call::Called;
use crate::sniff::starts_rsp;
use dbgsrv_protocol::session::{Handshake, Rejected, ServerConfig};
use dbgsrv_session::SystemRandom;
use dbgsrv_transports::Stream;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long a client that is turned away may take to ask its first question and to hang up.
const TELL_TIME: Duration = Duration::from_secs(5);
/// How much of what it says is looked at, in bytes: GDB's first packet, `qSupported`, is some 200 bytes long.
const MAX_QUESTION: usize = 4096;

/// Tells the client why it is turned away, waits until it has read that, and closes the connection.
///
/// A debugger gets it as the error reply to its first packet: GDB shows "Remote failure reply: E.REASON". Everybody
/// else gets a line of text. `reason` is ASCII without the characters that RSP escapes (`#`, `$`, `*`, `}`).
pub(crate) async fn tell(mut stream: Stream, reason: &str) {
    // A client that does not want to know is no concern of ours.
    let _ = timeout(TELL_TIME, answer(&mut stream, reason)).await;
}

async fn answer(stream: &mut Stream, reason: &str) -> io::Result<()> {
    let text = format!("dbgsrv: {reason}");
    // A reply is an answer: a client may take one that comes before its question for noise on the line.
    if !ask(stream).await? {
        return leave(stream, format!("{text}\n").as_bytes()).await;
    }
    stream.write_all(error_reply(&text).as_bytes()).await?;
    // A debugger acknowledges a reply before it looks at it, and shows another error where it can't: where a program
    // stands in between (`| openssl s_client`), that one may be gone as soon as this side hangs up.
    stream.read_u8().await?;
    hang_up(stream).await
}

/// As [`tell`], for a client that speaks the session's protocol.
pub(crate) async fn tell_session(mut stream: Called, config: ServerConfig, reason: Rejected, text: &str) {
    let mut handshake = Handshake::server(config, &mut SystemRandom);
    handshake.reject(reason, text);
    let _ = timeout(TELL_TIME, leave(&mut stream, handshake.transmit())).await;
}

/// Sends the last words, and waits until the client has hung up.
async fn leave(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), words: &[u8]) -> io::Result<()> {
    stream.write_all(words).await?;
    hang_up(stream).await
}

/// Says that no more is to come, and waits until the client has hung up.
async fn hang_up(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    stream.shutdown().await?;
    // Closing while bytes of the client are unread would reset the connection, and take the words with it.
    let mut unread = [0; 256];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Reads up to the end of the first packet. False where the client does not speak RSP.
async fn ask(stream: &mut Stream) -> io::Result<bool> {
    let mut question = [0; MAX_QUESTION];
    let mut length = 0;
    while length < question.len() && !has_packet(&question[..length]) {
        let count = stream.read(&mut question[length..]).await?;
        length += count;
        if count == 0 || !starts_rsp(question[0]) {
            break;
        }
    }
    Ok(starts_rsp(question[0]))
}

/// Whether there is a packet's `#` in `bytes`, and the two digits of its checksum.
fn has_packet(bytes: &[u8]) -> bool {
    bytes.iter().position(|byte| *byte == b'#').is_some_and(|end| bytes.len() > end + 2)
}

/// An acknowledgement of the question and the error reply to it, as packets.
fn error_reply(text: &str) -> String {
    let body = format!("E.{text}");
    let checksum = body.bytes().fold(0_u8, u8::wrapping_add);
    format!("+${body}#{checksum:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpStream};

    /// What a client gets that says `question` and then reads to the end.
    async fn told(question: &[u8]) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stream = Stream::Tcp(listener.accept().await.unwrap().0);
        let telling = tokio::spawn(async move { tell(stream, "not you").await });
        client.write_all(question).await.unwrap();
        let mut reply = [0; 64];
        let length = client.read(&mut reply).await.unwrap();
        // Gone, if it was not to be waited for.
        let _ = client.write_all(b"+").await;
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        drop(client);
        telling.await.unwrap();
        String::from_utf8_lossy(&reply[..length]).into_owned()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_debugger_can_acknowledge_the_reply() {
        let (listener, mut words) = (TcpListener::bind(("127.0.0.1", 0)).await.unwrap(), [0; 22]);
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let telling = tokio::spawn(tell(Stream::Tcp(listener.accept().await.unwrap().0), "not you"));
        client.write_all(b"$?#3f").await.unwrap();
        client.read_exact(&mut words).await.unwrap();
        let hung_up = timeout(Duration::from_millis(20), client.read(&mut [0])).await;
        assert!(hung_up.is_err(), "it has not hung up: {hung_up:?}");
        client.write_all(b"+").await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        drop(client);
        telling.await.unwrap();
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_debugger_gets_an_error_reply_to_its_first_packet() {
        assert_eq!(told(b"+$qSupported:xmlRegisters=i386#77").await, "+$E.dbgsrv: not you#23");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn everybody_else_gets_a_line_of_text() {
        assert_eq!(told(b"GET / HTTP/1.1\r\n\r\n").await, "dbgsrv: not you\n");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_question_without_end_is_cut_off() {
        assert_eq!(told(&[b'$'; 2 * MAX_QUESTION]).await, "+$E.dbgsrv: not you#23");
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_client_that_says_nothing_is_not_waited_for_for_ever() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tell(Stream::Tcp(listener.accept().await.unwrap().0), "not you").await;
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }
}
