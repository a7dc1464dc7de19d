//! `premote relay`, which is `DbEngPrx`: passes bytes on between clients and a server that they can't reach themselves.

use crate::bridge::bridge;
use crate::cli::usage;
use crate::exit::ExitError;
use crate::output::print;
use crate::standard_stream;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use dbgsrv_client::ClientOptions;
use dbgsrv_protocol::options::{SerialPort, ServerOptions, server};
use dbgsrv_transports::{BindError, Dialer, Endpoint, Listener, Peer, REMOTE_PIPE_GREETING, Stream};
use std::fmt::Display;
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::io::split;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, warn};

pub(crate) const NAME: &str = "relay";

/// Most connections at a time; further ones wait. Each takes two descriptors here.
const MAX_CONNECTIONS: usize = 256;
/// How long nothing is accepted after an error: descriptors may have run out, and some come free.
const PAUSE: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  premote relay -c tcp:server=box17,port=5005 -s tcp:port=5006          then: premote tcp:server=HERE,port=5006 ps
  premote relay -p -c npipe:server=localhost,pipe=app -s tcp:port=5006,open
  premote relay -p -c com:port=COM2,baud=115200,channel=3 -s npipe:pipe=app
  premote relay -c tcp:clicon=box17,port=5005 -s tcp:clicon=desk,port=5006      server and client on closed networks

It ends when all connections through it have ended, unless -p is given. It never sees inside of a session, and is in no list of
servers. The password is the client's to give. Where an end has ssl, give tcp here, and npipe for spipe.";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Pass bytes on between clients and a server; it needs no CONNECTION")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("client")
                .short('c')
                .long("client")
                .value_name("CONNECTION")
                .help("The server, such as tcp:server=box17,port=5005")
                .required(true),
        )
        .arg(
            Arg::new("server")
                .short('s')
                .long("server")
                .value_name("TRANSPORT")
                .help("Where clients come to, such as tcp:port=5006"),
        )
        .arg(
            Arg::new("stdio")
                .long("stdio")
                .help("Standard input and output for one client; a line says when they lead to the server")
                .action(ArgAction::SetTrue),
        )
        .group(ArgGroup::new("clients").args(["server", "stdio"]).required(true))
        .arg(
            Arg::new("persistent")
                .short('p')
                .long("persistent")
                .help("Go on when all connections have ended")
                .action(ArgAction::SetTrue)
                .conflicts_with("stdio"),
        )
}

/// Between whom.
#[derive(Debug)]
pub(crate) struct Relay {
    dialer: Dialer,
    clients: Clients,
    persistent: bool,
}

/// Where clients come from.
#[derive(Debug)]
enum Clients {
    /// `open`: whether those of other machines may come to a server of this one.
    Endpoint {
        endpoint: Box<Endpoint>,
        open: bool,
    },
    Stdio,
}

impl Relay {
    pub(super) fn parse(matches: &ArgMatches) -> Result<Self, ExitError> {
        let text = |id: &str| matches.get_one::<String>(id);
        let server: ClientOptions = parse_side("-c", text("client"))?;
        let offered: Option<ServerOptions> = text("server").map(|given| parse_side("-s", Some(given))).transpose()?;
        check(&server, offered.as_ref()).map_err(|problem| usage(format_args!("relay: {problem}")))?;
        let dialer = Dialer::new(&server).map_err(|error| usage(format_args!("relay: -c: {error}")))?;
        let clients = match offered {
            None => Clients::Stdio,
            Some(options) => {
                // Whom it calls itself, its user has named, and has wired up who is at the other end of a line.
                let open = matches!(
                    &options,
                    ServerOptions::Tcp(server::Tcp { open: true, .. })
                        | ServerOptions::TcpReverse(_)
                        | ServerOptions::Serial(_)
                );
                let endpoint = Endpoint::new(&options).map_err(|error| usage(format_args!("relay: -s: {error}")))?;
                Clients::Endpoint { endpoint: Box::new(endpoint), open }
            }
        };
        Ok(Self { dialer, clients, persistent: matches.get_flag("persistent") })
    }

    /// Relays until SIGINT or SIGTERM, or until all connections have ended.
    ///
    /// # Errors
    /// [`ExitError`] where nothing can be listened on, or the last connection did not reach the server.
    pub(super) async fn run(self) -> Result<(), ExitError> {
        match self.clients {
            Clients::Stdio => stdio(&self.dialer).await,
            Clients::Endpoint { endpoint, open } => {
                let mut interrupt = signal(SignalKind::interrupt()).map_err(ExitError::System)?;
                let mut terminate = signal(SignalKind::terminate()).map_err(ExitError::System)?;
                tokio::select! {
                    ended = relay(&self.dialer, &endpoint, open, self.persistent) => ended,
                    _ = interrupt.recv() => Ok(()),
                    _ = terminate.recv() => Ok(()),
                }
            }
        }
    }
}

