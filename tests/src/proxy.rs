//! A proxy between a debugger and a server that counts the packets the debugger needs.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A proxy for one connection; it ends with that.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    packets: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Listens on a free port and passes the first connection on to `server`, a port of this machine.
    ///
    /// # Panics
    /// When this machine has no free port.
    #[must_use]
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("localhost", 0)).expect("there is a free port");
        let port = listener.local_addr().expect("the listener is bound").port();
        let packets = Arc::default();
        let counted = Arc::clone(&packets);
        std::thread::spawn(move || {
            // The debugger may end without having connected, when the test fails.
            let Ok((debugger, _)) = listener.accept() else { return };
            let server = TcpStream::connect(("localhost", server)).expect("the server listens");
            let (replies, requests) = (both_ends(&server, &debugger), both_ends(&debugger, &server));
            std::thread::spawn(move || pass(replies, |_| ()));
            pass(requests, |bytes| count(bytes, &counted));
        });
        Self { port, packets }
    }

    /// Where the debugger connects.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The packets that the debugger has sent since the last call, each by its first bytes.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.packets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn both_ends(from: &TcpStream, to: &TcpStream) -> (TcpStream, TcpStream) {
    let same = |stream: &TcpStream| {
        stream.set_nodelay(true).expect("it is a TCP socket");
        stream.try_clone().expect("a socket can be duplicated")
    };
    (same(from), same(to))
}

/// Passes bytes on until one side closes.
fn pass((mut from, mut to): (TcpStream, TcpStream), mut look: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 0x10000];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        look(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // It fails when the other direction has done it.
    let _ = to.shutdown(Shutdown::Both);
}

/// Notes each packet that begins in `bytes`. A `$` begins one: within a body it is escaped. gdb writes a packet at once.
fn count(bytes: &[u8], packets: &Mutex<Vec<String>>) {
    let mut packets = packets.lock().unwrap_or_else(PoisonError::into_inner);
    for packet in bytes.split(|&byte| byte == b'$').skip(1) {
        packets.push(String::from_utf8_lossy(&packet[..packet.len().min(60)]).into_owned());
    }
}
