//! Connections that become no session.

use crate::support::{Fate, Network, client, server};
use dbgsrv_protocol::session::{Access, ClientConfig, HandshakeError, PREFACE, Rejected};
use dbgsrv_session::{
    AcceptError, ConnectError, Dial, Guard, HANDSHAKE_LIMIT, Sessions, accept, accept_guarded, connect,
};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

fn password(text: &str) -> Access {
    Access::Password(text.parse().expect("a password"))
}

async fn meet(access: Access, given: Option<&str>) -> (ConnectError, Option<AcceptError>) {
    let (network, mut arrivals) = Network::new(server(access));
    let config = ClientConfig { password: given.map(|text| text.parse().expect("a password")), ..client() };
    let error = connect(network.clone(), config).await.expect_err("no session");
    assert!(network.sessions.is_empty());
    (error, arrivals.recv().await.expect("an outcome").err())
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_told_to_both_sides() {
    let (here, there) = meet(password("right"), Some("wrong")).await;
    let wrong = matches!(
        here,
        ConnectError::Handshake(
            HandshakeError::WrongPassword | HandshakeError::Rejected { reason: Rejected::Password, .. }
        )
    );
    assert!(wrong, "{here:?}");
    assert!(matches!(there, Some(AcceptError::Handshake(HandshakeError::WrongPassword))), "{there:?}");
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_missing_is_asked_for() {
    let (here, _) = meet(password("right"), None).await;
    assert!(matches!(here, ConnectError::Handshake(HandshakeError::PasswordNeeded)), "{here:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_with_a_password_wants_a_server_that_knows_it() {
    let (here, _) = meet(Access::Open { sealed: true }, Some("mine")).await;
    assert!(matches!(here, ConnectError::Handshake(HandshakeError::PasswordUnused)), "{here:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_told_so_after_a_while() {
    let (mut here, there) = duplex(4096);
    let sessions = Sessions::default();
    here.write_all(&PREFACE[..1]).await.unwrap();
    let began = Instant::now();
    let config = server(Access::Open { sealed: false });
    let error = tokio::spawn(async move { accept(there, config, &sessions).await });
    let mut told = Vec::new();
    here.read_to_end(&mut told).await.unwrap();
    assert!(!told.is_empty());
    drop(here);
    assert!(matches!(error.await.unwrap(), Err(AcceptError::TimedOut)));
    assert_eq!(began.elapsed(), HANDSHAKE_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_answer_is_dropped_all_the_same() {
    let (mut here, there) = duplex(8);
    here.write_all(&PREFACE).await.unwrap();
    let sessions = Sessions::default();
    let error = accept(there, server(Access::Open { sealed: false }), &sessions).await;
    assert!(matches!(error, Err(AcceptError::TimedOut)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn something_else_than_a_client_is_turned_away() {
    let (mut here, there) = duplex(4096);
    here.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let sessions = Sessions::default();
    let error = accept(there, server(Access::Open { sealed: false }), &sessions).await;
    assert!(matches!(error, Err(AcceptError::Handshake(HandshakeError::NotOurs))), "{error:?}");
}

/// Writes down what it is asked.
#[derive(Default)]
struct Strict {
    guesses: usize,
    right: usize,
    closed: bool,
}

impl Guard for Strict {
    fn guess(&mut self) -> Result<(), String> {
        self.guesses += 1;
        if self.closed { Err("too soon".into()) } else { Ok(()) }
    }

    fn right(&mut self) {
        self.right += 1;
    }
}

/// Reaches a server that is given what the client sends.
struct Line(Option<DuplexStream>);

impl Dial for Line {
    type Stream = DuplexStream;

    async fn dial(&mut self) -> io::Result<DuplexStream> {
        self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// What the client hears, and what the guard does.
async fn guarded(given: &str, mut guard: Strict) -> (Option<HandshakeError>, usize, usize) {
    let (here, there) = duplex(4096);
    let config = ClientConfig { password: Some(given.parse().expect("a password")), ..client() };
    let sessions = Sessions::default();
    let accepting = accept_guarded(there, server(password("right")), &sessions, &mut guard);
    let (connected, _accepted) = tokio::join!(connect(Line(Some(here)), config), accepting);
    let error = match connected {
        Err(ConnectError::Handshake(error)) => Some(error),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    };
    (error, guard.guesses, guard.right)
}

#[tokio::test(start_paused = true)]
async fn each_proof_of_a_password_is_a_guess_until_it_is_right() {
    let (error, guesses, right) = guarded("right", Strict::default()).await;
    assert_eq!((error, guesses, right), (None, 1, 1));
    let (error, guesses, right) = guarded("wrong", Strict::default()).await;
    assert!(error.is_some());
    assert_eq!((guesses, right), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_is_not_looked_at_says_nothing_of_the_password() {
    for given in ["right", "wrong"] {
        let (error, guesses, right) = guarded(given, Strict { closed: true, ..Strict::default() }).await;
        assert_eq!(error, Some(HandshakeError::Rejected { reason: Rejected::Busy, text: "too soon".into() }));
        assert_eq!((guesses, right), (1, 0));
    }
}

/// Reaches a server that never answers.
struct Void(Option<DuplexStream>);

impl Dial for Void {
    type Stream = DuplexStream;

    async fn dial(&mut self) -> io::Result<DuplexStream> {
        let (here, there) = duplex(4096);
        self.0 = Some(there);
        Ok(here)
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let error = connect(Void(None), client()).await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_cut_anywhere_ends_on_both_sides() {
    for place in 0..20 {
        let (network, mut arrivals) = Network::new(server(Access::Open { sealed: true }));
        network.plan([Fate::BreaksAfter(place)]);
        let error = connect(network.clone(), ClientConfig { local: false, ..client() }).await.unwrap_err();
        assert!(matches!(error, ConnectError::Io(_)), "{error:?}");
        assert!(matches!(arrivals.recv().await, Some(Err(AcceptError::Io(_)))));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_at_the_other_end_is_an_error_of_dialling() {
    let (network, _arrivals) = Network::new(server(Access::Open { sealed: false }));
    network.set_down(true);
    let error = connect(network, client()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Dial(_)), "{error:?}");
}