/// Reads one side's connection string. Not by one of clap's value parsers: its messages repeat the whole string, a password
/// included.
fn parse_side<T: std::str::FromStr<Err: Display>>(option: &str, text: Option<&String>) -> Result<T, ExitError> {
    let text = text.map_or("", String::as_str);
    text.parse().map_err(|error| usage(format_args!("relay: {option}: {error}")))
}

/// Two connection strings between which nothing can be relayed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
enum Unfit {
    #[error(
        "{0}: a relay has no part in TLS; allowed: tcp where the ends have ssl, npipe where they have spipe, and com"
    )]
    Tls(&'static str),
    #[error("-c: a gdbserver is reached as any other port; allowed: tcp, npipe, com")]
    Gdb,
    #[error("{0}: a relay has no use for a password, and asks nobody for one; give it to the client")]
    Password(&'static str),
    #[error("-c and -s name the same serial port; allowed: two ports")]
    SamePort,
}

fn check(server: &ClientOptions, offered: Option<&ServerOptions>) -> Result<(), Unfit> {
    match server {
        ClientOptions::Ssl(_) | ClientOptions::SslReverse(_) | ClientOptions::SecurePipe(_) => {
            return Err(Unfit::Tls("-c"));
        }
        ClientOptions::Gdb(_) => return Err(Unfit::Gdb),
        _ => {}
    }
    if server.password().is_some() {
        return Err(Unfit::Password("-c"));
    }
    match (server, offered) {
        (_, Some(ServerOptions::Ssl(_) | ServerOptions::SslReverse(_) | ServerOptions::SecurePipe(_))) => {
            Err(Unfit::Tls("-s"))
        }
        (_, Some(options)) if options.session().password.is_some() => Err(Unfit::Password("-s")),
        (ClientOptions::Serial(near), Some(ServerOptions::Serial(far))) if is_same(&near.port, &far.port) => {
            Err(Unfit::SamePort)
        }
        _ => Ok(()),
    }
}

/// Whether two names are of one serial port. A link to it is looked behind.
fn is_same(one: &SerialPort, other: &SerialPort) -> bool {
    let real = |port: &SerialPort| match port {
        SerialPort::Device(path) => std::fs::canonicalize(path.as_str()).ok(),
        SerialPort::Numbered(number) => std::fs::canonicalize(format!("/dev/ttyS{}", number.get() - 1)).ok(),
    };
    one == other || real(one).is_some_and(|path| real(other) == Some(path))
}

/// Why a client got no connection.
#[derive(Debug, Error)]
enum RelayError {
    #[error("{server}: cannot connect: {reason}")]
    Dial { server: String, reason: io::Error },
    #[error(
        "a client of another machine ({client}) is refused: the server would take it for one of this machine's; \
         allowed: `open` in -s"
    )]
    Exposed { client: Peer },
}

/// A client, and the server where that is connected first.
type Arrival = ((Stream, Peer), Option<(Stream, Peer)>);

