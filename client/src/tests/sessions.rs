//! Debug sessions, events, and the end of it all.

use super::pair;
use crate::{Error, Event};
use dbgsrv_protocol::mux::{Code, Kind};
use dbgsrv_protocol::session::CloseCode;
use dbgsrv_session::OpenError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_debug_session_is_a_byte_stream_with_a_name() {
    let (client, mut server) = pair().await;
    tokio::spawn(async move {
        let incoming = server.incoming.recv().await.unwrap();
        assert_eq!((incoming.kind, incoming.label.as_str()), (Kind::Debug, "a test"));
        let mut channel = incoming.accept();
        let mut packet = [0; 5];
        channel.read_exact(&mut packet).await.unwrap();
        channel.write_all(&packet).await.unwrap();
        channel.shutdown().await.unwrap();
        server.link.closed().await;
    });
    let mut session = client.open_debug_session("a test").await.unwrap();
    session.write_all(b"$?#3f").await.unwrap();
    let mut reply = Vec::new();
    session.read_to_end(&mut reply).await.unwrap();
    assert_eq!(reply, b"$?#3f");
}

#[tokio::test]
async fn a_debug_session_that_is_refused_says_why() {
    let (client, mut server) = pair().await;
    tokio::spawn(async move {
        server.incoming.recv().await.unwrap().refuse(Code::Busy, "64 sessions are open");
        server.link.closed().await;
    });
    let error = client.open_debug_session("a test").await.unwrap_err();
    assert!(matches!(error, Error::Open(OpenError::Refused { code: Code::Busy, .. })), "{error}");
    assert_eq!(error.to_string(), "no debug session: refused by the server: 64 sessions are open");
}

#[tokio::test]
async fn each_handle_gets_every_event_and_then_the_end() {
    let (client, mut server) = pair().await;
    let clone = client.clone();
    let events = [Event::SessionEnded { session: 1, outcome: "exited".into() }, Event::ServerEnding];
    let told = events.clone();
    tokio::spawn(async move {
        for event in &told {
            server.tell_event(event).await;
        }
        server.link.close(CloseCode::ServerEnds, "");
        server.link.closed().await;
    });
    for handle in [&client, &clone] {
        for event in &events {
            assert_eq!(handle.next_event().await.as_ref(), Some(event));
        }
        assert_eq!(handle.next_event().await, None);
    }
}

#[tokio::test]
async fn a_client_that_disconnects_ends_the_session_for_all_its_handles() {
    let (client, server) = pair().await;
    let clone = client.clone();
    let ended = tokio::spawn(async move { server.link.closed().await });
    client.disconnect().await;
    let there = ended.await.unwrap();
    assert_eq!((there.here, there.code), (false, CloseCode::Done));
    let error = clone.sessions().await.unwrap_err();
    assert!(matches!(&error, Error::Closed(closed) if closed.here), "{error}");
    assert!(matches!(clone.open_debug_session("a test").await, Err(Error::Closed(_))));
}

#[tokio::test]
async fn the_session_ends_with_the_last_handle() {
    let (client, server) = pair().await;
    let clone = client.clone();
    drop(client);
    drop(clone);
    assert_eq!(server.link.closed().await.code, CloseCode::Done);
}

#[tokio::test]
async fn a_debug_session_outlives_the_handles() {
    let (client, mut server) = pair().await;
    let incoming = tokio::spawn(async move { (server.incoming.recv().await.unwrap().accept(), server) });
    let mut session = client.open_debug_session("a test").await.unwrap();
    let (mut channel, server) = incoming.await.unwrap();
    drop(client);
    session.write_all(b"+").await.unwrap();
    assert_eq!(channel.read_u8().await.unwrap(), b'+');
    drop(session);
    assert_eq!(server.link.closed().await.code, CloseCode::Done);
}

#[tokio::test]
async fn a_server_that_talks_nonsense_is_left() {
    let (client, mut server) = pair().await;
    server.control.write_all(&[0xff; 64]).await.unwrap();
    let closed = client.closed().await;
    assert_eq!((closed.here, closed.code), (true, CloseCode::Protocol));
    assert!(closed.text.starts_with("the server breaks the control protocol: "), "{}", closed.text);
}
