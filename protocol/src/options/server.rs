//! The strings that a process server takes: what it listens on, or whom it calls.

use core::fmt;
use core::str::FromStr;

use super::display::{Redacted, Style, write_string};
use super::form::{Form, Unread};
use super::{
    Address, Baud, CertificateSelector, Channel, FileMode, FilePath, GroupName, Host, IpVersion, Linger, ListenOn,
    ListenPort, OptionsError, PasswordSource, PipeTemplate, Port, SerialPort, StandardStreams, TlsProtocol, Transport,
};

/// The transports of a process server.
pub(super) const TRANSPORTS: &[Transport] =
    &[Transport::NamedPipe, Transport::Tcp, Transport::Serial, Transport::SecurePipe, Transport::Ssl];

/// What a process server was told by `-t`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerOptions {
    /// Listen on a named pipe.
    NamedPipe(NamedPipe),
    /// Listen on a TCP port.
    Tcp(Tcp),
    /// Call a client over TCP.
    TcpReverse(TcpReverse),
    /// Serve a channel of a serial line.
    Serial(Serial),
    /// Listen on a named pipe, with TLS.
    SecurePipe(SecurePipe),
    /// Listen on a TCP port, with TLS.
    Ssl(Ssl),
    /// Call a client over TCP, with TLS.
    SslReverse(SslReverse),
}

impl ServerOptions {
    /// The transport.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self {
            Self::NamedPipe(_) => Transport::NamedPipe,
            Self::Tcp(_) | Self::TcpReverse(_) => Transport::Tcp,
            Self::Serial(_) => Transport::Serial,
            Self::SecurePipe(_) => Transport::SecurePipe,
            Self::Ssl(_) | Self::SslReverse(_) => Transport::Ssl,
        }
    }

    /// What holds for the sessions, whatever carries them.
    #[must_use]
    pub fn session(&self) -> &Session {
        match self {
            Self::NamedPipe(pipe) => &pipe.session,
            Self::Tcp(tcp) => &tcp.session,
            Self::TcpReverse(tcp) => &tcp.session,
            Self::Serial(serial) => &serial.session,
            Self::SecurePipe(pipe) => &pipe.session,
            Self::Ssl(ssl) => &ssl.session,
            Self::SslReverse(ssl) => &ssl.session,
        }
    }

    /// Whether a client that is called is called again after the connection broke.
    #[must_use]
    pub fn reconnect(&self) -> bool {
        match self {
            Self::TcpReverse(tcp) => tcp.reconnect,
            Self::SslReverse(ssl) => ssl.reconnect,
            Self::NamedPipe(_) | Self::Tcp(_) | Self::Serial(_) | Self::SecurePipe(_) | Self::Ssl(_) => false,
        }
    }

    /// The options as they may be logged. [`Display`](fmt::Display) prints the password.
    #[must_use]
    pub fn redacted(&self) -> Redacted<'_> {
        Redacted { transport: self.transport(), form: self.form() }
    }

    fn form(&self) -> &dyn Form {
        match self {
            Self::NamedPipe(form) => form,
            Self::Tcp(form) => form,
            Self::TcpReverse(form) => form,
            Self::Serial(form) => form,
            Self::SecurePipe(form) => form,
            Self::Ssl(form) => form,
            Self::SslReverse(form) => form,
        }
    }
}

impl FromStr for ServerOptions {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let unread = Unread::parse(text, TRANSPORTS)?;
        match (unread.name.transport, unread.name.reverse) {
            (Transport::Tcp, false) => unread.read().map(Self::Tcp),
            (Transport::Tcp, true) => unread.read().map(Self::TcpReverse),
            (Transport::Ssl, false) => unread.read().map(Self::Ssl),
            (Transport::Ssl, true) => unread.read().map(Self::SslReverse),
            (Transport::NamedPipe, _) => unread.read().map(Self::NamedPipe),
            (Transport::SecurePipe, _) => unread.read().map(Self::SecurePipe),
            (Transport::Serial, _) => unread.read().map(Self::Serial),
            (Transport::Gdb, _) => unreachable!("not one of the transports that were asked for"),
        }
    }
}

/// The connection string, password included: what it parses to is equal to these options.
impl fmt::Display for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_string(f, self.transport(), self.form(), Style::Complete)
    }
}

form! {
    /// `npipe:pipe=...`
    pub struct NamedPipe {
        /// What the pipe's name is made from.
        pipe: PipeTemplate = [Pipe],
        /// Whether discovery leaves it out.
        hidden: bool = [Hidden],
        /// Who may open the pipe, besides the server's own user.
        access: PipeAccess = [..],
        /// Whether to open the firewall for remote pipes.
        icf_enable: bool = [IcfEnable],
        /// What holds for the sessions.
        session: Session = [..],
    }
}

