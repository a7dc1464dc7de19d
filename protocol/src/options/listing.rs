//! Process servers as lists of servers show them: what a client needs in order to connect, and no secret.

use core::fmt;
use core::str::FromStr;

use super::display::{Style, write_string};
use super::form::{Form, Unread};
use super::server::TRANSPORTS;
use super::value::PlainValue;
use super::{
    Baud, Channel, ClientOptions, Host, IpVersion, OptionsError, PipeHost, PipeName, PortRange, SerialPort,
    TlsProtocol, Transport, ValueError, client,
};

/// A process server in a list. It is printed, and read, as a connection string that lacks the machine, the names of its
/// parameters capitalised as `DbgSrv` does it: `npipe:Pipe=app`, `tcp:Port=53:60,Password=*`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListedServer {
    /// On a named pipe.
    NamedPipe(NamedPipe),
    /// On a TCP port.
    Tcp(Tcp),
    /// On a channel of a serial line.
    Serial(Serial),
    /// On a named pipe, with TLS.
    SecurePipe(SecurePipe),
    /// On a TCP port, with TLS.
    Ssl(Ssl),
}

impl ListedServer {
    /// The transport.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self {
            Self::NamedPipe(_) => Transport::NamedPipe,
            Self::Tcp(_) => Transport::Tcp,
            Self::Serial(_) => Transport::Serial,
            Self::SecurePipe(_) => Transport::SecurePipe,
            Self::Ssl(_) => Transport::Ssl,
        }
    }

    /// Whether it asks clients for a password.
    #[must_use]
    pub fn wants_password(&self) -> bool {
        let password = match self {
            Self::NamedPipe(pipe) => pipe.password,
            Self::Tcp(tcp) => tcp.password,
            Self::Serial(serial) => serial.password,
            Self::SecurePipe(pipe) => pipe.password,
            Self::Ssl(ssl) => ssl.password,
        };
        password.is_some()
    }

    /// How a client reaches it that is on the same machine, or that knows the machine as `host`; without the password.
    #[must_use]
    pub fn client_options(&self, host: &Host) -> ClientOptions {
        let pipe_host = || PipeHost { user: None, host: host.clone() };
        let tls = |protocol| client::Tls { protocol, certificate: None, trust: None };
        let (server, password) = (host.clone(), None);
        match self {
            Self::NamedPipe(NamedPipe { pipe, .. }) => {
                ClientOptions::NamedPipe(client::NamedPipe { server: pipe_host(), pipe: pipe.clone(), password })
            }
            Self::Tcp(Tcp { port, ip_version, .. }) => {
                ClientOptions::Tcp(client::Tcp { server, port: port.low(), ip_version: *ip_version, password })
            }
            Self::Serial(Serial { port, baud, channel, .. }) => {
                let (port, baud, channel) = (port.clone(), *baud, *channel);
                ClientOptions::Serial(client::Serial { port, baud, channel, password })
            }
            Self::SecurePipe(SecurePipe { protocol, pipe, .. }) => {
                let (server, pipe) = (pipe_host(), pipe.clone());
                ClientOptions::SecurePipe(client::SecurePipe { tls: tls(*protocol), server, pipe, password })
            }
            Self::Ssl(Ssl { protocol, port, .. }) => {
                ClientOptions::Ssl(client::Ssl { tls: tls(*protocol), server, port: port.low(), password })
            }
        }
    }

    fn form(&self) -> &dyn Form {
        match self {
            Self::NamedPipe(form) => form,
            Self::Tcp(form) => form,
            Self::Serial(form) => form,
            Self::SecurePipe(form) => form,
            Self::Ssl(form) => form,
        }
    }
}

impl FromStr for ListedServer {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let unread = Unread::parse(text, TRANSPORTS)?;
        match unread.name.transport {
            Transport::NamedPipe => unread.read().map(Self::NamedPipe),
            Transport::Tcp => unread.read().map(Self::Tcp),
            Transport::Serial => unread.read().map(Self::Serial),
            Transport::SecurePipe => unread.read().map(Self::SecurePipe),
            Transport::Ssl => unread.read().map(Self::Ssl),
            Transport::Gdb => unreachable!("not one of the transports that were asked for"),
        }
    }
}

impl fmt::Display for ListedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_string(f, self.transport(), self.form(), Style::Listed)
    }
}

form! {
    /// `npipe:Pipe=...`
    pub struct NamedPipe {
        /// The pipe's name.
        pipe: PipeName = [Pipe],
        /// There where a password is asked for.
        password: Option<Masked> = [Password],
    }
}

