//! A network in memory: dialling, accepting, and connections that break where a test wants it.

use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::{Access, ClientConfig, Facts, ServerConfig, Versions};
use dbgsrv_session::{AcceptError, Accepted, Channel, Dial, Incoming, Link, Sessions, accept, connect};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex, split};
use tokio::sync::mpsc;

/// Bytes that one direction of a connection holds.
const PIPE: usize = 0x1_0000;

/// How long the server waits for a client to come back.
pub(crate) const LINGER: Duration = Duration::from_secs(30);

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// Nothing.
    Sound,
    /// It breaks after so many bytes, both directions counted.
    BreaksAfter(usize),
    /// The client's bytes arrive, the server's do not.
    Deaf,
    /// It breaks for the client; the server sees nothing of it.
    HalfOpenAfter(usize),
}

/// How one connection is at the moment.
struct Line {
    fate: Fate,
    waiting: Vec<Waker>,
}

impl Line {
    /// How many of `count` bytes still go; `None`: broken.
    fn take(&mut self, count: usize) -> Option<usize> {
        match &mut self.fate {
            Fate::Sound | Fate::Deaf => Some(count),
            Fate::BreaksAfter(left) | Fate::HalfOpenAfter(left) => {
                let taken = count.min(*left);
                *left -= taken;
                (taken > 0).then_some(taken)
            }
        }
    }

    fn left(&self) -> usize {
        match self.fate {
            Fate::Sound | Fate::Deaf => usize::MAX,
            Fate::BreaksAfter(left) | Fate::HalfOpenAfter(left) => left,
        }
    }
}

#[derive(Default)]
struct Wiring {
    /// The fates of the next connections.
    fates: VecDeque<Fate>,
    /// Nobody answers.
    down: bool,
    current: Option<Arc<Mutex<Line>>>,
    /// Connections that the server still believes in.
    half_open: Vec<DuplexStream>,
    dialled: usize,
}

/// The way to one server. Clones are the same.
#[derive(Clone)]
pub(crate) struct Network {
    wiring: Arc<Mutex<Wiring>>,
    pub(crate) sessions: Sessions,
    config: ServerConfig,
    accepted: mpsc::UnboundedSender<Result<Accepted, AcceptError>>,
}

pub(crate) type Arrivals = mpsc::UnboundedReceiver<Result<Accepted, AcceptError>>;

impl Network {
    pub(crate) fn new(config: ServerConfig) -> (Self, Arrivals) {
        let (accepted, arrivals) = mpsc::unbounded_channel();
        (Self { wiring: Arc::default(), sessions: Sessions::default(), config, accepted }, arrivals)
    }

    /// Decides what becomes of the connections to come.
    pub(crate) fn plan(&self, fates: impl IntoIterator<Item = Fate>) {
        lock(&self.wiring).fates.extend(fates);
    }

    /// Decides what becomes of the connection that there is.
    pub(crate) fn befall(&self, fate: Fate) {
        let current = lock(&self.wiring).current.clone().expect("a connection");
        let mut line = lock(&current);
        line.fate = fate;
        line.waiting.drain(..).for_each(Waker::wake);
    }

    /// Lets nobody connect any more, or again.
    pub(crate) fn set_down(&self, down: bool) {
        lock(&self.wiring).down = down;
    }

    /// How often somebody has tried to connect.
    pub(crate) fn dialled(&self) -> usize {
        lock(&self.wiring).dialled
    }
}

impl Dial for Network {
    type Stream = Connection;

