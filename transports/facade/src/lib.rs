//! Turns a parsed connection string into a listener or a connection, whatever the transport, and
//! fetches the password that the string names.
//!
//! It moves no bytes by itself, knows nothing of what they mean, and decides nothing about who may connect.
//!
//! ```text
//!         "tcp:port=5005" ─ parse ─▶ ServerOptions ─ new ─▶ Endpoint ─ bind ─▶ Listener ─ accept ─▶ Stream, Peer
//! "tcp:server=a,port=5005" ─ parse ─▶ ClientOptions ─ new ─▶ Dialer ─ dial ───────────────────────▶ Stream, Peer
//! ```
//!
//! A server's three steps fail differently: [`Endpoint::new`] checks the certificate that is asked for, and
//! opens nothing; [`Endpoint::bind`] takes the port or the pipe's name; [`Listener::accept`] waits for clients and never fails for good.
//! A client's [`Dialer`] is used again after its connection was cut.
//!
//! ```
//! use dbgsrv_transports::{Dialer, Endpoint};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let endpoint = Endpoint::new(&"tcp:port=0,bind=127.0.0.1".parse()?)?;
//! let mut listener = endpoint.bind()?;
//! println!("listening on {listener}; connect with: target extended-remote {}", listener.gdb_target());
//! let port = listener.gdb_target().replace("localhost:", "");
//!
//! let dialer = Dialer::new(&format!("tcp:server=127.0.0.1,port={port}").parse()?)?;
//! let (_client, _server) = dialer.dial().await?;
//! let (_stream, peer) = listener.accept().await?;
//! assert!(peer.is_local());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod caller;
mod dial;
mod endpoint;
mod listener;
mod machine;
mod opening;
mod passed;
mod password;
mod secured;
mod stream;
mod waiting;

pub use caller::Caller;
pub use dbgsrv_firewall::{FirewallError, Opened};
pub use dbgsrv_npipe::{Peer as PipePeer, REMOTE_PIPE_GREETING};
pub use dbgsrv_tls as tls;
pub use dial::Dialer;
pub use endpoint::{Endpoint, Unusable};
pub use listener::{BindError, Listener};
pub use passed::{Passed, PassedError};
pub use password::{PasswordError, read_password};
pub use secured::Secured;
pub use stream::{Carried, Fresh, Peer, ReadyError, Stream};
