//! The messages of a handshake: framing, the transcript, and fields.

use super::super::crypto::Transcript;
use super::super::text::{cut, shown};
use super::super::{Facts, MAX_FACT, PREFACE, Versions};
use super::{HandshakeError, Rejected};
use crate::limits::{MAX_HANDSHAKE, MAX_REJECT_TEXT};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use HandshakeError::Malformed;

/// A message's kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Kind {
    Hello = 1,
    Answer = 2,
    Prove = 3,
    Proof = 4,
    Reject = 5,
}

/// Bytes before a message's body: its length, which counts what follows the length, and its kind.
const HEADER: usize = 3;

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Wire {
    received: Vec<u8>,
    /// How many of `received` have been filled.
    filled: usize,
    unsent: Vec<u8>,
    pub(super) transcript: Transcript,
    peer_is_ours: bool,
    prefaced: bool,
}

impl Wire {
    pub(super) fn new() -> Self {
        Self {
            // A message, and what a hasty peer sends behind it.
            received: vec![0; 2 * MAX_HANDSHAKE],
            filled: 0,
            unsent: Vec::new(),
            transcript: Transcript::default(),
            peer_is_ours: false,
            prefaced: false,
        }
    }

    pub(super) fn receive_buffer(&mut self) -> &mut [u8] {
        &mut self.received[self.filled..]
    }

    pub(super) fn received(&mut self, count: usize) {
        assert!(count <= self.received.len() - self.filled, "more was received than there was room for");
        self.filled += count;
    }

    pub(super) fn transmit(&self) -> &[u8] {
        &self.unsent
    }

    pub(super) fn transmitted(&mut self, count: usize) {
        self.unsent.drain(..count);
    }

    /// What is left in both directions, for the session to go on with.
    pub(super) fn take_rest(&mut self) -> (Vec<u8>, Vec<u8>) {
        let received = self.received[..self.filled].to_vec();
        self.filled = 0;
        (received, core::mem::take(&mut self.unsent))
    }

    /// The next message's body, `None` where more bytes have to come. Its header is in the transcript, its body is not yet:
    /// what reads it puts it there.
    pub(super) fn message(&mut self, kind: Kind) -> Result<Option<Vec<u8>>, HandshakeError> {
        if !self.preface()? || self.filled < HEADER {
            return Ok(None);
        }
        let length = usize::from(u16::from_be_bytes([self.received[0], self.received[1]])) + 2;
        if !(HEADER..=MAX_HANDSHAKE).contains(&length) {
            return Err(Malformed("a message's length is out of bounds"));
        }
        let found = self.received[2];
        if found != kind as u8 && (found != Kind::Reject as u8 || kind == Kind::Hello || kind == Kind::Prove) {
            return Err(Malformed("a message of another kind is due"));
        }
        if self.filled < length {
            return Ok(None);
        }
        self.transcript.update(&self.received[..HEADER]);
        let body = self.received[HEADER..length].to_vec();
        self.consume(length);
        if found == Kind::Reject as u8 { Err(read_reject(&body)?) } else { Ok(Some(body)) }
    }

    /// Whether the other side's preface has come.
    fn preface(&mut self) -> Result<bool, HandshakeError> {
        if self.peer_is_ours {
            return Ok(true);
        }
        let count = self.filled.min(PREFACE.len());
        if self.received[..count] != PREFACE[..count] {
            return Err(HandshakeError::NotOurs);
        }
        if count < PREFACE.len() {
            return Ok(false);
        }
        self.transcript.update(&PREFACE);
        self.consume(PREFACE.len());
        self.peer_is_ours = true;
        Ok(true)
    }

    fn consume(&mut self, count: usize) {
        self.received.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    /// Begins a message whose body has `length` bytes; [`Self::put`] has to put as many.
    pub(super) fn begin(&mut self, kind: Kind, length: usize) {
        debug_assert!(HEADER + length <= MAX_HANDSHAKE, "{length} bytes");
        if !self.prefaced {
            self.prefaced = true;
            self.put(&PREFACE);
        }
        let [high, low] = ((length + 1) as u16).to_be_bytes();
        self.put(&[high, low, kind as u8]);
    }

    /// Appends to the message that was begun.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.transcript.update(bytes);
        self.unsent.extend_from_slice(bytes);
    }

