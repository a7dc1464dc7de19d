//! A connection inside TLS.

use crate::certificate::Certificate;
use crate::explain::{Side, explain};
use rustls::CommonState;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The label of the channel binding `tls-exporter` (RFC 9266, section 4.2), which has no context.
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// A connection inside TLS. What it reads is what the peer sealed; an end that the peer did not seal is an error.
pub struct TlsStream<S> {
    inner: tokio_rustls::TlsStream<S>,
    side: Side,
    channel_binding: [u8; 32],
}

impl<S> TlsStream<S> {
    pub(crate) fn new(inner: tokio_rustls::TlsStream<S>, side: Side) -> io::Result<Self> {
        let exported = match &inner {
            tokio_rustls::TlsStream::Client(stream) => {
                stream.get_ref().1.export_keying_material([0; 32], BINDING_LABEL, None)
            }
            tokio_rustls::TlsStream::Server(stream) => {
                stream.get_ref().1.export_keying_material([0; 32], BINDING_LABEL, None)
            }
        };
        Ok(Self { inner, side, channel_binding: exported.map_err(io::Error::other)? })
    }

    /// What ties a handshake inside to this connection around it (`tls-exporter` of RFC 9266): both sides have the same,
    /// and nobody else has.
    #[must_use]
    pub fn channel_binding(&self) -> [u8; 32] {
        self.channel_binding
    }

    /// The certificate that the peer has shown.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<Certificate> {
        Certificate::read(self.state().peer_certificates()?.first()?)
    }

    /// What was agreed on: `TLS 1.3`.
    #[must_use]
    pub fn version(&self) -> &'static str {
        match self.state().protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS",
        }
    }

    fn state(&self) -> &CommonState {
        self.inner.get_ref().1
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let side = this.side;
        Pin::new(&mut this.inner).poll_read(cx, buffer).map_err(|error| explain(side, error))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("side", &self.side).field("version", &self.version()).finish_non_exhaustive()
    }
}
