//! A serial line: a port at each end, and between them what real lines do to bytes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::Owned;
use crate::wait_until;

/// Start bit, eight bits, stop bit.
const BITS_PER_BYTE: u64 = 10;

/// What a line does to bytes, in cases per million.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Bits that arrive as their opposite.
    pub flipped_bits: u32,
    /// Bytes that do not arrive.
    pub dropped_bytes: u32,
}

impl Faults {
    /// One bit in 10,000 is wrong, and one byte in 1,000 is lost.
    pub const BAD: Self = Self { flipped_bits: 100, dropped_bytes: 1000 };
}

/// A line between two ports, which are pseudo terminals of `socat`. Ends when dropped.
#[derive(Debug)]
pub struct Line {
    baud: u32,
    directory: tempfile::TempDir,
    _socats: [Owned; 2],
}

impl Line {
    /// A line that carries so many bits per second.
    ///
    /// # Panics
    /// Where `socat` makes no terminals.
    #[must_use]
    pub fn new(baud: u32, faults: Faults) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = |name: &str| directory.path().join(name);
        let terminal = |name: &str| format!("pty,raw,echo=0,link={}", path(name).display());
        let socats = ["server", "client"].map(|end| {
            let mut socat = Command::new("socat");
            socat.args([terminal(end), terminal(&format!("{end}-far"))]);
            Owned::spawn(socat.stdin(Stdio::null()))
        });
        let open = |name: &str| {
            wait_until("socat makes a terminal", || path(name).exists());
            File::options().read(true).write(true).open(path(name)).expect("it is ours")
        };
        let [server, client] = ["server-far", "client-far"].map(open);
        let same = |file: &File| file.try_clone().expect("a descriptor can be duplicated");
        for (from, to, seed) in [(same(&server), same(&client), 1), (client, server, 2)] {
            let mut wire = Wire { baud, faults, dice: seed };
            // It ends with the terminals.
            thread::spawn(move || wire.carry(from, to));
        }
        for end in ["server", "client"] {
            wait_until("socat makes a terminal", || path(end).exists());
        }
        Self { baud, directory, _socats: socats }
    }

    /// The device at the server's end.
    #[must_use]
    pub fn server_port(&self) -> PathBuf {
        self.directory.path().join("server")
    }

    /// The device at the client's end.
    #[must_use]
    pub fn client_port(&self) -> PathBuf {
        self.directory.path().join("client")
    }

    /// The connection string of a channel for a server; `more` begins with a comma or is empty.
    #[must_use]
    pub fn served(&self, channel: u8, more: &str) -> String {
        format!("com:port={},baud={},channel={channel}{more}", self.server_port().display(), self.baud)
    }

    /// The connection string of a channel for a client.
    #[must_use]
    pub fn called(&self, channel: u8, more: &str) -> String {
        format!("com:port={},baud={},channel={channel}{more}", self.client_port().display(), self.baud)
    }
}

/// One direction.
struct Wire {
    baud: u32,
    faults: Faults,
    dice: u64,
}

impl Wire {
    /// Passes bytes on no faster than the line does, until an end is gone.
    fn carry(&mut self, mut from: File, mut to: File) {
        // What arrives within a millisecond arrives at once.
        let mut buffer = vec![0; (self.baud / 10_000).max(16) as usize];
        let mut free_at = Instant::now();
        while let Ok(count) = from.read(&mut buffer) {
            let time = Duration::from_nanos(count as u64 * BITS_PER_BYTE * 1_000_000_000 / u64::from(self.baud));
            free_at = free_at.max(Instant::now()) + time;
            let arriving = self.spoil(&buffer[..count]);
            thread::sleep(free_at.saturating_duration_since(Instant::now()));
            if count == 0 || to.write_all(&arriving).is_err() {
                return;
            }
        }
    }

    fn spoil(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Faults { flipped_bits, dropped_bytes } = self.faults;
        let kept: Vec<u8> = bytes.iter().copied().filter(|_| !self.hits(dropped_bytes)).collect();
        let flips = |wire: &mut Self| (0..8).fold(0, |flips, bit| flips | u8::from(wire.hits(flipped_bits)) << bit);
        kept.into_iter().map(|byte| byte ^ flips(self)).collect()
    }

    /// True so many times in a million (xorshift64).
    fn hits(&mut self, per_million: u32) -> bool {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % 1_000_000 < per_million.into()
    }
}
