//! Where clients come in.

use super::comm::{Comm, Family};
use super::pump::{self, Flush};
use crate::engine::interruptible::{self, INPUT};
use crate::worker::say;
use nix::fcntl::OFlag;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{dup2_stdin, dup2_stdout};
use std::fs::{File, OpenOptions};
use std::io::{self, stderr, stdin, stdout};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where clients come in, taken but not open yet.
pub(super) enum Entrance {
    Device(PathBuf),
    /// The former standard input and output.
    Stdio(File, File),
    Tcp(TcpListener),
    /// Nobody else will come.
    Closed,
}

/// A client's connection.
pub(super) struct Connection {
    pub(super) stream: OwnedFd,
    /// Bytes pass through threads on their way to the client.
    pub(super) flush: Option<Flush>,
}

impl Entrance {
    /// Takes what `comm` names, so that no program is started where that is impossible. Standard input and output belong to
    /// the client then: programs read nothing, and write to standard error.
    ///
    /// # Errors
    /// What the system says, with what it was about.
    pub(super) fn take(comm: &Comm) -> io::Result<Self> {
        match comm {
            Comm::Device(path) => Ok(Self::Device(path.clone())),
            Comm::Stdio => {
                let input = File::from(stdin().as_fd().try_clone_to_owned()?);
                let output = File::from(stdout().as_fd().try_clone_to_owned()?);
                dup2_stdin(File::open("/dev/null")?)?;
                dup2_stdout(stderr())?;
                Ok(Self::Stdio(input, output))
            }
            Comm::Tcp { host, port, family } => listen(host, *port, *family).map(Self::Tcp),
        }
    }

    /// Tells the client where to come.
    ///
    /// # Errors
    /// Where the port can't be told.
    pub(super) fn announce(&self) -> io::Result<()> {
        match self {
            Self::Device(path) => say(&format!("Remote debugging using {}", path.display())),
            Self::Stdio(..) => say("Remote debugging using stdio"),
            Self::Tcp(listener) => say(&format!("Listening on port {}", listener.local_addr()?.port())),
            Self::Closed => {}
        }
        Ok(())
    }

    /// Raises [`INPUT`] when a client comes, where one may be waited for while debuggees run.
    ///
    /// # Errors
    /// What fcntl(2) says.
    pub(super) fn signal_arrivals(&self) -> io::Result<()> {
        if let Self::Tcp(listener) = self {
            interruptible::signal_input(listener.as_raw_fd())?;
        }
        interruptible::raise(INPUT);
        Ok(())
    }

    /// Waits for a client.
    ///
    /// # Errors
    /// EINTR where the process is to end.
    pub(super) fn wait(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => Ok(interruptible::readable(listener.as_raw_fd())?),
            _ => Ok(()),
        }
    }

    /// Lets a client in; `None` where there is none after all.
    ///
    /// # Errors
    /// What the system says, with what it was about.
    pub(super) fn accept(&mut self) -> io::Result<Option<Connection>> {
        interruptible::clear(INPUT);
        match self {
            Self::Closed => Ok(None),
            Self::Device(path) => {
                let device = open(path).map_err(|error| about(path.display(), &error))?;
                let (stream, flush) = pump::connect(device.try_clone()?, device)?;
                Ok(Some(Connection { stream, flush: Some(flush) }))
            }
            Self::Stdio(input, output) => {
                let (stream, flush) = pump::connect(input.try_clone()?, output.try_clone()?)?;
                *self = Self::Closed;
                Ok(Some(Connection { stream, flush: Some(flush) }))
            }
            Self::Tcp(listener) => match listener.accept() {
                Ok((stream, peer)) => {
                    // A stream that can't do without delay still works.
                    let _ = stream.set_nodelay(true);
                    stream.set_nonblocking(false)?;
                    let host = peer.ip().to_canonical();
                    say(&format!("Remote debugging from host {host}, port {}", peer.port()));
                    Ok(Some(Connection { stream: stream.into(), flush: None }))
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                // The client has gone before it was let in.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Lets nobody else in.
    pub(super) fn close(&mut self) {
        *self = Self::Closed;
    }
}

/// Opens a device as a line without any processing of its own.
fn open(path: &Path) -> io::Result<File> {
    let kind = path.metadata()?.file_type();
    if !kind.is_char_device() && !kind.is_fifo() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a device nor HOST:PORT"));
    }
    let device = OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(path)?;
    // A pipe is none, and has no settings.
    if let Ok(mut settings) = tcgetattr(&device) {
        cfmakeraw(&mut settings);
        settings.control_flags |= nix::sys::termios::ControlFlags::CLOCAL | nix::sys::termios::ControlFlags::CREAD;
        tcsetattr(&device, SetArg::TCSANOW, &settings)?;
    }
    Ok(device)
}

/// Listens where `host` says: on the loopback interface if that is meant, on all otherwise.
fn listen(host: &str, port: u16, family: Family) -> io::Result<TcpListener> {
    let place = if host.is_empty() { format!(":{port}") } else { format!("{host}:{port}") };
    let addresses = addresses(host, family).map_err(|error| about(&place, &error))?;
    let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        result = TcpListener::bind(SocketAddr::new(address, port));
        if result.is_ok() {
            break;
        }
    }
    let listener = result.map_err(|error| about(&place, &error))?;
    listener.set_nonblocking(true)?;
    if !listener.local_addr()?.ip().is_loopback() {
        say("warning: whoever reaches this port from any machine may run programs here as this user; \
             to serve this machine alone, name localhost as the host");
    }
    Ok(listener)
}

/// The addresses to try, one after the other.
fn addresses(host: &str, family: Family) -> io::Result<Vec<IpAddr>> {
    let fits = |address: &IpAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    // A machine without IPv6 refuses the first; with it, the first serves both.
    let mut everywhere = vec![IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
    if !host.is_empty() {
        let mut named: Vec<IpAddr> = (host, 0).to_socket_addrs()?.map(|address| address.ip()).filter(fits).collect();
        // Clients that name no family try this one too.
        named.sort_by_key(IpAddr::is_ipv6);
        let Some(first) = named.first() else { return Err(io::Error::other("no such address")) };
        if named.iter().all(IpAddr::is_loopback) {
            return Ok(named);
        }
        everywhere.retain(|address| first.is_ipv4() == address.is_ipv4());
    }
    everywhere.retain(fits);
    Ok(everywhere)
}

fn about(what: impl std::fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listened_on(host: &str, family: Family) -> Vec<String> {
        addresses(host, family).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_loopback_address_is_listened_on_alone_and_any_other_host_stands_for_all() {
        assert_eq!(listened_on("", Family::Any), ["::", "0.0.0.0"]);
        assert_eq!(listened_on("", Family::V4), ["0.0.0.0"]);
        assert_eq!(listened_on("", Family::V6), ["::"]);
        assert_eq!(listened_on("127.0.0.1", Family::Any), ["127.0.0.1"]);
        assert_eq!(listened_on("::1", Family::V6), ["::1"]);
        assert_eq!(listened_on("192.0.2.7", Family::Any), ["0.0.0.0"]);
        assert_eq!(listened_on("2001:db8::7", Family::Any), ["::"]);
        assert!(addresses("127.0.0.1", Family::V6).is_err());
    }

    #[test]
    fn a_file_is_no_device() {
        assert!(open(Path::new("/etc/passwd")).is_err());
        assert!(open(Path::new("/dev/null")).is_ok());
    }
}
