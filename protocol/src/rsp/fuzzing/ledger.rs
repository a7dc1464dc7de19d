//! Counts what a client is owed against what it gets.

use super::super::packet::{Deframer, Frame, is_intact};
use super::super::process;
use super::super::request::Request;
use super::super::server::{Feature, Features};
use crate::limits::MIN_PACKET;

/// The account of one conversation, kept beside the machine from the bytes that go in and out.
pub(super) struct Ledger {
    /// Looks at what the server receives.
    requests: Deframer,
    no_ack: bool,
    /// Packets to be answered.
    asked: usize,
    /// Those among them that have no answer.
    silent: usize,
    /// `-` of the client: each may bring one packet again.
    rejected: usize,
    /// `+` and `-` that are owed.
    acks: [usize; 2],
    /// Answers that came.
    answers: usize,
    /// `+` and `-` that came.
    acked: [usize; 2],
}

impl Ledger {
    pub(super) fn new() -> Self {
        let requests = Deframer::new(MIN_PACKET);
        Self { requests, no_ack: false, asked: 0, silent: 0, rejected: 0, acks: [0; 2], answers: 0, acked: [0; 2] }
    }

    /// The server receives `bytes`.
    pub(super) fn received(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let buffer = self.requests.receive_buffer();
            let count = bytes.len().min(buffer.len());
            buffer[..count].copy_from_slice(&bytes[..count]);
            self.requests.received(count);
            bytes = &bytes[count..];
            for frame in self.requests.frames() {
                let (intact, last_acknowledged) = match frame {
                    Frame::Nack => {
                        self.rejected += 1;
                        continue;
                    }
                    Frame::Oversized => (true, false),
                    Frame::Packet { body, checksum } => {
                        let intact = self.no_ack || is_intact(body, checksum);
                        (intact, intact && *body == *b"QStartNoAckMode")
                    }
                    Frame::Ack | Frame::Interrupt | Frame::Notification { .. } => continue,
                };
                self.asked += usize::from(intact);
                self.acks[usize::from(!intact)] += usize::from(!self.no_ack);
                self.no_ack |= last_acknowledged;
            }
        }
    }

    /// The machine has brought up `request` of a client with these `features`.
    pub(super) fn answered(&mut self, request: &Request<'_>, features: Features) {
        let silent = match request {
            Request::Process(process::Request::KillAll) => !features.has(Feature::Lldb),
            Request::Process(process::Request::Restart) => true,
            _ => false,
        };
        self.silent += usize::from(silent);
    }

    /// The server has sent `frame`.
    ///
    /// # Panics
    /// If no server may send that.
    pub(super) fn sent(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Ack => self.acked[0] += 1,
            Frame::Nack => self.acked[1] += 1,
            Frame::Notification { body } => {
                assert!(body.starts_with(b"Stop:"));
                // How a refusal is told to a GDB that drops the text of errors.
                self.answers += usize::from(body.starts_with(b"Stop:X\n"));
            }
            Frame::Packet { body, checksum } => {
                assert!(is_intact(body, *checksum));
                let console = body.first() == Some(&b'O') && **body != *b"OK";
                self.answers += usize::from(!console);
            }
            Frame::Interrupt | Frame::Oversized => panic!("the server sent {frame:?}"),
        }
    }

    /// After the client has got all: each of its packets has been acknowledged and answered once.
    ///
    /// # Panics
    /// If not.
    pub(super) fn assert_balanced(&self, stop_reply_due: bool) {
        assert_eq!(self.acked, self.acks, "acknowledgements");
        let owed = self.asked - self.silent - usize::from(stop_reply_due);
        let most = owed + self.rejected;
        assert!((owed..=most).contains(&self.answers), "{} answers, not {owed} to {most}", self.answers);
    }
}
