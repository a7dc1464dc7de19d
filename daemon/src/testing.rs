//! Sessions in memory, for the tests.

use dbgsrv_protocol::session::{Access, ClientConfig, Facts, ServerConfig, Versions};
use dbgsrv_session::{Accepted, Dial, Incoming, Link, Sessions, accept, connect};
use std::io;
use std::time::Duration;
use tokio::io::{DuplexStream, copy_bidirectional, duplex};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, yield_now};

const PIPE: usize = 64 << 10;

/// Both ends of a session.
pub(crate) struct Linked {
    pub(crate) client: Link,
    pub(crate) server: Link,
    pub(crate) incoming: mpsc::Receiver<Incoming>,
    wire: JoinHandle<()>,
    _sessions: Sessions,
}

impl Linked {
    /// Breaks the connection, for good; the server's side waits for the next one.
    pub(crate) async fn cut(&mut self) {
        self.wire.abort();
        while self.server.cut_since().is_none() {
            yield_now().await;
        }
    }
}

/// Connects once.
struct Once(Option<DuplexStream>);

impl Dial for Once {
    type Stream = DuplexStream;

    async fn dial(&mut self) -> io::Result<DuplexStream> {
        self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// A new session, which lingers for an hour.
pub(crate) async fn linked() -> Linked {
    let ((here, mut near), (mut far, there)) = (duplex(PIPE), duplex(PIPE));
    let wire = tokio::spawn(async move { drop(copy_bidirectional(&mut near, &mut far).await) });
    let (facts, versions, channel_binding) = (Facts::default(), Versions::SPOKEN, None);
    let (access, linger) = (Access::Open { sealed: false }, Duration::from_hours(1));
    let server = ServerConfig { facts: facts.clone(), versions, access, channel_binding, linger };
    let client = ClientConfig { facts, versions, password: None, local: true, channel_binding };
    let sessions = Sessions::default();
    let (client, accepted) = tokio::join!(connect(Once(Some(here)), client), accept(there, server, &sessions));
    let Accepted::New(server, incoming) = accepted.unwrap() else { panic!("a new session") };
    Linked { client: client.unwrap(), server, incoming, wire, _sessions: sessions }
}
