//! One channel as an async byte stream.

use crate::Closed;
use dbgsrv_protocol::mux;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A channel can't be opened.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The server refused.
    #[error("refused by the server: {text}")]
    Refused {
        /// Why.
        code: mux::Code,
        /// In words.
        text: String,
    },
    /// All are in use.
    #[error(transparent)]
    NoChannel(#[from] mux::NoChannel),
    /// The session is over.
    #[error("the session is over: {}", .0.text)]
    Closed(Closed),
}

/// A channel. Shutting it down sends the other side an end of file; dropping it before both sides did resets it.
#[derive(Debug)]
pub struct Channel {}

impl Channel {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> u8 {
        unimplemented!()
    }

    /// Gives it up, and tells the other side why.
    pub fn reset(self, code: mux::Code, text: &str) {
        let _ = (code, text);
        unimplemented!()
    }
}

impl AsyncRead for Channel {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        unimplemented!()
    }
}

impl AsyncWrite for Channel {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        unimplemented!()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        unimplemented!()
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        unimplemented!()
    }
}

/// Server: a channel that the client wants to open. Dropped, it is refused.
#[derive(Debug)]
pub struct Incoming {
    /// What for.
    pub kind: mux::Kind,
    /// The client's name for it.
    pub label: String,
}

impl Incoming {
    /// Accepts it.
    #[must_use]
    pub fn accept(self) -> Channel {
        unimplemented!()
    }

    /// Refuses it.
    pub fn refuse(self, code: mux::Code, text: &str) {
        let _ = (code, text);
        unimplemented!()
    }
}
