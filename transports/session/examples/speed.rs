//! Measures a session over loopback TCP: round trips of small messages and the flow of large ones, plain and sealed, beside
//! the bare connection.
//!
//! ```text
//! cargo run --release -p dbgsrv-session --example speed
//! ```

use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::{Access, ClientConfig, Facts, ServerConfig, Versions};
use dbgsrv_session::{Accepted, Dial, Link, Sessions, accept, connect};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ROUND_TRIPS: u32 = 20_000;
/// How much flows, in MiB.
const BULK: u32 = 1024;
const PIECE: usize = 0x1_0000;

struct Tcp(SocketAddr);

impl Dial for Tcp {
    type Stream = TcpStream;

    async fn dial(&mut self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.0).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    bare().await?;
    for sealed in [false, true] {
        let name = if sealed { "sealed" } else { "plain" };
        let link = session(sealed).await?;
        let channel = link.open(Kind::Debug, "speed").await.map_err(io::Error::other)?;
        measure(name, channel).await?;
    }
    Ok(())
}

async fn bare() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    on_a_thread(async move {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        answer(stream).await
    });
    measure("bare", Tcp(address).dial().await?).await
}

async fn session(sealed: bool) -> io::Result<Link> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    on_a_thread(async move {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let config = ServerConfig {
            facts: Facts::default(),
            versions: Versions::SPOKEN,
            access: Access::Open { sealed },
            channel_binding: None,
            linger: Duration::ZERO,
        };
        let accepted = accept(stream, config, &Sessions::default()).await;
        let Accepted::New(_link, mut incoming) = accepted.map_err(io::Error::other)? else { return Ok(()) };
        let Some(offer) = incoming.recv().await else { return Ok(()) };
        answer(offer.accept()).await
    });
    let config = ClientConfig {
        facts: Facts::default(),
        versions: Versions::SPOKEN,
        password: None,
        local: !sealed,
        channel_binding: None,
    };
    connect(Tcp(address), config).await.map_err(io::Error::other)
}

/// The server has a thread and a runtime of its own, as if it were another program.
fn on_a_thread(work: impl Future<Output = io::Result<()>> + Send + 'static) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work)
    });
}

/// Answers [`ROUND_TRIPS`], then sends [`BULK`].
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut message = [0; 64];
    for _ in 0..ROUND_TRIPS {
        stream.read_exact(&mut message).await?;
        stream.write_all(&message).await?;
    }
    stream.read_exact(&mut message).await?;
    let piece = vec![0x5a; PIECE];
    for _ in 0..((BULK as usize) << 20) / PIECE {
        stream.write_all(&piece).await?;
    }
    // Until the other side hangs up.
    let _ = stream.read(&mut message).await?;
    Ok(())
}

async fn measure(name: &str, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut message = [0x5a; 64];
    let began = Instant::now();
    for _ in 0..ROUND_TRIPS {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
    }
    let round_trip = began.elapsed() / ROUND_TRIPS;
    stream.write_all(&message).await?;
    let mut piece = vec![0; PIECE];
    let mut left = (BULK as usize) << 20;
    let began = Instant::now();
    while left > 0 {
        left -= stream.read(&mut piece).await?;
    }
    let rate = f64::from(BULK) / began.elapsed().as_secs_f64();
    println!("{name:>6}: {round_trip:?} for a round trip, {rate:.0} MiB/s");
    stream.shutdown().await
}
