//! TLS for dbgsrv, over any byte stream: over a TCP connection it is `ssl`, over a pipe `spipe`.
//!
//! Nothing is listened on and nothing is dialled here. Which certificate a side shows, and which one it wants to see, comes
//! from its connection string.
//!
//! ```text
//! certuser=, machuser= ─▶ Store: folders of PEM files ─▶ Identity ─┐
//!                                 clientca= ───────────────────────┴▶ Acceptor  ─ accept ──▶ TlsStream
//!         cafile=, thumbprint=, the system's authorities ──────────▶ Connector ─ connect ─▶ TlsStream
//! ```
//!
//! | store | folder |
//! |---|---|
//! | the user's | `$XDG_CONFIG_HOME/dbgsrv/certificates`; without the variable `~/.config/dbgsrv/certificates` |
//! | the machine's | `/etc/dbgsrv/certificates` |
//!
//! A certificate is a file `NAME.pem` that has its chain and its key, or `NAME.crt` with the chain beside `NAME.key`. Only
//! [`Store`] knows of folders, so that a system which has stores of its own can take that module's place.
#![forbid(unsafe_code)]

mod accept;
mod certificate;
mod connect;
mod error;
mod explain;
mod handshake;
mod identity;
mod pem;
mod self_signed;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod thumbprint;
mod trust;

pub use accept::Acceptor;
pub use certificate::Certificate;
pub use connect::Connector;
pub use error::{Problem, StoreError, TlsError};
pub use self_signed::{SaveError, SelfSigned};
pub use store::{Entry, Store};
pub use stream::TlsStream;

use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// The ciphers. `ring` and not `aws-lc-rs`: it builds with a C compiler alone, on every system that Rust has.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
