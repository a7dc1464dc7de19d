//! The conversation over a plain byte stream, with the test as the server.

use super::*;
use dbgsrv_protocol::control::{Failure, FailureKind};
use dbgsrv_protocol::limits::MAX_CONTROL;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The server's end of the channel.
struct Peer {
    stream: DuplexStream,
    codec: Codec,
}

impl Peer {
    async fn asked(&mut self) -> Ask {
        loop {
            if let Some(ask) = self.codec.poll().unwrap() {
                return ask;
            }
            let mut buffer = [0; 100];
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "the client ended");
            self.codec.receive(&buffer[..count]);
        }
    }

    async fn tell(&mut self, message: &impl Serialize) {
        let mut bytes = Vec::new();
        encode(message, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn answer(&mut self, id: u32, pid: u32) {
        self.tell(&FromServer::Answer(Answer { id, result: Ok(Response::Created { pid }) })).await;
    }
}

struct Client {
    control: Arc<Control>,
    events: broadcast::Receiver<Event>,
    end: JoinHandle<End>,
}

impl Client {
    /// Asks about a process, from a task of its own.
    fn ask(&self, pid: u32) -> JoinHandle<Option<Result<Response, Error>>> {
        let control = Arc::clone(&self.control);
        tokio::spawn(async move { control.ask(Request::Doctor { pid: Some(pid) }).await })
    }
}

fn pair() -> (Client, Peer) {
    let (near, far) = tokio::io::duplex(64);
    let (control, conversation, events) = Control::new(near);
    let end = tokio::spawn(conversation.run());
    (Client { control: Arc::new(control), events, end }, Peer { stream: far, codec: Codec::default() })
}

/// Which process a request of [`Client::ask`] is about.
fn about(ask: &Ask) -> u32 {
    let Request::Doctor { pid: Some(pid) } = ask.request else { panic!("{ask:?}") };
    pid
}

async fn created(answer: JoinHandle<Option<Result<Response, Error>>>) -> u32 {
    let Some(Ok(Response::Created { pid })) = answer.await.unwrap() else { panic!("not created") };
    pid
}

#[tokio::test]
async fn answers_reach_their_callers_in_any_order() {
    let (client, mut peer) = pair();
    let callers: Vec<_> = (0..20).map(|pid| client.ask(pid)).collect();
    let mut asks = Vec::new();
    for _ in 0..callers.len() {
        asks.push(peer.asked().await);
    }
    for ask in asks.iter().rev() {
        peer.answer(ask.id, about(ask)).await;
    }
    for (pid, caller) in (0..).zip(callers) {
        assert_eq!(created(caller).await, pid);
    }
}

#[tokio::test]
async fn requests_beyond_the_limit_wait_for_their_turn() {
    let (client, mut peer) = pair();
    let callers: Vec<_> = (0..MAX_AWAITED as u32 + 5).map(|pid| client.ask(pid)).collect();
    let mut asks = Vec::new();
    for _ in 0..MAX_AWAITED {
        asks.push(peer.asked().await);
    }
    assert!(timeout(Duration::from_millis(20), peer.asked()).await.is_err());
    for ask in asks {
        peer.answer(ask.id, about(&ask)).await;
    }
    for _ in 0..5 {
        let ask = peer.asked().await;
        peer.answer(ask.id, about(&ask)).await;
    }
    for (pid, caller) in (0..).zip(callers) {
        assert_eq!(created(caller).await, pid);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_disturbs_no_other() {
    let (client, mut peer) = pair();
    let gone = client.ask(1);
    let first = peer.asked().await;
    gone.abort();
    assert!(gone.await.is_err());
    let stays = client.ask(2);
    let second = peer.asked().await;
    peer.answer(first.id, 1).await;
    peer.answer(second.id, 2).await;
    assert_eq!(created(stays).await, 2);
}

#[tokio::test]
async fn an_answer_to_no_request_is_skipped() {
    let (client, mut peer) = pair();
    let caller = client.ask(1);
    let ask = peer.asked().await;
    peer.answer(ask.id + 1, 9).await;
    peer.answer(ask.id, 1).await;
    assert_eq!(created(caller).await, 1);
}

#[tokio::test]
async fn a_refusal_is_an_error_of_its_caller() {
    let (client, mut peer) = pair();
    let caller = client.ask(1);
    let id = peer.asked().await.id;
    let failure = Failure { kind: FailureKind::NotPermitted, text: "not yours".into() };
    peer.tell(&FromServer::Answer(Answer { id, result: Err(failure) })).await;
    let Some(Err(error)) = caller.await.unwrap() else { panic!("it was done") };
    assert_eq!(error.to_string(), "not yours");
    assert_eq!(error.failure_kind(), Some(FailureKind::NotPermitted));
}

#[tokio::test]
async fn an_answer_that_is_none_fails_its_caller_alone() {
    let (client, mut peer) = pair();
    let (one, other) = (client.ask(1), client.ask(2));
    let asks = [peer.asked().await, peer.asked().await];
    for ask in asks {
        match about(&ask) {
            1 => peer.tell(&serde_json::json!({ "id": ask.id, "ok": 7 })).await,
            pid => peer.answer(ask.id, pid).await,
        }
    }
    let Some(Err(error)) = one.await.unwrap() else { panic!("it was answered") };
    assert!(matches!(error, Error::Codec(CodecError::Malformed { id: Some(_), .. })), "{error}");
    assert_eq!(created(other).await, 2);
}

#[tokio::test]
async fn events_are_told_and_those_of_a_later_release_are_not() {
    let (mut client, mut peer) = pair();
    peer.tell(&serde_json::json!({ "event": "the-moon-rises" })).await;
    let ended = Event::SessionEnded { session: 3, outcome: "killed".into() };
    peer.tell(&FromServer::Event(ended.clone())).await;
    assert_eq!(client.events.recv().await.unwrap(), ended);
    let caller = client.ask(1);
    let ask = peer.asked().await;
    peer.answer(ask.id, 1).await;
    assert_eq!(created(caller).await, 1);
}

#[tokio::test]
async fn when_the_server_closes_the_channel_who_waits_is_told() {
    let (client, mut peer) = pair();
    let caller = client.ask(1);
    peer.asked().await;
    drop(peer);
    assert!(caller.await.unwrap().is_none());
    assert!(matches!(client.end.await.unwrap(), End::Finished | End::Io(_)));
    assert!(client.control.ask(Request::Sessions).await.is_none());
}

#[tokio::test]
async fn a_message_longer_than_allowed_ends_the_conversation() {
    let (client, mut peer) = pair();
    peer.stream.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
    assert!(matches!(client.end.await.unwrap(), End::Codec(CodecError::TooLong(u32::MAX))));
}

#[tokio::test]
async fn a_request_longer_than_allowed_is_not_sent() {
    let (client, mut peer) = pair();
    let path = "x".repeat(MAX_CONTROL);
    let answer = client.control.ask(Request::Digest { path, length: None }).await;
    assert!(matches!(answer, Some(Err(Error::Codec(CodecError::TooLong(_))))));
    let caller = client.ask(1);
    let ask = peer.asked().await;
    peer.answer(ask.id, 1).await;
    assert_eq!(created(caller).await, 1);
}

#[tokio::test]
async fn a_conversation_ends_with_the_last_who_could_ask() {
    let (client, peer) = pair();
    drop(client.control);
    assert!(matches!(client.end.await.unwrap(), End::Unused));
    drop(peer);
}
