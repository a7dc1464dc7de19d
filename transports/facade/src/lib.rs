//! Turns a parsed connection string into a listener, whatever the transport.
//!
//! It moves no bytes by itself, knows nothing of what they mean, and decides nothing about who may connect.
//!
//! ```text
//! "tcp:port=5005" ─ parse ─▶ ServerOptions ─ new ─▶ Endpoint ─ bind ─▶ Listener ─ accept ─▶ Stream, Peer
//! ```
//!
//! Three steps that fail differently: [`Endpoint::new`] checks that this build can do what is asked for, and touches
//! nothing; [`Endpoint::bind`] takes the port; [`Listener::accept`] waits for clients and never fails for good.
//!
//! ```
//! use dbgsrv_transports::Endpoint;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let endpoint = Endpoint::new(&"tcp:port=0,bind=127.0.0.1".parse()?)?;
//! let mut listener = endpoint.bind()?;
//! println!("listening on {listener}; connect with: target extended-remote {}", listener.gdb_target());
//! # let client = tokio::net::TcpStream::connect(listener.gdb_target().replace("localhost", "127.0.0.1")).await?;
//! let (_stream, peer) = listener.accept().await?;
//! assert!(peer.is_loopback());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod endpoint;
mod listener;
mod stream;

pub use endpoint::{Endpoint, Unavailable};
pub use listener::{BindError, Listener};
pub use stream::{Peer, Stream};