form! {
    /// `tcp:Port=...`
    pub struct Tcp {
        /// The port that is used, and the last one of those that were allowed.
        port: PortRange = [Port],
        /// The version of IP, where only one is served.
        ip_version: Option<IpVersion> = [IpVersion],
        /// There where a password is asked for.
        password: Option<Masked> = [Password],
    }
}

form! {
    /// `com:Port=...,Baud=...,Channel=...`
    pub struct Serial {
        /// The port.
        port: SerialPort = [Port],
        /// The bit rate.
        baud: Baud = [Baud],
        /// The channel on the line.
        channel: Channel = [Channel],
        /// There where a password is asked for.
        password: Option<Masked> = [Password],
    }
}

form! {
    /// `spipe:Proto=...,Pipe=...`
    pub struct SecurePipe {
        /// The TLS version.
        protocol: TlsProtocol = [Proto],
        /// The pipe's name.
        pipe: PipeName = [Pipe],
        /// There where a password is asked for.
        password: Option<Masked> = [Password],
    }
}

form! {
    /// `ssl:Proto=...,Port=...`
    pub struct Ssl {
        /// The TLS version.
        protocol: TlsProtocol = [Proto],
        /// The port that is used, and the last one of those that were allowed.
        port: PortRange = [Port],
        /// There where a password is asked for.
        password: Option<Masked> = [Password],
    }
}

/// A password that is not told: `*`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Masked;

impl PlainValue for Masked {
    const ALLOWED: &'static str = "* for a password that is not told";
}

impl FromStr for Masked {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "*" { Ok(Self) } else { Err(ValueError::secret(text, "is not masked", Self::ALLOWED)) }
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("*")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn listed(text: &str) -> ListedServer {
        text.parse().unwrap()
    }

    #[test]
    fn names_of_parameters_have_an_initial_capital_and_a_password_is_a_star() {
        for text in [
            "npipe:Pipe=MainPipe",
            "npipe:Pipe=AnotherPipe,Password=*",
            "tcp:Port=5005",
            "tcp:Port=53:60,Password=*",
            "tcp:Port=5005,Ipversion=6",
            "com:Port=COM2,Baud=57600,Channel=3",
            "spipe:Proto=tls1,Pipe=a",
            "ssl:Proto=tls1.3,Port=53:60,Password=*",
        ] {
            assert_eq!(listed(text).to_string(), text);
            let (transport, parameters) = text.split_once(':').unwrap();
            let lower = parameters.split(',').map(|parameter| {
                let (name, value) = parameter.split_once('=').unwrap();
                std::format!("{}={value}", name.to_lowercase())
            });
            let lower = std::format!("{transport}:{}", lower.collect::<std::vec::Vec<_>>().join(","));
            assert_eq!(listed(&lower).to_string(), text, "names are read in any case");
            assert_eq!(listed(text).wants_password(), text.contains('*'), "{text}");
        }
    }

    #[test]
    fn what_a_list_does_not_show_is_refused_in_one() {
        for (text, problem) in [
            ("tcp:Port=1,hidden", "`hidden`"),
            ("tcp:Port=1,Server=a", "`server`"),
            ("tcp:Port=1,clicon=a", "`clicon`"),
            ("tcp:Port=0", "`0` is not a port"),
            ("tcp:Port=60:53", "`60:53` is a range that ends before it starts"),
            ("npipe:Pipe=a b", "has a space"),
            ("gdb:Port=1", "`gdb`"),
            ("tcp:Port=1,Password=Secret1", "`***` is not masked"),
        ] {
            let error = text.parse::<ListedServer>().unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("Secret1"), "{text}: {error}");
        }
    }

    #[test]
    fn a_client_connects_to_the_port_that_is_used() {
        let host = "BOX17".parse().unwrap();
        for (text, client) in [
            ("npipe:Pipe=AnotherPipe,Password=*", "npipe:server=BOX17,pipe=AnotherPipe"),
            ("tcp:Port=53:60,Ipversion=4,Password=*", "tcp:server=BOX17,port=53,ipversion=4"),
            ("com:Port=COM2,Baud=57600,Channel=3", "com:port=COM2,baud=57600,channel=3"),
            ("spipe:Proto=tls1,Pipe=a", "spipe:proto=tls1,server=BOX17,pipe=a"),
            ("ssl:Proto=tls1,Port=53", "ssl:proto=tls1,server=BOX17,port=53"),
        ] {
            assert_eq!(listed(text).client_options(&host).to_string(), client);
        }
    }
}
