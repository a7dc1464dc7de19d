//! A client that speaks RSP byte by byte, for what no debugger would send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use nix::unistd::Pid;

use crate::GUARD;
use crate::patience::{Patience, STEP};

/// What the client says it understands, as gdb does.
const FEATURES: &str = "qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+;error-message+;no-resumed+";

/// One connection, with acknowledgements on.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    /// When nothing listens.
    #[must_use]
    pub fn connect(port: u16) -> Self {
        Self::over(TcpStream::connect(("localhost", port)).expect("the server listens"))
    }

    /// Over a connection that is there already.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(STEP)).expect("the step is not zero");
        stream.set_write_timeout(Some(GUARD)).expect("the guard is not zero");
        stream.set_nodelay(true).expect("it is a TCP socket");
        Self { stream }
    }

    /// Connects and exchanges features, in extended mode.
    #[must_use]
    pub fn greeted(port: u16) -> Self {
        Self::connect(port).greet()
    }

    /// Exchanges features, and asks for extended mode.
    ///
    /// # Panics
    /// When the server closes the connection or does not answer.
    #[must_use]
    pub fn greet(mut self) -> Self {
        self.request(FEATURES);
        self.request("!");
        self
    }

    /// The socket, to read nothing from or to close.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub fn send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a packet, waits for the acknowledgement and the reply, and acknowledges that.
    ///
    /// # Panics
    /// When the server closes the connection or does not answer.
    #[track_caller]
    pub fn request(&mut self, body: &str) -> String {
        self.request_bytes(body.as_bytes())
    }

    /// As [`Self::request`], for a body that is not text.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn request_bytes(&mut self, body: &[u8]) -> String {
        self.send_raw(&packet(body)).expect("the server reads");
        assert_eq!(self.byte(), Some(b'+'), "no acknowledgement of {}", String::from_utf8_lossy(body));
        self.reply()
    }

    /// The next packet that is not the program's output.
    ///
    /// # Panics
    /// As [`Self::reply`].
    #[track_caller]
    pub fn reply_after_output(&mut self) -> String {
        loop {
            let reply = self.reply();
            if reply == "OK" || !reply.starts_with('O') {
                return reply;
            }
        }
    }

    /// The next packet's body with run lengths expanded.
    ///
    /// # Panics
    /// When the server closes the connection or sends something else.
    #[track_caller]
    pub fn reply(&mut self) -> String {
        while self.byte().expect("the server answers") != b'$' {}
        let body = self.body();
        self.send_raw(b"+").expect("the server reads");
        body
    }

    /// Waits for the notification of a stop in non-stop mode.
    ///
    /// # Panics
    /// When the server closes the connection or sends something else.
    #[track_caller]
    pub fn notification(&mut self) -> String {
        while self.byte().expect("the server tells of stops") != b'%' {}
        let notification = self.body();
        notification.strip_prefix("Stop:").expect("there are no other notifications").to_owned()
    }

    /// Waits for so many stops in non-stop mode and fetches them; the first comes as a notification, and so does one that comes
    /// up when all before it have been fetched.
    ///
    /// # Panics
    /// When the server closes the connection, sends something else, or tells of more stops.
    #[track_caller]
    pub fn fetch_stops(&mut self, count: usize) {
        let mut stops = Vec::new();
        while stops.len() < count {
            stops.push(self.notification());
            loop {
                match self.request("vStopped") {
                    end if end == "OK" => break,
                    stop => stops.push(stop),
                }
            }
        }
        assert_eq!(stops.len(), count, "{stops:?}");
    }

    /// What follows up to the checksum, and that.
    #[track_caller]
    fn body(&mut self) -> String {
        let mut body = Vec::new();
        loop {
            match self.byte().expect("the server finishes its packet") {
                b'#' => break,
                b'*' => {
                    let count = self.byte().expect("a run length follows") - 29;
                    let last = *body.last().expect("a run repeats a byte");
                    body.extend(std::iter::repeat_n(last, count.into()));
                }
                byte => body.push(byte),
            }
        }
        for _ in 0..2 {
            self.byte().expect("a checksum follows");
        }
        String::from_utf8_lossy(&body).into_owned()
    }

    /// The next byte; none when the server has closed the connection.
    ///
    /// # Panics
    /// When nothing comes.
    #[track_caller]
    pub fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        let mut patience = Patience::new();
        loop {
            match self.stream.read(&mut byte) {
                Ok(0) => return None,
                Ok(_) => return Some(byte[0]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) if error.kind() == ErrorKind::WouldBlock && patience.lasts() => {}
                Err(error) => panic!("no byte from the server: {error}"),
            }
        }
    }

    /// Sends a packet that is answered later, or not at all.
    ///
    /// # Panics
    /// When the server closes the connection or does not acknowledge it.
    #[track_caller]
    pub fn send(&mut self, body: &str) {
        self.send_raw(&packet(body.as_bytes())).expect("the server reads");
        assert_eq!(self.byte(), Some(b'+'), "no acknowledgement of {body}");
    }

    /// Interrupts what runs and returns the stop that comes of it.
    ///
    /// # Panics
    /// When the server closes the connection or does not answer.
    #[track_caller]
    pub fn interrupt(&mut self) -> String {
        self.send_raw(b"\x03").expect("the server reads");
        self.reply()
    }

    /// Attaches to a process.
    ///
    /// # Panics
    /// When the server does not.
    #[track_caller]
    pub fn attach(&mut self, pid: Pid) {
        let stop = self.request(&format!("vAttach;{:x}", pid.as_raw()));
        assert!(stop.starts_with('T'), "vAttach is answered {stop}");
    }

    /// Sets a software breakpoint.
    ///
    /// # Panics
    /// When the server does not.
    #[track_caller]
    pub fn set_breakpoint(&mut self, address: u64) {
        assert_eq!(self.request(&format!("Z0,{address:x},1")), "OK");
    }

    /// Starts a program with arguments and returns its process id.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn run(&mut self, arguments: &[&str]) -> i32 {
        let words: Vec<_> = arguments.iter().map(|word| hex(word.as_bytes())).collect();
        let stop = self.request(&format!("vRun;{}", words.join(";")));
        let (_, thread) = stop.split_once("thread:p").unwrap_or_else(|| panic!("vRun is answered {stop}"));
        let (pid, _) = thread.split_once('.').expect("the process id is followed by a thread id");
        i32::from_str_radix(pid, 16).expect("the process id is hexadecimal")
    }
}

/// A packet with its checksum. The body is taken as it is: escaped, if it must be.
#[must_use]
pub fn packet(body: &[u8]) -> Vec<u8> {
    let sum = body.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    let mut bytes = vec![b'$'];
    bytes.extend(body);
    bytes.extend(format!("#{sum:02x}").bytes());
    bytes
}

/// Bytes in hexadecimal, as most packets carry text.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// What [`hex`] makes of bytes, back.
///
/// # Panics
/// When it is something else.
#[must_use]
pub fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    text.as_bytes().chunks(2).map(byte).collect()
}