/// Accepts clients, or calls one, and connects each with the server.
async fn relay(dialer: &Dialer, endpoint: &Endpoint, open: bool, persistent: bool) -> Result<(), ExitError> {
    let failure = |error: BindError| ExitError::Failure(error.to_string());
    let mut listener = endpoint.bind().map_err(failure)?;
    let waiting = dialer.listen().await.map_err(failure)?;
    let opened = endpoint.open_firewall(&listener).map_err(failure)?;
    let offers = if listener.is_reverse() { "calling" } else { "listening on" };
    let server = waiting.as_ref().map_or_else(|| format!("at {dialer}"), |place| format!("that calls {place}"));
    print(&format!("premote relay: {offers} {listener}, for the server {server}\n"))?;
    if let Some(opened) = opened {
        print(&format!("premote relay: {opened}\n"))?;
    }
    // One client is called at a time.
    let most = if listener.is_reverse() { 1 } else { MAX_CONNECTIONS };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            arrived = arrival(&mut listener, dialer, waiting.is_some()), if connections.len() < most => match arrived {
                Ok((client, server)) => {
                    let dialer = dialer.clone();
                    connections.spawn(async move { carry(client, server, &dialer, open).await });
                }
                Err(error) => {
                    warn!(%error, "a connection can't be accepted");
                    sleep(PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => {
                let ended = ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
                let refused = matches!(ended, Err(RelayError::Exposed { .. }));
                if !persistent && !refused && connections.is_empty() {
                    return ended.map_err(|error| ExitError::Unreachable(error.to_string()));
                }
                if let Err(error) = ended {
                    eprintln!("premote relay: {error}");
                }
            }
        }
    }
}

/// Waits for the next client. One that is called is called when the server has called, where that does: a client that is
/// connected to nothing would give up.
async fn arrival(listener: &mut Listener, dialer: &Dialer, waits: bool) -> io::Result<Arrival> {
    let server = if listener.is_reverse() && waits { Some(dialer.dial().await?) } else { None };
    Ok((listener.accept().await?, server))
}

/// Passes bytes on between a client and the server until the server has ended, or one of them breaks off. A client that sends
/// no more ends its half: the server hears of it and ends in its own way.
async fn carry(
    (mut client, peer): (Stream, Peer),
    server: Option<(Stream, Peer)>,
    dialer: &Dialer,
    open: bool,
) -> Result<(), RelayError> {
    let dialled = match (client.ready().await, server) {
        (Ok(()), Some(server)) => Ok(server),
        (Ok(()), None) => dialer.dial().await,
        (Err(error), _) => Err(io::Error::other(error)),
    };
    let (server, at) = dialled.map_err(|reason| RelayError::Dial { server: dialer.to_string(), reason })?;
    // To the server at the other end of a line, all that comes is this machine.
    let is_trusted = at.is_local() || matches!(at, Peer::Line(_));
    if is_trusted && !peer.is_local() && !open {
        return Err(RelayError::Exposed { client: peer });
    }
    debug!(client = %peer, server = %at, "connected");
    let (from_client, to_client) = split(client);
    match bridge(from_client, to_client, server).await {
        Ok(()) => debug!(client = %peer, "ended"),
        // The client hears of it as the end of its connection.
        Err(error) => debug!(client = %peer, %error, "broke off"),
    }
    Ok(())
}

/// One client, at standard input and output.
async fn stdio(dialer: &Dialer) -> Result<(), ExitError> {
    let input = standard_stream::input().map_err(ExitError::System)?;
    let output = standard_stream::output().map_err(ExitError::System)?;
    let unreachable = |error| ExitError::Unreachable(format!("{dialer}: cannot connect: {error}"));
    let (server, _) = dialer.dial().await.map_err(unreachable)?;
    print(REMOTE_PIPE_GREETING)?;
    bridge(input, output, server).await.map_err(|error| ExitError::Failure(format!("{dialer}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfit(server: &str, offered: &str) -> Option<Unfit> {
        check(&server.parse().unwrap(), Some(&offered.parse().unwrap())).err()
    }

    #[test]
    fn tls_passwords_and_gdbservers_are_refused_at_either_end() {
        let (server, offered) = ("tcp:server=a,port=1", "tcp:port=2");
        assert_eq!(unfit(server, offered), None);
        for (server, offered, reason) in [
            ("ssl:proto=tls1,server=a,port=1", offered, Unfit::Tls("-c")),
            ("ssl:proto=tls1,clicon=a,port=1", offered, Unfit::Tls("-c")),
            ("spipe:proto=tls1,server=a,pipe=b", offered, Unfit::Tls("-c")),
            ("gdb:server=a,port=1", offered, Unfit::Gdb),
            ("tcp:server=a,port=1,password=Secret1", offered, Unfit::Password("-c")),
            (server, "ssl:proto=tls1,certuser=a,port=1", Unfit::Tls("-s")),
            (server, "ssl:proto=tls1,certuser=a,port=1,clicon=a", Unfit::Tls("-s")),
            (server, "spipe:proto=tls1,certuser=a,pipe=b", Unfit::Tls("-s")),
            (server, "tcp:port=2,password=Secret1", Unfit::Password("-s")),
            (server, "npipe:pipe=a,password-env=SECRET", Unfit::Password("-s")),
        ] {
            assert_eq!(unfit(server, offered), Some(reason), "{server} {offered}");
        }
    }

    #[test]
    fn both_ends_cannot_have_the_same_serial_port_under_whichever_name() {
        let relay = |near: &str, far: &str| {
            unfit(&format!("com:port={near},baud=9600,channel=1"), &format!("com:port={far},baud=9600,channel=2"))
        };
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for (near, far) in [("COM2", "2"), ("/dev/ttyS7", "/dev/ttyS7"), ("/dev/null", link.to_str().unwrap())] {
            assert_eq!(relay(near, far), Some(Unfit::SamePort), "{near} {far}");
        }
        assert_eq!(relay("COM1", "COM2"), None);
        assert_eq!(relay("/dev/null", "/dev/zero"), None);
    }
}
