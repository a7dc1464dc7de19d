//! Binds `dbgsrv_protocol`'s session and mux to tokio: any byte stream becomes a [`Link`] with [`Channel`]s.
//!
//! Nothing is listened on here, no name is looked up, and who may do what on a channel is decided by the caller.
//!
//! ```text
//! stream ─ connect/accept ─▶ Link ─ open ─▶ Channel: AsyncRead + AsyncWrite
//!                             │ └── control ─▶ Channel 0
//!                             └ a task: reads, writes, keeps alive, comes back after a cut
//! ```
//!
//! Handles and the session's task, the driver, work on the same state under one lock. A write puts bytes into the mux and
//! wakes the driver, which sends what all channels have in one go; what it reads, it reads straight into the session,
//! and wakes whose channel it is for. So a small message costs one wake-up and one system call on either side.
//!
//! ```
//! use dbgsrv_protocol::mux::Kind;
//! use dbgsrv_protocol::session::{Access, ClientConfig, Facts, ServerConfig, Versions};
//! use dbgsrv_session::{Accepted, Dial, Sessions, accept, connect};
//! use std::{error::Error, io, net::SocketAddr, time::Duration};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::{TcpListener, TcpStream};
//!
//! struct Tcp(SocketAddr);
//!
//! impl Dial for Tcp {
//!     type Stream = TcpStream;
//!
//!     async fn dial(&mut self) -> io::Result<TcpStream> {
//!         TcpStream::connect(self.0).await
//!     }
//! }
//!
//! async fn serve(listener: TcpListener, config: ServerConfig) -> Result<(), Box<dyn Error + Send + Sync>> {
//!     let sessions = Sessions::default();
//!     let (stream, _) = listener.accept().await?;
//!     let Accepted::New(_link, mut incoming) = accept(stream, config, &sessions).await? else { return Ok(()) };
//!     while let Some(offer) = incoming.recv().await {
//!         let mut channel = offer.accept();
//!         channel.write_all(b"hello").await?;
//!         channel.shutdown().await?;
//!         channel.read_to_end(&mut Vec::new()).await?;
//!     }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
//! let (facts, versions, channel_binding) = (Facts::default(), Versions::SPOKEN, None);
//! let password = "xyzzy".parse()?;
//! let access = Access::Password(password);
//! let linger = Duration::from_mins(1);
//! let server = ServerConfig { facts: facts.clone(), versions, access, channel_binding, linger };
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let serving = tokio::spawn(serve(listener, server));
//!
//! let password = Some("xyzzy".parse()?);
//! let client = ClientConfig { facts, versions, password, local: false, channel_binding };
//! let link = connect(Tcp(address), client).await?;
//! let mut channel = link.open(Kind::Debug, "example").await?;
//! let mut greeting = String::new();
//! channel.read_to_string(&mut greeting).await?;
//! assert_eq!(greeting, "hello");
//! channel.shutdown().await?;
//! drop((channel, link));
//! # serving.await?
//! # }
//! ```
#![forbid(unsafe_code)]

mod accept;
mod channel;
mod connect;
mod driver;
mod incoming;
mod limits;
mod link;
mod random;
mod sessions;
mod shake;
mod shared;
mod slots;
mod state;
mod timer;
mod wire;

pub use accept::{AcceptError, Accepted, Guard, accept, accept_guarded};
pub use channel::{Channel, OpenError};
pub use connect::{ConnectError, Dial, connect};
pub use incoming::Incoming;
pub use limits::HANDSHAKE_LIMIT;
pub use link::{Closed, Link};
pub use random::SystemRandom;
pub use sessions::Sessions;
