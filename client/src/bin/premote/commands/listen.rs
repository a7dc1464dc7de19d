//! `premote listen`: a local port, each connection to which is a debug session.

use super::debugger::label;
use crate::bridge;
use crate::cli::usage;
use crate::exit::ExitError;
use crate::output::print;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use dbgsrv_client::{Error, RemoteServer};
use nix::sys::stat::{Mode, umask};
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, lookup_host};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::warn;

pub(super) const NAME: &str = "listen";

/// How long nothing is accepted after an error: descriptors may have run out, and some come free.
const PAUSE: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 listen                       on a free port of this machine
  premote tcp:server=box17,port=5005 listen localhost:5006
  premote tcp:server=box17,port=5005 listen unix:/tmp/box17

The address is printed as one line, as gdb's `target extended-remote` takes it:
  gdb -ex 'target extended-remote localhost:5006'";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Listen for debuggers and IDEs; each connection is a debug session of its own")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("address")
                .value_name("ADDRESS")
                .help("HOST:PORT, or unix:PATH for a socket that only this user can reach")
                .default_value("localhost:0")
                .value_parser(value_parser!(OsString)),
        )
        .arg(
            Arg::new("open")
                .long("open")
                .help("Allow an ADDRESS that other machines can reach: whoever does has your connection")
                .action(ArgAction::SetTrue),
        )
}

/// Where to listen.
#[derive(Debug, Eq, PartialEq)]
enum Address {
    Tcp(String),
    Unix(PathBuf),
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(text) => f.write_str(text),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Address {
    fn parse(text: &OsStr) -> Option<Self> {
        if let Some(path) = text.as_bytes().strip_prefix(b"unix:") {
            return (!path.is_empty()).then(|| Self::Unix(OsStr::from_bytes(path).into()));
        }
        let text = text.to_str()?;
        let (host, port) = text.rsplit_once(':')?;
        (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| Self::Tcp(text.to_owned()))
    }
}

/// Where to listen, and for whom.
#[derive(Debug)]
pub(crate) struct Listen {
    address: Address,
    open: bool,
}

impl Listen {
    pub(super) fn parse(matches: &ArgMatches) -> Result<Self, ExitError> {
        let text = matches.get_one::<OsString>("address").map_or_else(|| OsStr::new(""), OsString::as_os_str);
        let Some(address) = Address::parse(text) else {
            let text = text.display();
            return Err(usage(format_args!("listen: `{text}` is no address; allowed: HOST:PORT or unix:PATH")));
        };
        Ok(Self { address, open: matches.get_flag("open") })
    }

    /// Listens until SIGINT or SIGTERM.
    ///
    /// # Errors
    /// [`Error::Closed`] where the server ends first.
    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ExitError::System)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(ExitError::System)?;
        let listener = self.bind().await?;
        print(&format!("{}\n", listener.address()?))?;
        tokio::select! {
            never = accept_all(&listener, server) => never,
            closed = server.closed() => Err(Error::Closed(closed).into()),
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    }

    async fn bind(&self) -> Result<Listener, ExitError> {
        let cannot = |error| ExitError::Failure(format!("cannot listen at {}: {error}", self.address));
        match &self.address {
            Address::Tcp(text) => {
                let addresses: Vec<_> = lookup_host(text).await.map_err(cannot)?.collect();
                if !self.open {
                    check_local(&addresses)?;
                }
                TcpListener::bind(addresses.as_slice()).await.map(Listener::Tcp).map_err(cannot)
            }
            Address::Unix(path) => {
                remove_stale(path);
                // Whoever may write to the socket has the authenticated connection.
                let before = umask(Mode::from_bits_truncate(0o177));
                let listener = UnixListener::bind(path);
                umask(before);
                Ok(Listener::Unix(listener.map_err(cannot)?, path.clone()))
            }
        }
    }
}

/// Refuses addresses that other machines can reach.
fn check_local(addresses: &[SocketAddr]) -> Result<(), ExitError> {
    match addresses.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
        Some(address) => Err(usage(format_args!(
            "listen: other machines can reach {address}, and whoever does has your connection; \
             allowed: an address of this machine alone, such as localhost:0, or --open"
        ))),
        None => Ok(()),
    }
}

/// Removes a socket at which nobody listens any more, which an earlier premote left behind when it was killed.
fn remove_stale(path: &Path) {
    let is_socket = path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
    if is_socket
        && let Err(error) = std::os::unix::net::UnixStream::connect(path)
        && error.kind() == io::ErrorKind::ConnectionRefused
    {
        // Where it can't be removed, binding fails and says why.
        let _ = std::fs::remove_file(path);
    }
}

/// Accepts debuggers.
#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    /// And its path.
    Unix(UnixListener, PathBuf),
}

type Halves = (Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>);

impl Listener {
    /// Where it listens, as gdb takes it.
    fn address(&self) -> Result<String, ExitError> {
        match self {
            Self::Tcp(listener) => Ok(listener.local_addr().map_err(ExitError::System)?.to_string()),
            Self::Unix(_, path) => Ok(path.display().to_string()),
        }
    }

    /// Waits for the next connection, both halves of which are then there. Cancel safe.
    async fn accept(&self) -> io::Result<Halves> {
        Ok(match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Each packet is waited for.
                stream.set_nodelay(true)?;
                let (from, to) = stream.into_split();
                (Box::new(from), Box::new(to))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let (from, to) = stream.into_split();
                (Box::new(from), Box::new(to))
            }
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // Somebody else may have removed it.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Makes each connection a debug session; never ends.
async fn accept_all(listener: &Listener, server: &RemoteServer) -> Result<(), ExitError> {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((from_debugger, to_debugger)) => {
                    sessions.spawn(bridge::serve(server.clone(), label(NAME), from_debugger, to_debugger));
                }
                Err(error) => {
                    warn!(%error, "a connection can't be accepted");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = sessions.join_next() => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_or_a_path() {
        let tcp = |text: &str| Some(Address::Tcp(text.into()));
        for (text, address) in [
            ("localhost:0", tcp("localhost:0")),
            ("[::1]:5006", tcp("[::1]:5006")),
            ("unix:/tmp/a:b", Some(Address::Unix("/tmp/a:b".into()))),
            ("unix:", None),
            ("localhost", None),
            (":5006", None),
            ("localhost:99999", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(OsStr::new(text)), address, "{text}");
        }
    }

    #[test]
    fn addresses_that_other_machines_reach_are_refused() {
        let check = |text: &str| check_local(&[text.parse().unwrap()]);
        for text in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
            let error = check(text).unwrap_err();
            assert!(error.to_string().contains("--open"), "{text}: {error}");
            assert_eq!(error.status(), 2, "{text}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_socket_is_for_this_user_alone_and_goes_with_its_listener() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rsp");
        let listen = || Listen { address: Address::Unix(path.clone()), open: false };
        let listener = listen().bind().await.unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0);
        assert!(listen().bind().await.is_err(), "a socket in use is taken away from its listener");
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_socket_that_was_left_behind_is_replaced_and_a_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rsp");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listen = || Listen { address: Address::Unix(path.clone()), open: false };
        drop(listen().bind().await.unwrap());
        std::fs::write(&path, "a file").unwrap();
        assert!(listen().bind().await.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
    }
}
