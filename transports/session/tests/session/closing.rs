//! How sessions end.

use crate::support::{Fate, LINGER, Pair, pattern};
use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::CloseCode;
use dbgsrv_session::{Closed, OpenError};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

fn closed(here: bool, code: CloseCode, text: &str) -> Closed {
    Closed { here, code, text: text.into() }
}

#[tokio::test(start_paused = true)]
async fn both_sides_learn_who_closed_and_why() {
    let mut pair = Pair::new(true).await;
    pair.server.close(CloseCode::Ended, "ended by root");
    assert_eq!(pair.server.closed().await, closed(true, CloseCode::Ended, "ended by root"));
    assert_eq!(pair.client.closed().await, closed(false, CloseCode::Ended, "ended by root"));
    assert!(pair.incoming.recv().await.is_none());
    assert!(pair.network.sessions.is_empty());
    assert_eq!(pair.network.dialled(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_before_the_close_arrives() {
    let mut pair = Pair::new(false).await;
    let (mut here, mut there) = pair.channel().await;
    let data = pattern(100_000);
    here.write_all(&data).await.unwrap();
    pair.client.close(CloseCode::Done, "done");
    assert_eq!(here.write_all(b"more").await.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(pair.server.closed().await, closed(false, CloseCode::Done, "done"));
    let mut back = vec![0; data.len()];
    there.read_exact(&mut back).await.unwrap();
    assert!(back == data);
    let error = there.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert!(error.to_string().contains("done"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn everybody_who_waits_is_told_of_the_end() {
    let mut pair = Pair::new(false).await;
    let (mut reader, _there) = pair.channel().await;
    let (mut writer, _unread) = pair.channel().await;
    let reading = tokio::spawn(async move { reader.read_u8().await.unwrap_err().kind() });
    let writing = tokio::spawn(async move { writer.write_all(&pattern(10_000_000)).await.unwrap_err().kind() });
    let client = pair.client.clone();
    let opening = tokio::spawn(async move { client.open(Kind::Debug, "never answered").await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    pair.server.close(CloseCode::ServerEnds, "");
    assert_eq!(reading.await.unwrap(), ErrorKind::ConnectionAborted);
    assert_eq!(writing.await.unwrap(), ErrorKind::ConnectionAborted);
    assert!(matches!(opening.await.unwrap(), Err(OpenError::Closed(_))));
    assert!(matches!(pair.client.open(Kind::Debug, "late").await, Err(OpenError::Closed(_))));
}

#[tokio::test(start_paused = true)]
async fn both_may_close_at_the_same_time() {
    let pair = Pair::new(false).await;
    pair.server.close(CloseCode::ServerEnds, "server");
    pair.client.close(CloseCode::Done, "client");
    let began = Instant::now();
    let (server, client) = tokio::join!(pair.server.closed(), pair.client.closed());
    assert_eq!(server.code, CloseCode::ServerEnds);
    assert_eq!(client.code, CloseCode::Done);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_closes_the_session() {
    let mut pair = Pair::new(false).await;
    let (here, _there) = pair.channel().await;
    drop(pair.client);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(pair.network.sessions.len(), 1, "a channel is a handle too");
    drop(here);
    assert_eq!(pair.server.closed().await, closed(false, CloseCode::Done, ""));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_come_back_loses_the_session() {
    let mut pair = Pair::new(true).await;
    let (mut here, mut there) = pair.channel().await;
    pair.network.set_down(true);
    pair.network.befall(Fate::BreaksAfter(0));
    let began = Instant::now();
    let server = pair.server.closed().await;
    assert_eq!((server.here, server.code), (true, CloseCode::Lost));
    assert_eq!(began.elapsed(), LINGER);
    let client = pair.client.closed().await;
    assert_eq!((client.here, client.code), (true, CloseCode::Lost));
    assert_eq!(began.elapsed(), LINGER, "the server has told how long it lingers");
    assert_eq!(here.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(there.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert!(pair.network.sessions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_too_late_is_told_at_once() {
    let pair = Pair::new(true).await;
    pair.network.set_down(true);
    pair.network.befall(Fate::BreaksAfter(0));
    while !pair.server.is_cut() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pair.server.close(CloseCode::Ended, "");
    assert_eq!(pair.server.closed().await, closed(true, CloseCode::Ended, ""));
    pair.network.set_down(false);
    let began = Instant::now();
    let client = pair.client.closed().await;
    assert_eq!((client.here, client.code), (true, CloseCode::Lost));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_cut_closes_at_once() {
    let pair = Pair::new(false).await;
    pair.network.set_down(true);
    pair.network.befall(Fate::BreaksAfter(0));
    while !pair.client.is_cut() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let began = Instant::now();
    pair.client.close(CloseCode::Done, "");
    assert_eq!(pair.client.closed().await, closed(true, CloseCode::Done, ""));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_closes_all_its_sessions() {
    let cut = Pair::new(false).await;
    let sessions = cut.network.sessions.clone();
    cut.network.set_down(true);
    cut.network.befall(Fate::BreaksAfter(0));
    while !cut.server.is_cut() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sessions.close_all(CloseCode::ServerEnds, "shutting down").await;
    assert!(sessions.is_empty());
    let connected = Pair::new(false).await;
    connected.network.sessions.close_all(CloseCode::ServerEnds, "shutting down").await;
    assert!(connected.network.sessions.is_empty());
    assert_eq!(connected.client.closed().await, closed(false, CloseCode::ServerEnds, "shutting down"));
}

#[test]
fn a_runtime_that_ends_takes_its_sessions_along() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pair = runtime.block_on(Pair::new(false));
    let client = pair.client.clone();
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(other.block_on(client.closed()).code, CloseCode::Lost);
}
