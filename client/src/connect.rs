//! From a connection string to a session.

use crate::{Error, RemoteServer};
use dbgsrv_protocol::options::client::Gdb;
use dbgsrv_protocol::options::{ClientOptions, Password};
use dbgsrv_transports::Stream;

/// What a connection string does not say.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectSettings {
    /// The server's password, instead of the one that the connection string names: asked at a terminal, say.
    pub password: Option<Password>,
}

impl ConnectSettings {
    /// With this password.
    #[must_use]
    pub fn password(mut self, password: Password) -> Self {
        self.password = Some(password);
        self
    }
}

/// Connects to a process server (`ConnectProcessServer`).
///
/// # Errors
/// [`Error`].
pub async fn connect_process_server(options: &ClientOptions) -> Result<RemoteServer, Error> {
    connect_with(options, ConnectSettings::default()).await
}

/// As [`connect_process_server`], with what the connection string does not say.
///
/// # Errors
/// As there.
pub async fn connect_with(options: &ClientOptions, connect: ConnectSettings) -> Result<RemoteServer, Error> {
    let _ = (options, connect);
    unimplemented!()
}

/// Connects to a gdbserver, which is no process server: the stream is one RSP conversation.
///
/// # Errors
/// [`Error::Dial`].
pub async fn connect_gdbserver(options: &Gdb) -> Result<Stream, Error> {
    let _ = options;
    unimplemented!()
}
