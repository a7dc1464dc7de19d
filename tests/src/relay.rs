//! A network between client and server that can be cut, and listened to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Passes any number of connections on, one after another or side by side, until it is dropped.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    wire: Arc<Mutex<Wire>>,
}

#[derive(Debug, Default)]
struct Wire {
    connections: Vec<TcpStream>,
    accepted: usize,
    passed: usize,
    /// The bytes between two cuts, how many cuts are left, and at how many bytes the next one is due.
    spacing: usize,
    cuts: usize,
    next: usize,
    captured: Vec<u8>,
    closed: bool,
}

impl Relay {
    /// Listens on a free port and passes each connection on to `server`, a port of this machine.
    ///
    /// # Panics
    /// When this machine has no free port.
    #[must_use]
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let port = listener.local_addr().expect("the listener is bound").port();
        let wire: Arc<Mutex<Wire>> = Arc::default();
        let shared = Arc::clone(&wire);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), server) = (client, TcpStream::connect(("127.0.0.1", server))) else { return };
                let mut wire = lock(&shared);
                if wire.closed {
                    return;
                }
                // Nobody is there yet.
                let Ok(server) = server else { continue };
                wire.accepted += 1;
                for (from, to) in [(&client, &server), (&server, &client)] {
                    from.set_nodelay(true).expect("it is a TCP socket");
                    wire.connections.push(same(from));
                    let (from, to, shared) = (same(from), same(to), Arc::clone(&shared));
                    std::thread::spawn(move || pass(from, to, &shared));
                }
            }
        });
        Self { port, wire }
    }

    /// Where the client connects.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been.
    #[must_use]
    pub fn accepted(&self) -> usize {
        lock(&self.wire).accepted
    }

    /// Cuts all connections: what is under way is lost.
    pub fn cut(&self) {
        lock(&self.wire).cut();
    }

    /// Cuts all connections when `spacing` bytes more have passed, both ways taken together, and so on `times` times. What
    /// is under way then is lost.
    pub fn cut_every(&self, spacing: usize, times: usize) {
        let mut wire = lock(&self.wire);
        (wire.spacing, wire.cuts, wire.next) = (spacing, times, wire.passed + spacing);
    }

    /// How many of these cuts are still to come.
    #[must_use]
    pub fn cuts_left(&self) -> usize {
        lock(&self.wire).cuts
    }

    /// All bytes that have passed, both ways mixed.
    #[must_use]
    pub fn captured(&self) -> Vec<u8> {
        lock(&self.wire).captured.clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let mut wire = lock(&self.wire);
        wire.closed = true;
        wire.cut();
    }
}

impl Wire {
    fn capture(&mut self, bytes: &[u8]) {
        if self.captured.len() < CAPTURED {
            self.captured.extend_from_slice(bytes);
        }
    }

    /// Counts bytes that have passed, and cuts where that is due. Not before they have: what is longer than the spacing
    /// would never get through.
    fn count(&mut self, length: usize) {
        self.passed += length;
        if self.cuts > 0 && self.passed >= self.next {
            self.cuts -= 1;
            self.next = self.passed + self.spacing;
            self.cut();
        }
    }

    fn cut(&mut self) {
        for connection in self.connections.drain(..) {
            // It may have been closed from an end.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// What it keeps for [`Relay::captured`] at most: enough for a debugger's session.
const CAPTURED: usize = 16 << 20;

fn pass(mut from: TcpStream, mut to: TcpStream, wire: &Mutex<Wire>) {
    let mut buffer = vec![0; 0x10000];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        lock(wire).capture(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
        lock(wire).count(length);
    }
    // It fails when the other direction has done it.
    let _ = to.shutdown(Shutdown::Both);
}

fn same(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket can be duplicated")
}

fn lock(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}
