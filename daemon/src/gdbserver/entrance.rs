//! Where clients come in.

use super::comm::{Comm, Family, SocketName};
use super::pump::{self, Flush};
use crate::engine::interruptible::{self, INPUT};
use crate::worker::{inherited, say};
use nix::fcntl::OFlag;
use nix::sys::socket::{getsockopt, sockopt::SockType};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{dup2_stdin, dup2_stdout};
use std::fs::{self, File, OpenOptions};
use std::io::{self, stderr, stdin, stdout};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::{self as unix, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Where clients come in, taken but not open yet.
pub(crate) enum Entrance {
    /// A client is here already.
    Connected(OwnedFd),
    Device(PathBuf),
    /// The former standard input and output, or another pair of streams.
    Stdio(File, File),
    Tcp(TcpListener),
    Unix(UnixListener, SocketName),
    /// Nobody else will come.
    Closed,
}

/// A client's connection.
pub(super) struct Connection {
    pub(super) stream: OwnedFd,
    /// Bytes pass through threads on their way to the client.
    pub(super) flush: Option<Flush>,
    /// Where the client is, if it came over the network.
    pub(super) peer: Option<SocketAddr>,
}

impl Entrance {
    /// Takes what `comm` names, so that no program is started where that is impossible. Standard input and output belong to
    /// the client then: programs read nothing, and write to standard error.
    ///
    /// # Errors
    /// What the system says, with what it was about.
    pub(crate) fn take(comm: &Comm) -> io::Result<Self> {
        match comm {
            Comm::CallTcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port))?;
                // A stream that can't do without delay still works.
                let _ = stream.set_nodelay(true);
                Ok(Self::Connected(stream.into()))
            }
            Comm::CallUnix(name) => Ok(Self::Connected(UnixStream::connect_addr(&address(name)?)?.into())),
            Comm::Descriptor(number) => connected(inherited(*number)?),
            Comm::Device(path) => Ok(Self::Device(path.clone())),
            Comm::Stdio => {
                let input = File::from(stdin().as_fd().try_clone_to_owned()?);
                let output = File::from(stdout().as_fd().try_clone_to_owned()?);
                dup2_stdin(File::open("/dev/null")?)?;
                dup2_stdout(stderr())?;
                Ok(Self::Stdio(input, output))
            }
            Comm::Tcp { host, port, family } => listen(host, *port, *family).map(Self::Tcp),
            Comm::Unix(name) => Ok(Self::Unix(listen_locally(name)?, name.clone())),
        }
    }

    /// What a client on this machine has to know beside the host: the port, or the socket's name. `None` where there is
    /// nothing to choose.
    ///
    /// # Errors
    /// What getsockname(2) says.
    pub(crate) fn name(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(match self {
            Self::Tcp(listener) => Some(listener.local_addr()?.port().to_string().into_bytes()),
            Self::Unix(_, SocketName::Abstract(name)) => Some(name.as_bytes().to_vec()),
            Self::Unix(_, SocketName::Path(path)) => Some(path.as_os_str().as_bytes().to_vec()),
            Self::Closed | Self::Connected(_) | Self::Device(_) | Self::Stdio(..) => None,
        })
    }

    /// What a client knocks on.
    fn listener(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Tcp(listener) => Some(listener.as_fd()),
            Self::Unix(listener, _) => Some(listener.as_fd()),
            Self::Closed | Self::Connected(_) | Self::Device(_) | Self::Stdio(..) => None,
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
            Self::Closed | Self::Connected(_) | Self::Unix(..) => {}
        }
        Ok(())
    }

    /// Raises [`INPUT`] when a client comes, where one may be waited for while debuggees run.
    ///
    /// # Errors
    /// What fcntl(2) says.
    pub(super) fn signal_arrivals(&self) -> io::Result<()> {
        if let Some(listener) = self.listener() {
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
        match self.listener() {
            Some(listener) => Ok(interruptible::readable(listener.as_raw_fd())?),
            None => Ok(()),
        }
    }

    /// Lets a client in; `None` where there is none after all.
    ///
    /// # Errors
    /// What the system says, with what it was about.
    pub(super) fn accept(&mut self) -> io::Result<Option<Connection>> {
        interruptible::clear(INPUT);
        let accepted = match self {
            Self::Tcp(listener) => listener.accept().and_then(|(stream, peer)| {
                // A stream that can't do without delay still works.
                let _ = stream.set_nodelay(true);
                stream.set_nonblocking(false)?;
                Ok(Connection { stream: stream.into(), flush: None, peer: Some(peer) })
            }),
            Self::Unix(listener, _) => listener.accept().and_then(|(stream, _)| {
                stream.set_nonblocking(false)?;
                Ok(Connection { stream: stream.into(), flush: None, peer: None })
            }),
            Self::Device(path) => open(path)
                .and_then(|device| pumped(device.try_clone()?, device))
                .map_err(|error| about(path.display(), &error)),
            Self::Closed | Self::Connected(_) | Self::Stdio(..) => return self.accept_only(),
        };
        match accepted {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            // The client has gone before it was let in.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(None),
            accepted => accepted.map(Some),
        }
    }

    /// Lets the one client in that there is, if it was not let in before.
    fn accept_only(&mut self) -> io::Result<Option<Connection>> {
        match std::mem::replace(self, Self::Closed) {
            Self::Connected(stream) => Ok(Some(Connection { stream, flush: None, peer: None })),
            Self::Stdio(input, output) => pumped(input, output).map(Some),
            _ => Ok(None),
        }
    }

    /// Lets nobody else in.
    pub(super) fn close(&mut self) {
        if let Self::Unix(_, SocketName::Path(path)) = self {
            // Where that fails, it is an empty name that stays behind.
            let _ = fs::remove_file(path);
        }
        *self = Self::Closed;
    }
}

/// A connection over two streams that are no sockets.
fn pumped(input: File, output: File) -> io::Result<Connection> {
    let (stream, flush) = pump::connect(input, output)?;
    Ok(Connection { stream, flush: Some(flush), peer: None })
}

/// The entrance of a client that is at the other end of a descriptor.
fn connected(descriptor: OwnedFd) -> io::Result<Entrance> {
    if getsockopt(&descriptor, SockType).is_err() {
        let stream = File::from(descriptor);
        return Ok(Entrance::Stdio(stream.try_clone()?, stream));
    }
    Ok(Entrance::Connected(descriptor))
}

fn address(name: &SocketName) -> io::Result<unix::SocketAddr> {
    match name {
        SocketName::Abstract(name) => unix::SocketAddr::from_abstract_name(name.as_bytes()),
        SocketName::Path(path) => unix::SocketAddr::from_pathname(path),
    }
}

/// Listens on a Unix-domain socket, in place of one whose server is gone.
fn listen_locally(name: &SocketName) -> io::Result<UnixListener> {
    let address = address(name)?;
    if let SocketName::Path(path) = name {
        let is_socket = path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if is_socket && UnixStream::connect(path).is_err_and(refused) {
            fs::remove_file(path)?;
        }
    }
    let listener = UnixListener::bind_addr(&address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
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
        let found = (host, 0).to_socket_addrs().map_err(|error| unresolved(&error))?;
        let mut named: Vec<IpAddr> = found.map(|address| address.ip()).filter(fits).collect();
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

/// In gdbserver's words, which those who start it look for.
fn unresolved(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let reason = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    io::Error::new(error.kind(), format!("cannot resolve name: {reason}"))
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
