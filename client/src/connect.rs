//! From a connection string to a session.

use crate::facts::facts;
use crate::{Error, RemoteServer};
use dbgsrv_protocol::options::client::Gdb;
use dbgsrv_protocol::options::{ClientOptions, Password, PasswordSource};
use dbgsrv_protocol::session::{ClientConfig, Versions};
use dbgsrv_session::{ConnectError, Dial};
use dbgsrv_transports::{Dialer, Stream, read_password};
use std::io;

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

/// The way to a process server, which can be taken again: with another password, say.
///
/// ```no_run
/// use dbgsrv_client::{ConnectSettings, Connector};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = Connector::new(&"tcp:clicon=BOX17,port=5005:5015,password-file=secret".parse()?)?;
/// if let Some(place) = connector.listen().await? {
///     println!("waiting at {place}");
/// }
/// let server = connector.connect(ConnectSettings::default()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Connector {
    dialer: Dialer,
    password: Option<PasswordSource>,
}

impl Connector {
    /// Checks a connection string and the certificates that it names, and opens nothing.
    ///
    /// # Errors
    /// [`Error::Unusable`], [`Error::NotAProcessServer`].
    pub fn new(options: &ClientOptions) -> Result<Self, Error> {
        if matches!(options, ClientOptions::Gdb(_)) {
            return Err(Error::NotAProcessServer);
        }
        Ok(Self { dialer: Dialer::new(options)?, password: options.password().cloned() })
    }

    /// Where the server's call is waited for, where it is the server that makes the connection (`clicon`): `tcp port 5005
    /// (0.0.0.0, ::)`. It listens there from now on, for as long as this or a session that came of it is there. Must be
    /// called inside a tokio runtime with I/O.
    ///
    /// # Errors
    /// [`Error::Listen`].
    pub async fn listen(&self) -> Result<Option<String>, Error> {
        Ok(self.dialer.listen().await?)
    }

    /// As [`connect_with`].
    ///
    /// # Errors
    /// As there.
    #[expect(clippy::missing_panics_doc, reason = "nobody else has had a new session's control channel")]
    pub async fn connect(&self, connect: ConnectSettings) -> Result<RemoteServer, Error> {
        let password = match connect.password {
            None => self.password.as_ref().map(read_password).transpose()?,
            given => given,
        };
        let dialer = self.dialer.clone();
        let server = dialer.to_string();
        let dialled = Box::pin(dialer.dial()).await;
        let (first, peer) = dialled.map_err(|error| Error::connecting(&server, ConnectError::Dial(error)))?;
        let local = peer.is_local();
        let config =
            ClientConfig { facts: facts(), versions: Versions::SPOKEN, password, local, channel_binding: None };
        let dial = Redial { dialer, first: Some(first), local };
        let link =
            Box::pin(dbgsrv_session::connect(dial, config)).await.map_err(|error| Error::connecting(&server, error))?;
        Ok(RemoteServer::new(link).expect("a new session's control channel is free"))
    }
}

/// Connects to a process server (`ConnectProcessServer`; the string is that of `-premote`). Must be called inside a tokio
/// runtime with I/O and time, on which a task keeps the session up from then on.
///
/// Records are sealed except where the connection is one over a pipe or the loopback interface, to a server without a
/// password.
/// After a cut the session comes back by itself, to the same name and port, for as long as the server keeps it.
/// With `clicon` the server makes the connection, and is waited for: ten minutes for the first. Calls of other machines than
/// the one named are closed.
///
/// # Errors
/// * [`Error::Unusable`], [`Error::NotAProcessServer`], [`Error::Password`]: the connection string; nothing was tried.
/// * [`Error::PasswordNeeded`], [`Error::WrongPassword`]: ask for it, and call [`connect_with`].
/// * [`Error::Connect`]: whatever else keeps the two sides apart.
pub async fn connect_process_server(options: &ClientOptions) -> Result<RemoteServer, Error> {
    connect_with(options, ConnectSettings::default()).await
}

/// As [`connect_process_server`], with what the connection string does not say.
///
/// # Errors
/// As there.
pub async fn connect_with(options: &ClientOptions, connect: ConnectSettings) -> Result<RemoteServer, Error> {
    Connector::new(options)?.connect(connect).await
}

/// Connects to a gdbserver, which is no process server: the stream is one RSP conversation, as
/// [`RemoteServer::open_debug_session`]'s is.
///
/// # Errors
/// [`Error::Connect`].
pub async fn connect_gdbserver(options: &Gdb) -> Result<Stream, Error> {
    let dialer = Dialer::from(options);
    match dialer.dial().await {
        Ok((stream, _)) => Ok(stream),
        Err(error) => Err(Error::connecting(&dialer.to_string(), ConnectError::Dial(error))),
    }
}

/// A session's connections: the first is made before the handshake's configuration, which depends on where it led.
struct Redial {
    dialer: Dialer,
    first: Option<Stream>,
    /// Whether the session counts on never leaving this machine.
    local: bool,
}

impl Dial for Redial {
    type Stream = Stream;

    async fn dial(&mut self) -> io::Result<Stream> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let (stream, peer) = self.dialer.dial().await?;
        if self.local && !peer.is_local() {
            return Err(io::Error::other("the server's name stood for this machine and no longer does"));
        }
        Ok(stream)
    }

    fn channel_binding(&self, stream: &Stream) -> Option<[u8; 32]> {
        stream.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(text: &str) -> Error {
        connect_process_server(&text.parse().unwrap()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_gdbserver_is_refused_as_a_process_server() {
        assert!(matches!(refusal("gdb:server=127.0.0.1,port=1").await, Error::NotAProcessServer));
    }

    #[tokio::test]
    async fn a_transport_that_is_not_built_is_named() {
        let error = refusal("ssl:proto=tls1,server=localhost,port=1,cafile=/no/such/file").await;
        assert!(matches!(error, Error::Unusable(_)), "{error}");
    }

    #[tokio::test]
    async fn a_password_that_cannot_be_had_is_told_before_anything_is_dialled() {
        let error = refusal("tcp:server=nobody.invalid,port=1,password-env=DBGSRV_NO_SUCH_VARIABLE").await;
        assert!(matches!(error, Error::Password(_)), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named_with_its_port() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = refusal(&format!("tcp:server=127.0.0.1,port={port}")).await.to_string();
        assert!(error.starts_with(&format!("127.0.0.1 port {port}: cannot connect: ")), "{error}");
        let Ok(ClientOptions::Gdb(gdb)) = format!("gdb:server=127.0.0.1,port={port}").parse() else { panic!("a gdb") };
        let error = connect_gdbserver(&gdb).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("127.0.0.1 port {port}: cannot connect: ")), "{error}");
    }
}
