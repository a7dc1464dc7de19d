//! The control channel of a server that has no clients but the test.

use super::*;
use crate::limits::Limits;
use crate::registry::{Client as SessionClient, Origin};
use crate::source::Source;
use crate::telemetry::LogOptions;
use crate::worker::{SessionHost, create_journal};
use dbgsrv_protocol::control::Request;
use dbgsrv_protocol::limits::MAX_CONTROL;
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The client's end, and what serves the other.
struct Client {
    server: Arc<Server>,
    stream: DuplexStream,
    codec: Codec,
    events: mpsc::Sender<Event>,
    task: JoinHandle<Result<(), ControlError>>,
}

impl Client {
    fn new() -> Self {
        let server = Arc::new(Server::new(SessionHost::Threads, LogOptions::default(), Limits::MOST, Vec::new()));
        let (stream, channel) = duplex(MAX_CONTROL);
        let (events, told) = mpsc::channel(8);
        let task = tokio::spawn({
            let server = Arc::clone(&server);
            async move { serve(&server, channel, told).await }
        });
        Self { server, stream, codec: Codec::default(), events, task }
    }

    async fn send(&mut self, id: u32, request: Request) {
        let mut bytes = Vec::new();
        encode(&Ask { id, request }, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn send_text(&mut self, json: &str) {
        self.stream.write_all(&(json.len() as u32).to_be_bytes()).await.unwrap();
        self.stream.write_all(json.as_bytes()).await.unwrap();
    }

    /// The server's next message, `None` at the end.
    async fn receive(&mut self) -> Option<FromServer> {
        loop {
            if let Some(message) = self.codec.poll().unwrap() {
                return Some(message);
            }
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).await.unwrap();
            if count == 0 {
                return None;
            }
            self.codec.receive(&bytes[..count]);
        }
    }

    async fn answer(&mut self) -> Answer {
        match self.receive().await {
            Some(FromServer::Answer(answer)) => answer,
            other => panic!("expected an answer and got {other:?}"),
        }
    }

    async fn ask(&mut self, request: Request) -> Result<Response, Failure> {
        self.send(1, request).await;
        self.answer().await.result
    }
}

#[tokio::test(flavor = "current_thread")]
async fn each_request_is_answered_under_its_id_however_many_come_at_once() {
    let mut client = Client::new();
    for id in 0..50 {
        client.send(id, Request::ServerInfo).await;
    }
    let mut ids = Vec::new();
    for _ in 0..50 {
        let answer = client.answer().await;
        assert!(matches!(answer.result, Ok(Response::ServerInfo(info)) if info.pid == std::process::id()));
        ids.push(answer.id);
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..50).collect::<Vec<_>>());
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_no_request_is_answered_as_such_and_does_no_harm() {
    let mut client = Client::new();
    for json in [r#"{"id":7,"request":"fly"}"#, r#"{"id":8,"request":"describe"}"#] {
        client.send_text(json).await;
    }
    for id in [7, 8] {
        let answer = client.answer().await;
        assert_eq!((answer.id, answer.result.unwrap_err().kind), (id, FailureKind::BadRequest));
    }
    client.ask(Request::ServerInfo).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn what_has_no_id_to_be_answered_under_ends_the_channel() {
    for json in [r#"{"request":"server-info"}"#, "[]", "\u{7}"] {
        let mut client = Client::new();
        client.send_text(json).await;
        assert!(client.receive().await.is_none());
        let error = client.task.await.unwrap().unwrap_err();
        assert!(matches!(error, ControlError::Codec(CodecError::Malformed { id: None, .. })), "{error}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_message_longer_than_allowed_ends_the_channel() {
    let mut client = Client::new();
    client.stream.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
    assert!(client.receive().await.is_none());
    let error = client.task.await.unwrap().unwrap_err();
    assert!(matches!(error, ControlError::Codec(CodecError::TooLong(u32::MAX))), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_closes_the_channel_ends_it() {
    let client = Client::new();
    drop(client.stream);
    client.task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn ids_of_processes_come_from_any_on_and_in_order() {
    let mut client = Client::new();
    let own = std::process::id();
    let Response::ProcessIds { pids, .. } = client.ask(Request::ProcessIds { after: own - 1 }).await.unwrap() else {
        panic!("no ids");
    };
    assert_eq!(pids[0], own);
    assert!(pids.is_sorted());
    let Response::ProcessIds { pids, more } = client.ask(Request::ProcessIds { after: u32::MAX }).await.unwrap() else {
        panic!("no ids");
    };
    assert!(pids.is_empty() && !more);
}

#[tokio::test(flavor = "current_thread")]
async fn sessions_are_listed_and_ended_by_number() {
    let mut client = Client::new();
    let end = CancellationToken::new();
    let registry = &client.server.registry;
    let who =
        SessionClient { peer: "192.0.2.1:9".into(), label: "gdb".into(), origin: Origin::Direct(Source::User(1)) };
    let _entry = registry.enter(registry.next_number(), who, u32::MAX, create_journal().unwrap().into(), end.clone());
    let Response::Sessions { sessions, more } = client.ask(Request::Sessions { after: 0 }).await.unwrap() else {
        panic!("no sessions");
    };
    assert_eq!((sessions.len(), sessions[0].session, sessions[0].label.as_str(), more), (1, 1, "gdb", false));
    let missing = client.ask(Request::EndSession { session: 2 }).await.unwrap_err();
    assert_eq!((missing.kind, missing.text.as_str()), (FailureKind::NotFound, "there is no session 2"));
    assert!(!end.is_cancelled());
    assert_eq!(client.ask(Request::EndSession { session: 1 }).await, Ok(Response::Done));
    assert!(end.is_cancelled());
}

#[tokio::test(flavor = "current_thread")]
async fn events_are_told_as_they_come() {
    let mut client = Client::new();
    let event = Event::SessionEnded { session: 3, outcome: "ended".into() };
    client.events.send(event.clone()).await.unwrap();
    assert_eq!(client.receive().await, Some(FromServer::Event(event)));
}

#[tokio::test(flavor = "current_thread")]
async fn who_ends_the_server_gets_an_answer_and_then_what_everybody_is_told() {
    let mut client = Client::new();
    assert_eq!(client.ask(Request::EndServer).await, Ok(Response::Done));
    assert!(client.server.stop.is_cancelled());
    assert_eq!(client.receive().await, Some(FromServer::Event(Event::ServerEnding)));
    assert_eq!(client.receive().await, None);
}