    /// A whole message.
    pub(super) fn send(&mut self, kind: Kind, body: &[u8]) {
        self.begin(kind, body.len());
        self.put(body);
    }

    /// Tells a client that there will be no session, and why. Its layout is the same in all versions.
    pub(super) fn reject(&mut self, reason: Rejected, text: &str, versions: Versions, release: &str) {
        let mut body = vec![reason.code()];
        put_versions(&mut body, versions);
        put_text(&mut body, release, MAX_FACT);
        put_text(&mut body, text, MAX_REJECT_TEXT);
        self.send(Kind::Reject, &body);
    }
}

/// What a rejection says. Its versions matter only where they are the reason; see [`Reject::into_error`].
#[derive(Debug)]
struct Reject {
    reason: Rejected,
    versions: Versions,
    release: String,
    text: String,
}

fn read_reject(body: &[u8]) -> Result<HandshakeError, HandshakeError> {
    let mut fields = Fields(body);
    let reject = Reject {
        reason: Rejected::from_code(fields.u8()?),
        versions: fields.versions()?,
        release: fields.text(MAX_FACT)?,
        text: fields.text(MAX_REJECT_TEXT)?,
    };
    Ok(reject.into_error())
}

impl Reject {
    fn into_error(self) -> HandshakeError {
        match self.reason {
            Rejected::Version => HandshakeError::Version {
                // The client fills in its own.
                ours: Versions { low: 0, high: 0 },
                our_release: String::new(),
                theirs: self.versions,
                their_release: self.release,
            },
            reason => HandshakeError::Rejected { reason, text: self.text },
        }
    }
}

pub(super) fn put_versions(body: &mut Vec<u8>, versions: Versions) {
    body.extend_from_slice(&versions.low.to_be_bytes());
    body.extend_from_slice(&versions.high.to_be_bytes());
}

/// One byte of length, and text cut to `limit`, at most 255.
pub(super) fn put_text(body: &mut Vec<u8>, text: &str, limit: usize) {
    let text = cut(text, limit);
    body.push(text.len() as u8);
    body.extend_from_slice(text.as_bytes());
}

/// All facts but the release, which stands at the head of the first messages.
pub(super) fn put_facts(body: &mut Vec<u8>, facts: &Facts) {
    for text in [&facts.os, &facts.architecture, &facts.host] {
        put_text(body, text, MAX_FACT);
    }
}

/// A message's fields, from its first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], HandshakeError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Malformed("a message ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], HandshakeError> {
        self.bytes(N).map(|bytes| bytes.try_into().expect("there are as many as asked for"))
    }

    pub(super) fn u8(&mut self) -> Result<u8, HandshakeError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, HandshakeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, HandshakeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, HandshakeError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn versions(&mut self) -> Result<Versions, HandshakeError> {
        let versions = Versions { low: self.u16()?, high: self.u16()? };
        if versions.low > versions.high {
            return Err(Malformed("the lowest version is above the highest"));
        }
        Ok(versions)
    }

    pub(super) fn text(&mut self, limit: usize) -> Result<String, HandshakeError> {
        let length = usize::from(self.u8()?);
        if length > limit {
            return Err(Malformed("a text is longer than it may be"));
        }
        shown(self.bytes(length)?).ok_or(Malformed("a text is not UTF-8"))
    }

    pub(super) fn facts(&mut self, release: String) -> Result<Facts, HandshakeError> {
        Ok(Facts { release, os: self.text(MAX_FACT)?, architecture: self.text(MAX_FACT)?, host: self.text(MAX_FACT)? })
    }

    pub(super) fn end(self) -> Result<(), HandshakeError> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("a message goes on after its end")) }
    }
}
