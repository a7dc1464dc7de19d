//! TCP for dbgsrv: listening on a port, or on the first free one of a range, in every address family asked for, and
//! connecting to whichever address of a machine answers.
//!
//! No protocol logic and no policy: who may connect and what a connection carries is decided by the caller. No name is
//! looked up: addresses come as addresses.
//!
//! ```text
//! Listener::bind ── the first port that is free in all families ──▶ accept ──▶ TcpStream ──▶ tune
//!        connect ── the first address that answers ──────────────────────────▶ TcpStream ──▶ tune
//! ```
//!
//! Binding and accepting are two phases because they fail differently: a port that can't be bound ends the program, a
//! connection that can't be accepted must not.
//!
//! ```
//! use std::net::{Ipv4Addr, SocketAddr};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let mut listener = dbgsrv_tcp::Listener::bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))], 0..=0)?;
//! let client = dbgsrv_tcp::connect(&[SocketAddr::from((Ipv4Addr::LOCALHOST, listener.port()))]).await?;
//! let (stream, peer) = listener.accept().await?;
//! dbgsrv_tcp::tune(&stream)?;
//! assert_eq!(peer, client.local_addr()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod connect;
mod listen;
mod ports;
mod tune;

pub use connect::connect;
pub use listen::Listener;
pub use ports::BindError;
pub use tune::tune;
