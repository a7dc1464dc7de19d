//! The debugger at the other end, where that is on this machine.

use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{UnixAddr, getsockname, getsockopt};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What is known of the client by its connection.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) enum Client {
    /// Nothing: it is behind the front.
    #[default]
    Elsewhere,
    /// The two ends of a TCP connection: its own, and this one.
    Tcp(SocketAddr, SocketAddr),
    /// A pipe.
    Pipe {
        /// The process that opened it.
        opener: i32,
        /// Where it is.
        path: PathBuf,
    },
}

impl Client {
    /// The client behind a stream.
    pub(super) fn of(stream: &OwnedFd) -> Self {
        let ends = stream.as_fd().try_clone_to_owned().and_then(|stream| {
            let stream = TcpStream::from(stream);
            Ok((stream.peer_addr()?, stream.local_addr()?))
        });
        match (ends, opener(stream)) {
            (Ok((peer, local)), _) => Self::Tcp(peer, local),
            (Err(_), Some((opener, path))) => Self::Pipe { opener, path },
            (Err(_), None) => Self::Elsewhere,
        }
    }

    /// The program that the debugger was started with.
    ///
    /// GDB sends `vRun` without a program unless its user has said `set remote exec-file`, even after `gdb ./app`. Where
    /// it runs on this machine, its command line tells all the same.
    pub(super) fn program(&self) -> Option<PathBuf> {
        let debugger = match *self {
            Self::Tcp(peer, local) if peer.ip().to_canonical().is_loopback() => {
                owner(&format!("socket:[{}]", socket_inode(peer, local)?))?
            }
            Self::Pipe { opener, .. } => PathBuf::from(format!("/proc/{opener}")),
            Self::Elsewhere | Self::Tcp(..) => return None,
        };
        let directory = fs::read_link(debugger.join("cwd")).ok()?;
        let command = fs::read(debugger.join("cmdline")).ok()?;
        let words = command.split(|&byte| byte == 0).skip(1).filter(|word| !word.is_empty());
        words.map(|word| directory.join(OsStr::from_bytes(word))).find(|path| is_program(path))
    }
}

/// The process that connected to a named socket, and the socket's name; `None` for a pair of sockets, whose other end is
/// the front's.
fn opener(stream: &OwnedFd) -> Option<(i32, PathBuf)> {
    let path = getsockname::<UnixAddr>(stream.as_raw_fd()).ok()?.path()?.to_owned();
    let credentials = getsockopt(stream, PeerCredentials).ok()?;
    // 0: it is in a container that this one can't look into.
    Some((credentials.pid(), path)).filter(|(pid, _)| *pid > 0)
}

/// The inode of the socket that goes from `from` to `to` (`proc_net(5)`).
fn socket_inode(from: SocketAddr, to: SocketAddr) -> Option<u64> {
    let ports = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let port = |end: &str| u16::from_str_radix(end.rsplit_once(':')?.1, 16).ok();
        let (local, remote) = (port(fields.nth(1)?)?, port(fields.next()?)?);
        Some((local, remote, fields.nth(6)?.parse().ok()?))
    };
    let tables =
        ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let mut sockets = tables.iter().flat_map(|table| table.lines().skip(1)).filter_map(ports);
    // On the loopback interface the pair of ports names one connection.
    sockets.find(|(local, remote, _)| (*local, *remote) == (from.port(), to.port())).map(|(.., inode)| inode)
}

/// The directory in `/proc` of the process that has a descriptor for `target`.
fn owner(target: &str) -> Option<PathBuf> {
    let has = |process: &PathBuf| {
        let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        descriptors.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|file| file == Path::new(target))
    };
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let numbered = entries.filter(|entry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit));
    numbered.map(|entry| entry.path()).find(has)
}

/// Whether a file is an ELF file that may be executed.
fn is_program(path: &Path) -> bool {
    let may_run = fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    let mut magic = [0; 4];
    may_run && fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn the_process_behind_a_connection_from_this_machine_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (there, _) = listener.accept().unwrap();
        let client = Client::of(&OwnedFd::from(there));
        let Client::Tcp(peer, local) = client else { panic!("{client:?}") };
        assert_eq!((peer, local), (here.local_addr().unwrap(), here.peer_addr().unwrap()));
        let inode = socket_inode(peer, local).unwrap();
        let process = owner(&format!("socket:[{inode}]")).unwrap();
        assert_eq!(process, Path::new("/proc").join(std::process::id().to_string()));
    }

    #[test]
    fn the_process_behind_a_pipe_is_found_and_the_front_is_none() {
        let path = std::env::temp_dir().join(format!("dbgsrv-client-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let _here = UnixStream::connect(&path).unwrap();
        let (there, _) = listener.accept().unwrap();
        fs::remove_file(&path).unwrap();
        let opener = std::process::id() as i32;
        assert_eq!(Client::of(&there.into()), Client::Pipe { opener, path });
        let (there, _here) = UnixStream::pair().unwrap();
        assert_eq!(Client::of(&there.into()), Client::Elsewhere);
    }

    #[test]
    fn only_executable_elf_files_are_programs() {
        assert!(is_program(&std::env::current_exe().unwrap()));
        assert!(!is_program(Path::new("/etc/passwd")));
        assert!(!is_program(Path::new("/")));
        assert!(!is_program(Path::new("/nowhere")));
    }
}
