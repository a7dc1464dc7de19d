//! A client of the session's protocol: one connection to the server, through which debuggers connect to a local port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use dbgsrv_protocol::control::{Ask, Codec, Event, Failure, FromServer, Request, Response, encode};
use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::{ClientConfig, Facts, Versions};
use dbgsrv_session::{Channel, Closed, ConnectError, Dial, Link, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::GUARD;
use crate::patience;

/// Connects to an address.
struct Address(SocketAddr);

impl Dial for Address {
    type Stream = TcpStream;

    async fn dial(&mut self) -> io::Result<TcpStream> {
        TcpStream::connect(self.0).await
    }
}

/// A session; dropping it breaks its connection off.
#[derive(Debug)]
pub struct Session {
    link: Link,
    control: Channel,
    codec: Codec,
    last: u32,
    events: Vec<Event>,
    /// Last, so that it is there when the others are dropped.
    runtime: Runtime,
}

impl Session {
    /// Connects to the server on a port of this machine.
    ///
    /// # Errors
    /// Where the server does not want this client.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn connect(port: u16, password: Option<&str>) -> Result<Self, ConnectError> {
        Self::connect_to((Ipv4Addr::LOCALHOST, port).into(), password)
    }

    /// Connects to the server at an address.
    ///
    /// # Errors
    /// As [`Self::connect`].
    ///
    /// # Panics
    /// As there.
    pub fn connect_to(address: SocketAddr, password: Option<&str>) -> Result<Self, ConnectError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("there are threads");
        let config = ClientConfig {
            facts: Facts { release: "0".into(), os: "test".into(), ..Facts::default() },
            versions: Versions::SPOKEN,
            password: password.map(|text| text.parse().expect("it is a password")),
            local: address.ip().is_loopback(),
            channel_binding: None,
        };
        let link = runtime.block_on(async { guarded(connect(Address(address), config)).await })?;
        let control = link.control().expect("nobody has asked for the control channel before");
        Ok(Self { link, control, codec: Codec::default(), last: 0, events: Vec::new(), runtime })
    }

    /// Asks the server for something. Events that come first are kept.
    ///
    /// # Errors
    /// Why it was not done.
    ///
    /// # Panics
    /// When no answer comes.
    pub fn ask(&mut self, request: Request) -> Result<Response, Failure> {
        self.last += 1;
        let mut bytes = Vec::new();
        encode(&Ask { id: self.last, request }, &mut bytes).expect("requests are short");
        self.runtime.block_on(guarded(self.control.write_all(&bytes))).expect("the session is there");
        loop {
            match self.receive().expect("the server answers before it closes the channel") {
                FromServer::Answer(answer) if answer.id == self.last => return answer.result,
                FromServer::Answer(answer) => panic!("an answer to no question: {answer:?}"),
                FromServer::Event(event) => self.events.push(event),
            }
        }
    }

    /// The next event, `None` where the server has closed the control channel.
    ///
    /// # Panics
    /// When something else comes, or nothing.
    pub fn next_event(&mut self) -> Option<Event> {
        if !self.events.is_empty() {
            return Some(self.events.remove(0));
        }
        match self.receive()? {
            FromServer::Event(event) => Some(event),
            FromServer::Answer(answer) => panic!("an answer to no question: {answer:?}"),
        }
    }

    fn receive(&mut self) -> Option<FromServer> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(message) = self.codec.poll().expect("the server sends messages") {
                return Some(message);
            }
            let count = self.runtime.block_on(guarded(self.control.read(&mut bytes))).unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.codec.receive(&bytes[..count]);
        }
    }

    /// Listens on a port of this machine: each connection there becomes a debug session with that label.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn listen(&self, label: &'static str) -> u16 {
        let listener = self.runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let link = self.link.clone();
        self.runtime.spawn(async move {
            while let Ok((debugger, _)) = listener.accept().await {
                tokio::spawn(carry(link.clone(), label, debugger));
            }
        });
        port
    }

    /// Tries to open a channel.
    ///
    /// # Errors
    /// The server's words, where it refuses.
    pub fn open(&self, kind: Kind, label: &str) -> Result<Channel, String> {
        self.runtime.block_on(guarded(self.link.open(kind, label))).map_err(|error| error.to_string())
    }

    /// Waits for the session's end.
    #[must_use]
    pub fn closed(&self) -> Closed {
        self.runtime.block_on(guarded(self.link.closed()))
    }
}

async fn carry(link: Link, label: &str, mut debugger: TcpStream) {
    // Where there is no channel, the debugger is told by the end of its connection.
    if let Ok(mut channel) = link.open(Kind::Debug, label).await {
        let _ = copy_bidirectional(&mut debugger, &mut channel).await;
    }
}

/// Waits no longer than anything may take.
async fn guarded<T>(what: impl Future<Output = T>) -> T {
    patience::guarded(what).await.unwrap_or_else(|| panic!("nothing came for {} s", Duration::as_secs(&GUARD)))
}
