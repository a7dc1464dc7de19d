//! Frames as bytes: channel, kind and flags, body, checksum.

use super::cobs;
use super::crc::Crc;
use super::event::Violation;
use super::incarnation::Incarnation;
use crate::limits::MAX_LINE_RANGES;
use crate::options::Channel;
use alloc::vec::Vec;

/// The checksum, in bytes.
const CHECK: usize = 4;

/// The bytes of a frame of data beside the data: stuffing, channel, kind, offset, checksum and the zero.
pub(super) const OVERHEAD: usize = 1 + 1 + 1 + 3 + CHECK + 1;

const STREAM: u8 = 0x00;
const HELLO: u8 = 0x10;
const GONE: u8 = 0x20;
const KIND: u8 = 0xf0;

/// Of a stream frame: it has data.
const DATA: u8 = 1;
/// Of a stream frame: it has an acknowledgement.
const ACK: u8 = 2;
/// Of a stream frame: the stream ends behind its data.
const LAST: u8 = 4;
/// Of a stream frame and of a hello: an answer is wanted.
const WANT: u8 = 8;
/// Of a frame that says who is gone: all was received, both ways.
const CLEAN: u8 = 1;

/// What is said once the two ends of a channel know each other.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Stream<'a> {
    pub(super) ack: Option<Ack>,
    pub(super) data: Option<Data<'a>>,
    pub(super) want: bool,
}

/// What has arrived, and how far the other side may go.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Ack {
    /// Everything before it has arrived.
    pub(super) next: [u8; 3],
    /// Nothing may be sent from here on.
    pub(super) limit: [u8; 3],
    /// What has arrived behind `next`: so many bytes are lacking, then so many are there; at most [`MAX_LINE_RANGES`] of these.
    pub(super) ranges: Vec<(u64, u64)>,
}

/// A piece of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Data<'a> {
    pub(super) offset: [u8; 3],
    pub(super) bytes: &'a [u8],
    pub(super) is_last: bool,
}

/// The sender's end of the channel is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Hello {
    pub(super) mine: Incarnation,
    /// The receiver's, where the sender knows it.
    pub(super) yours: Option<Incarnation>,
    /// How much may be sent before there is an acknowledgement, in bytes.
    pub(super) window: [u8; 3],
    /// A hello is to be the answer.
    pub(super) want: bool,
}

/// An answer to who spoke to an end that is not open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gone {
    /// Who spoke.
    pub(super) to: Incarnation,
    /// To whom; none where nobody was known to be here.
    pub(super) about: Option<Incarnation>,
    /// It ended in good order: all was received, both ways.
    pub(super) clean: bool,
}

/// A frame whose checksum may still have to be compared.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    Hello(Hello),
    Gone(Gone),
    Stream(Sealed<'a>),
}

/// A stream frame: only who knows both ends can check it.
#[derive(Debug)]
pub(super) struct Sealed<'a> {
    covered: &'a [u8],
    check: [u8; CHECK],
}

/// Takes a frame's content apart, `None` for what is no frame.
pub(super) fn parse(content: &[u8]) -> Option<(Channel, Frame<'_>)> {
    let (covered, check) = content.split_last_chunk::<CHECK>()?;
    let [channel, kind, body @ ..] = covered else { return None };
    let channel = Channel::new(*channel)?;
    let sealed = Sealed { covered, check: *check };
    let frame = match kind & KIND {
        STREAM => Frame::Stream(sealed),
        HELLO if sealed.fits(Crc::new()) => Frame::Hello(parse_hello(kind & WANT != 0, body)?),
        GONE if sealed.fits(Crc::new()) => Frame::Gone(parse_gone(kind & CLEAN != 0, body)?),
        _ => return None,
    };
    Some((channel, frame))
}

// What follows in a longer body is a later release's.
fn parse_hello(want: bool, body: &[u8]) -> Option<Hello> {
    let (mine, body) = body.split_first_chunk()?;
    let (yours, body) = body.split_first_chunk()?;
    let window = *body.first_chunk()?;
    Some(Hello { mine: Incarnation::from_bytes(*mine)?, yours: Incarnation::from_bytes(*yours), window, want })
}

