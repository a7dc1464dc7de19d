//! The strings that a smart client takes: where the process server is, or where to wait for its call.

use core::fmt;
use core::str::FromStr;

use super::display::{Redacted, Style, write_string};
use super::form::{Form, Unread};
use super::value::PlainValue;
use super::{
    Address, Baud, CertificateSelector, Channel, Host, IpVersion, ListenOn, ListenPort, OptionsError, PasswordSource,
    PipeHost, PipeName, Port, SerialPort, TlsProtocol, Transport, Trust, ValueError,
};

/// The transports of a smart client.
const TRANSPORTS: &[Transport] =
    &[Transport::NamedPipe, Transport::Tcp, Transport::Serial, Transport::SecurePipe, Transport::Ssl, Transport::Gdb];

/// How a smart client reaches a process server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientOptions {
    /// Open a named pipe.
    NamedPipe(NamedPipe),
    /// Connect over TCP.
    Tcp(Tcp),
    /// Wait for the server's call over TCP.
    TcpReverse(TcpReverse),
    /// Use a channel of a serial line.
    Serial(Serial),
    /// Open a named pipe, with TLS.
    SecurePipe(SecurePipe),
    /// Connect over TCP, with TLS.
    Ssl(Ssl),
    /// Wait for the server's call over TCP, with TLS.
    SslReverse(SslReverse),
    /// Connect to a gdbserver over TCP.
    Gdb(Gdb),
}

impl ClientOptions {
    /// The transport.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self {
            Self::NamedPipe(_) => Transport::NamedPipe,
            Self::Tcp(_) | Self::TcpReverse(_) => Transport::Tcp,
            Self::Serial(_) => Transport::Serial,
            Self::SecurePipe(_) => Transport::SecurePipe,
            Self::Ssl(_) | Self::SslReverse(_) => Transport::Ssl,
            Self::Gdb(_) => Transport::Gdb,
        }
    }

    /// Where the password comes from, if one is given. A gdbserver has none.
    #[must_use]
    pub fn password(&self) -> Option<&PasswordSource> {
        match self {
            Self::NamedPipe(pipe) => pipe.password.as_ref(),
            Self::Tcp(tcp) => tcp.password.as_ref(),
            Self::TcpReverse(tcp) => tcp.password.as_ref(),
            Self::Serial(serial) => serial.password.as_ref(),
            Self::SecurePipe(pipe) => pipe.password.as_ref(),
            Self::Ssl(ssl) => ssl.password.as_ref(),
            Self::SslReverse(ssl) => ssl.password.as_ref(),
            Self::Gdb(_) => None,
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
            Self::Gdb(form) => form,
        }
    }
}

impl FromStr for ClientOptions {
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
            (Transport::Gdb, _) => unread.read().map(Self::Gdb),
        }
    }
}

/// The connection string, password included: what it parses to is equal to these options.
impl fmt::Display for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_string(f, self.transport(), self.form(), Style::Complete)
    }
}

form! {
    /// `npipe:server=...,pipe=...`
    pub struct NamedPipe {
        /// The server's machine.
        server: PipeHost = [Server],
        /// The pipe's name, its codes expanded.
        pipe: PipeName = [Pipe],
        /// The server's password.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
    }
}

form! {
    /// `tcp:server=...,port=...`
    pub struct Tcp {
        /// The server's machine.
        server: Host = [Server],
        /// The port that the server really uses.
        port: Port = [Port],
        /// The version of IP; either where absent.
        ip_version: Option<IpVersion> = [IpVersion],
        /// The server's password.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
    }
}

form! {
    /// `tcp:clicon=...,port=...`
    pub struct TcpReverse {
        /// The server's machine.
        server: Host = [Clicon],
        /// The port to wait at, or the ports of which the first free one is taken.
        port: ListenPort = [Port],
        /// The local address, or the version of IP; all addresses where absent.
        listen_on: Option<ListenOn> = [Bind, IpVersion],
        /// The server's password.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
    }
}

form! {
    /// `com:port=...,baud=...,channel=...`
    pub struct Serial {
        /// The port.
        port: SerialPort = [Port],
        /// The bit rate, which must be the server's.
        baud: Baud = [Baud],
        /// The channel on the line, which must be the server's.
        channel: Channel = [Channel],
        /// The server's password.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
    }
}

form! {
    /// `spipe:proto=...,server=...,pipe=...`
    pub struct SecurePipe {
        /// How the connection is secured.
        tls: Tls = [..],
        /// The server's machine.
        server: PipeHost = [Server],
        /// The pipe's name, its codes expanded.
        pipe: PipeName = [Pipe],
        /// The server's password.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
    }
}

form! {
    /// `ssl:proto=...,server=...,port=...`
    pub struct Ssl {
        /// How the connection is secured.
        tls: Tls = [..],
        /// The server's machine.
        server: Host = [Server],
        /// The port that the server really uses.
        port: Port = [Port],
        /// The server's password.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
    }
}

form! {
    /// `ssl:proto=...,clicon=...,port=...`
    pub struct SslReverse {
        /// How the connection is secured.
        tls: Tls = [..],
        /// The server's machine.
        server: Host = [Clicon],
        /// The port to wait at, or the ports of which the first free one is taken.
        port: ListenPort = [Port],
        /// The local address; all addresses where absent.
        bind: Option<Address> = [Bind],
        /// The server's password.
        password: Option<PasswordSource> = [Password, PasswordFile, PasswordEnv],
    }
}

form! {
    /// `gdb:server=...,port=...`: a gdbserver, which speaks RSP and none of what this project adds.
    pub struct Gdb {
        /// The machine of the gdbserver.
        server: Host = [Server],
        /// Its port.
        port: Port = [Port],
        /// How thread events are known; inferred where absent.
        thread_events: Option<ThreadEvents> = [ThreadEvents],
    }
}

form! {
    /// How a client secures a connection.
    ///
    /// `DbgSrv` wants the server's own `certuser` or `machuser` repeated here. A client need not have the server's
    /// certificate, so the parameter may be left out, and names a certificate of the client where it is given.
    pub struct Tls {
        /// The version, which must be the server's.
        protocol: TlsProtocol = [Proto],
        /// The certificate to show to a server that asks for one.
        certificate: Option<CertificateSelector> = [CertUser, MachUser],
        /// What to check the server's certificate against; the system's authorities where absent.
        trust: Option<Trust> = [CaFile, Thumbprint],
    }
}

/// How a client knows that a thread of a gdbserver's program started or exited: `threadEvents=`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ThreadEvents {
    /// `false`: by comparing the threads at each stop, so it may be late.
    Inferred,
    /// `true`: gdbserver is asked to stop and tell.
    Reported,
}

impl PlainValue for ThreadEvents {
    const ALLOWED: &'static str = "true or false";
}

impl FromStr for ThreadEvents {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "false" => Ok(Self::Inferred),
            "true" => Ok(Self::Reported),
            _ => Err(ValueError::new(text, "is neither", Self::ALLOWED)),
        }
    }
}

impl fmt::Display for ThreadEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inferred => "false",
            Self::Reported => "true",
        })
    }
}