form! {
    /// `tcp:port=...`
    pub struct Tcp {
        /// The port, or the ports of which the first free one is taken.
        port: ListenPort = [Port],
        /// The local address, or the version of IP; all addresses where absent.
        listen_on: Option<ListenOn> = [Bind, IpVersion],
        /// Whether discovery leaves it out.
        hidden: bool = [Hidden],
        /// Whether other machines are served though there is no password.
        open: bool = [Open],
        /// Whether to open the port in the firewall.
        icf_enable: bool = [IcfEnable],
        /// What holds for the sessions.
        session: Session = [..],
    }
}

form! {
    /// `tcp:port=...,clicon=...`
    pub struct TcpReverse {
        /// The port that the client listens on.
        port: Port = [Port],
        /// The client's machine.
        client: Host = [Clicon],
        /// The version of IP; either where absent.
        ip_version: Option<IpVersion> = [IpVersion],
        /// Whether to call again after the connection broke, rather than to end.
        reconnect: bool = [Reconnect],
        /// What holds for the sessions.
        session: Session = [..],
    }
}

form! {
    /// `com:port=...,baud=...,channel=...`
    pub struct Serial {
        /// The port.
        port: SerialPort = [Port],
        /// The bit rate.
        baud: Baud = [Baud],
        /// The channel on the line.
        channel: Channel = [Channel],
        /// Whether discovery leaves it out.
        hidden: bool = [Hidden],
        /// What holds for the sessions.
        session: Session = [..],
    }
}

form! {
    /// `spipe:proto=...,certuser=...,pipe=...`
    pub struct SecurePipe {
        /// How the connection is secured.
        tls: Tls = [..],
        /// What the pipe's name is made from.
        pipe: PipeTemplate = [Pipe],
        /// Whether discovery leaves it out.
        hidden: bool = [Hidden],
        /// Who may open the pipe, besides the server's own user.
        access: PipeAccess = [..],
        /// What holds for the sessions.
        session: Session = [..],
    }
}

form! {
    /// `ssl:proto=...,certuser=...,port=...`
    pub struct Ssl {
        /// How the connection is secured.
        tls: Tls = [..],
        /// The port, or the ports of which the first free one is taken.
        port: ListenPort = [Port],
        /// The local address; all addresses where absent.
        bind: Option<Address> = [Bind],
        /// Whether discovery leaves it out.
        hidden: bool = [Hidden],
        /// Whether other machines are served though neither a password nor a client certificate is asked for.
        open: bool = [Open],
        /// What holds for the sessions.
        session: Session = [..],
    }
}

form! {
    /// `ssl:proto=...,certuser=...,port=...,clicon=...`
    pub struct SslReverse {
        /// How the connection is secured.
        tls: Tls = [..],
        /// The port that the client listens on.
        port: Port = [Port],
        /// The client's machine.
        client: Host = [Clicon],
        /// Whether to call again after the connection broke, rather than to end.
        reconnect: bool = [Reconnect],
        /// What holds for the sessions.
        session: Session = [..],
    }
}

form! {
    /// How a server secures a connection. It is the server in TLS, too, when it calls the client.
    pub struct Tls {
        /// The version.
        protocol: TlsProtocol = [Proto],
        /// The server's certificate.
        certificate: CertificateSelector = [CertUser, MachUser],
        /// The authorities, in a PEM file, of which a client must have a certificate; clients need none where absent.
        client_ca: Option<FilePath> = [ClientCa],
    }
}

form! {
    /// Who may open a pipe, where it is not the server's own user alone.
    pub struct PipeAccess {
        /// The access bits of the pipe's socket.
        mode: Option<FileMode> = [Mode],
        /// The group that owns it.
        group: Option<GroupName> = [Group],
    }
}

impl PipeAccess {
    /// The access bits: those that are given, or else what is safe. The server's user may open its pipe, and so may a group
    /// that is named.
    #[must_use]
    pub fn effective_mode(&self) -> FileMode {
        match (self.mode, &self.group) {
            (Some(mode), _) => mode,
            (None, None) => FileMode::OWNER,
            (None, Some(_)) => FileMode::OWNER_AND_GROUP,
        }
    }

    /// Whether anybody but the server's user and root may open the pipe, which takes the right to write.
    #[must_use]
    pub fn admits_others(&self) -> bool {
        self.effective_mode().bits() & 0o022 != 0
    }
}

form! {
    /// What holds for the sessions, whatever carries them.
    pub struct Session {
        /// The password that clients must prove, if any.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
        /// For how long a session outlives its connection; the default where absent.
        linger: Option<Linger> = [Linger],
        /// Whether clients may run shell commands.
        shell: bool = [Shell],
        /// Where programs that sessions start write to; it depends on the client where absent.
        streams: Option<StandardStreams> = [Stdio],
    }
}
