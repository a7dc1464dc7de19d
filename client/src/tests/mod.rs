//! The client against a server made of the session's other side and a table of answers.

mod passwords;
mod requests;
mod sessions;

use crate::RemoteServer;
use crate::facts::facts;
use dbgsrv_protocol::control::{Answer, Ask, Codec, Event, Failure, FromServer, Request, Response, encode};
use dbgsrv_protocol::session::{Access, ClientConfig, ServerConfig, Versions};
use dbgsrv_session::{Accepted, Channel, Dial, Incoming, Link, Sessions, accept, connect};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;

type Result<T, E = Failure> = std::result::Result<T, E>;

/// The server's end of a session.
struct FakeServer {
    link: Link,
    control: Channel,
    incoming: mpsc::Receiver<Incoming>,
}

impl FakeServer {
    async fn accept<S>(stream: S, access: Access) -> Option<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let config = ServerConfig { facts: facts(), versions: Versions::SPOKEN, access, channel_binding: None };
        let accepted = accept(stream, config, &Sessions::default(), Duration::from_secs(1)).await.ok()?;
        let Accepted::New(link, incoming) = accepted else { panic!("nothing to resume") };
        let control = link.control().unwrap();
        Some(Self { link, control, incoming })
    }

    /// Answers requests, until the session ends or `answers` gives `None`.
    async fn answer(&mut self, mut answers: impl FnMut(Request) -> Option<Result<Response>>) {
        let mut codec = Codec::default();
        let mut buffer = [0; 1000];
        while let Ok(count) = self.control.read(&mut buffer).await {
            if count == 0 {
                return;
            }
            codec.receive(&buffer[..count]);
            while let Some(Ask { id, request }) = codec.poll().unwrap() {
                let Some(result) = answers(request) else { return };
                self.tell(&FromServer::Answer(Answer { id, result })).await;
            }
        }
    }

    async fn tell(&mut self, message: &FromServer) {
        let mut bytes = Vec::new();
        encode(message, &mut bytes).unwrap();
        self.control.write_all(&bytes).await.unwrap();
    }

    async fn tell_event(&mut self, event: &Event) {
        self.tell(&FromServer::Event(event.clone())).await;
    }
}

/// One connection, and no other.
struct Once(Option<DuplexStream>);

impl Dial for Once {
    type Stream = DuplexStream;

    async fn dial(&mut self) -> io::Result<DuplexStream> {
        self.0.take().ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }
}

/// A client and its server.
async fn pair() -> (RemoteServer, FakeServer) {
    let (near, far) = duplex(0x1_0000);
    let config =
        ClientConfig { facts: facts(), versions: Versions::SPOKEN, password: None, local: true, channel_binding: None };
    let (link, server) =
        tokio::join!(connect(Once(Some(near)), config), FakeServer::accept(far, Access::Open { sealed: false }));
    (RemoteServer::new(link.unwrap()).unwrap(), server.unwrap())
}

/// A client whose server answers like this.
async fn answering(mut answers: impl FnMut(Request) -> Result<Response> + Send + 'static) -> RemoteServer {
    let (client, mut server) = pair().await;
    tokio::spawn(async move { server.answer(|request| Some(answers(request))).await });
    client
}
