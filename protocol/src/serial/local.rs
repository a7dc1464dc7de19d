//! What the processes of one machine that share a line say to each other beside the line's frames.
//!
//! It goes in frames as well, of channel 255, which no line carries. They pass through a socket, and need no checksum.

use super::cobs;
use crate::options::{Baud, Channel};
use alloc::vec::Vec;
use thiserror::Error;

/// The channel's number of these frames.
const LOCAL: u8 = 255;

/// What is spoken here. Another release may speak another.
const VERSION: u8 = 1;

const JOIN: u8 = 0x01;
const LEAVE: u8 = 0x02;
const SAY: u8 = 0x03;
const JOINED: u8 = 0x11;
const REFUSED: u8 = 0x12;
const TAKEN: u8 = 0x13;
const PLAIN_BEGINS: u8 = 0x14;
const PLAIN: u8 = 0x15;
const PLAIN_ENDS: u8 = 0x16;

/// Of a join: it would serve a plain debugger.
const SERVES: u8 = 1;
/// Of a join: it serves a plain debugger already.
const IS_PLAIN: u8 = 2;

/// A member of a line wants a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Join {
    pub(super) channel: Channel,
    pub(super) baud: Baud,
    pub(super) serves: bool,
    pub(super) is_plain: bool,
}

/// What a member says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ToSwitch<'a> {
    /// Always first. `None`: in words of another release.
    Join(Option<Join>),
    /// All is said, to the other side too.
    Leave,
    /// For a plain debugger.
    Say(&'a [u8]),
}

/// What a switch says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ToMember<'a> {
    Joined,
    Refused(Refusal),
    /// A frame of the member was handed to the line's driver.
    Taken,
    /// A plain debugger is on the line.
    PlainBegins,
    /// It says.
    Plain(&'a [u8]),
    /// It is gone, or another has come.
    PlainEnds,
}

/// Why a member gets no channel.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// Another process has it.
    #[error("the channel is in use by another process on this machine")]
    InUse,
    /// The line runs at another rate, which was set by who came first.
    #[error("the line is in use at {} baud", .0.get())]
    OtherRate(Baud),
    /// Another release has the port.
    #[error("the port is shared by another release of this program, which does not understand this one")]
    OtherRelease,
}

impl Refusal {
    fn bytes(self) -> [u8; 5] {
        let (code, rate) = match self {
            Self::InUse => (1, 0),
            Self::OtherRate(baud) => (2, baud.get()),
            Self::OtherRelease => (3, 0),
        };
        let [a, b, c, d] = rate.to_be_bytes();
        [code, a, b, c, d]
    }

    /// What is not known is another release's.
    fn parse(body: &[u8]) -> Self {
        match body {
            [1, ..] => Self::InUse,
            [2, rate @ ..] => {
                let rate = rate.first_chunk().and_then(|rate| Baud::new(u32::from_be_bytes(*rate)));
                rate.map_or(Self::OtherRelease, Self::OtherRate)
            }
            _ => Self::OtherRelease,
        }
    }
}

/// Whether a frame's content is for this machine alone, and then what is behind the channel's number.
fn local(content: &[u8]) -> Option<(u8, &[u8])> {
    match content {
        [LOCAL, kind, body @ ..] => Some((*kind, body)),
        _ => None,
    }
}

impl<'a> ToSwitch<'a> {
    /// `None` where it is no frame of this kind.
    pub(super) fn parse(content: &'a [u8]) -> Option<Self> {
        let (kind, body) = local(content)?;
        match kind {
            JOIN => Some(Self::Join(Join::parse(body))),
            LEAVE => Some(Self::Leave),
            SAY => Some(Self::Say(body)),
            _ => None,
        }
    }

    pub(super) fn emit(self, out: &mut Vec<u8>) {
        match self {
            Self::Join(join) => emit(JOIN, &join.map_or([0; 7], Join::bytes), out),
            Self::Leave => emit(LEAVE, &[], out),
            Self::Say(bytes) => emit(SAY, bytes, out),
        }
    }
}

impl Join {
    fn parse(body: &[u8]) -> Option<Self> {
        let [VERSION, channel, flags, rate @ ..] = body else { return None };
        Some(Self {
            channel: Channel::new(*channel)?,
            baud: Baud::new(u32::from_be_bytes(*rate.first_chunk()?))?,
            serves: flags & SERVES != 0,
            is_plain: flags & IS_PLAIN != 0,
        })
    }

    fn bytes(self) -> [u8; 7] {
        let flags = if self.serves { SERVES } else { 0 } | if self.is_plain { IS_PLAIN } else { 0 };
        let [a, b, c, d] = self.baud.get().to_be_bytes();
        [VERSION, self.channel.get(), flags, a, b, c, d]
    }
}

impl<'a> ToMember<'a> {
    /// `None` where it is no frame of this kind.
    pub(super) fn parse(content: &'a [u8]) -> Option<Self> {
        let (kind, body) = local(content)?;
        match kind {
            JOINED => Some(Self::Joined),
            REFUSED => Some(Self::Refused(Refusal::parse(body))),
            TAKEN => Some(Self::Taken),
            PLAIN_BEGINS => Some(Self::PlainBegins),
            PLAIN => Some(Self::Plain(body)),
            PLAIN_ENDS => Some(Self::PlainEnds),
            _ => None,
        }
    }

    pub(super) fn emit(self, out: &mut Vec<u8>) {
        match self {
            Self::Joined => emit(JOINED, &[], out),
            Self::Refused(refusal) => emit(REFUSED, &refusal.bytes(), out),
            Self::Taken => emit(TAKEN, &[], out),
            Self::PlainBegins => emit(PLAIN_BEGINS, &[], out),
            Self::Plain(bytes) => emit(PLAIN, bytes, out),
            Self::PlainEnds => emit(PLAIN_ENDS, &[], out),
        }
    }
}

fn emit(kind: u8, body: &[u8], out: &mut Vec<u8>) {
    let mut content = Vec::from([LOCAL, kind]);
    content.extend_from_slice(body);
    cobs::encode(&content, out);
    out.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(emit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let (mut out, mut content) = (Vec::new(), Vec::new());
        emit(&mut out);
        assert_eq!(out.pop(), Some(0));
        assert!(cobs::decode(&out, &mut content));
        content
    }

    #[test]
    fn what_is_said_is_understood() {
        let baud = Baud::new(115_200).unwrap();
        let join = Join { channel: Channel::new(254).unwrap(), baud, serves: true, is_plain: false };
        for said in [ToSwitch::Join(Some(join)), ToSwitch::Leave, ToSwitch::Say(b"$\0#00")] {
            assert_eq!(ToSwitch::parse(&content(|out| said.emit(out))), Some(said));
        }
        for said in [
            ToMember::Joined,
            ToMember::Refused(Refusal::OtherRate(baud)),
            ToMember::Refused(Refusal::InUse),
            ToMember::Taken,
            ToMember::PlainBegins,
            ToMember::Plain(b"+"),
            ToMember::PlainEnds,
        ] {
            assert_eq!(ToMember::parse(&content(|out| said.emit(out))), Some(said));
        }
    }

    #[test]
    fn another_release_is_told_from_noise() {
        assert_eq!(ToSwitch::parse(&[LOCAL, JOIN, 9, 9]), Some(ToSwitch::Join(None)));
        assert_eq!(ToSwitch::parse(&[LOCAL, 0x7f]), None);
        assert_eq!(ToSwitch::parse(&[254, JOIN]), None);
        assert_eq!(ToMember::parse(&[LOCAL, REFUSED, 77]), Some(ToMember::Refused(Refusal::OtherRelease)));
    }
}