    async fn dial(&mut self) -> io::Result<Connection> {
        let mut wiring = lock(&self.wiring);
        wiring.dialled += 1;
        if wiring.down {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (here, there) = duplex(PIPE);
        let fate = wiring.fates.pop_front().unwrap_or(Fate::Sound);
        let line = Arc::new(Mutex::new(Line { fate, waiting: Vec::new() }));
        wiring.current = Some(Arc::clone(&line));
        let Self { sessions, config, accepted, .. } = self.clone();
        tokio::spawn(async move { accepted.send(accept(there, config, &sessions).await) });
        Ok(Connection { stream: Some(here), line, wiring: Arc::clone(&self.wiring) })
    }
}

/// The client's end of a connection.
pub(crate) struct Connection {
    stream: Option<DuplexStream>,
    line: Arc<Mutex<Line>>,
    wiring: Arc<Mutex<Wiring>>,
}

impl Connection {
    fn stream(&mut self) -> Pin<&mut DuplexStream> {
        Pin::new(self.stream.as_mut().expect("it is there until it is dropped"))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if matches!(lock(&self.line).fate, Fate::HalfOpenAfter(_)) {
            lock(&self.wiring).half_open.extend(self.stream.take());
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = Arc::clone(&self.line);
        let mut line = lock(&line);
        line.waiting.push(cx.waker().clone());
        if matches!(line.fate, Fate::Deaf) {
            return Poll::Pending;
        }
        if line.left() == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut part = buffer.take(line.left());
        let polled = self.stream().poll_read(cx, &mut part);
        let count = part.filled().len();
        line.take(count);
        buffer.advance(count);
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let line = Arc::clone(&self.line);
        let mut line = lock(&line);
        line.waiting.push(cx.waker().clone());
        if line.left() == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let part = &bytes[..bytes.len().min(line.left())];
        let polled = self.stream().poll_write(cx, part);
        if let Poll::Ready(Ok(count)) = polled {
            line.take(count);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn facts(host: &str) -> Facts {
    Facts { host: host.into(), ..Facts::default() }
}

pub(crate) fn server(access: Access) -> ServerConfig {
    let versions = Versions::SPOKEN;
    ServerConfig { facts: facts("target"), versions, access, channel_binding: None, linger: LINGER }
}

/// A client that never leaves the machine.
pub(crate) fn client() -> ClientConfig {
    ClientConfig {
        facts: facts("desk"),
        versions: Versions::SPOKEN,
        password: None,
        local: true,
        channel_binding: None,
    }
}

/// Both ends of a session.
pub(crate) struct Pair {
    pub(crate) network: Network,
    pub(crate) arrivals: Arrivals,
    pub(crate) client: Link,
    pub(crate) server: Link,
    pub(crate) incoming: mpsc::Receiver<Incoming>,
}

impl Pair {
    pub(crate) async fn new(sealed: bool) -> Self {
        let (network, mut arrivals) = Network::new(server(Access::Open { sealed }));
        let client = connect(network.clone(), ClientConfig { local: !sealed, ..client() }).await.expect("a session");
        let Some(Ok(Accepted::New(server, incoming))) = arrivals.recv().await else { panic!("no new session") };
        Self { network, arrivals, client, server, incoming }
    }

    /// Both ends of a new channel: the client's and the server's.
    pub(crate) async fn channel(&mut self) -> (Channel, Channel) {
        let answer = async { self.incoming.recv().await.expect("a channel").accept() };
        let (asked, accepted) = tokio::join!(self.client.open(Kind::Debug, "test"), answer);
        (asked.expect("a channel"), accepted)
    }

    /// Sends back what comes on each channel that is opened from now on.
    pub(crate) fn echo(&mut self) {
        let (_, none) = mpsc::channel(1);
        let mut incoming = std::mem::replace(&mut self.incoming, none);
        tokio::spawn(async move {
            while let Some(offer) = incoming.recv().await {
                tokio::spawn(echo(offer.accept()));
            }
        });
    }
}

async fn echo(channel: Channel) -> io::Result<()> {
    let (mut from, mut to) = split(channel);
    tokio::io::copy(&mut from, &mut to).await?;
    tokio::io::AsyncWriteExt::shutdown(&mut to).await
}

/// Bytes in which every place looks different.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place ^ (place >> 8) ^ (place >> 16)) as u8).collect()
}