fn parse_gone(clean: bool, body: &[u8]) -> Option<Gone> {
    let (to, body) = body.split_first_chunk()?;
    let about = Incarnation::from_bytes(*body.first_chunk()?);
    Some(Gone { to: Incarnation::from_bytes(*to)?, about, clean })
}

impl<'a> Sealed<'a> {
    /// Whether the checksum is right when it starts with `seed`.
    pub(super) fn fits(&self, seed: Crc) -> bool {
        seed.with(self.covered).value().to_be_bytes() == self.check
    }

    /// Takes the rest apart.
    pub(super) fn open(&self) -> Result<Stream<'a>, Violation> {
        let flags = self.covered[1];
        let mut body = &self.covered[2..];
        let ack = if flags & ACK == 0 { None } else { Some(parse_ack(&mut body).ok_or(Violation::Malformed)?) };
        let is_last = flags & LAST != 0;
        let data = if flags & DATA != 0 {
            let (offset, bytes) = body.split_first_chunk().ok_or(Violation::Malformed)?;
            Some(Data { offset: *offset, bytes, is_last })
        } else if body.is_empty() && !is_last {
            None
        } else {
            return Err(Violation::Malformed);
        };
        Ok(Stream { ack, data, want: flags & WANT != 0 })
    }
}

fn parse_ack(body: &mut &[u8]) -> Option<Ack> {
    let (next, rest) = body.split_first_chunk()?;
    let (limit, rest) = rest.split_first_chunk()?;
    let (&count, rest) = rest.split_first()?;
    *body = rest;
    if usize::from(count) > MAX_LINE_RANGES {
        return None;
    }
    let ranges: Option<_> = (0..count).map(|_| Some((parse_length(body)?, parse_length(body)?))).collect();
    Some(Ack { next: *next, limit: *limit, ranges: ranges? })
}

/// Seven bits in each byte, low ones first; the top bit says that more follow. At most three bytes, and not zero.
fn parse_length(body: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in [0, 7, 14] {
        let (&byte, rest) = body.split_first()?;
        *body = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return (value > 0).then_some(value);
        }
    }
    None
}

fn emit_length(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a frame with its zero to `out`.
pub(super) fn emit(channel: Channel, kind: u8, seed: Crc, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::from([channel.get(), kind]);
    body(&mut content);
    let check = seed.with(&content).value();
    content.extend(check.to_be_bytes());
    cobs::encode(&content, out);
    out.push(0);
}

impl Hello {
    pub(super) fn emit(&self, channel: Channel, out: &mut Vec<u8>) {
        let kind = HELLO | if self.want { WANT } else { 0 };
        emit(channel, kind, Crc::new(), out, |body| {
            body.extend(Incarnation::bytes(Some(self.mine)));
            body.extend(Incarnation::bytes(self.yours));
            body.extend(self.window);
        });
    }
}

impl Gone {
    pub(super) fn emit(&self, channel: Channel, out: &mut Vec<u8>) {
        let kind = GONE | if self.clean { CLEAN } else { 0 };
        emit(channel, kind, Crc::new(), out, |body| {
            body.extend(Incarnation::bytes(Some(self.to)));
            body.extend(Incarnation::bytes(self.about));
        });
    }
}

impl Stream<'_> {
    pub(super) fn emit(&self, channel: Channel, seed: Crc, out: &mut Vec<u8>) {
        let mut kind = STREAM | if self.want { WANT } else { 0 };
        if self.ack.is_some() {
            kind |= ACK;
        }
        if let Some(data) = &self.data {
            kind |= if data.is_last { DATA | LAST } else { DATA };
        }
        emit(channel, kind, seed, out, |body| {
            if let Some(ack) = &self.ack {
                body.extend(ack.next);
                body.extend(ack.limit);
                body.push(ack.ranges.len() as u8);
                for &(gap, length) in &ack.ranges {
                    emit_length(gap, body);
                    emit_length(length, body);
                }
            }
            if let Some(data) = &self.data {
                body.extend(data.offset);
                body.extend_from_slice(data.bytes);
            }
        });
    }
}
