//! Frames as bytes: channel, kind, body.

use super::{Channel, Code, Kind, MuxError};
use crate::limits::{MAX_CHANNEL_TEXT, MAX_MESSAGE};
use alloc::vec::Vec;
use core::str;

/// Channel and kind, in bytes.
const HEADER: usize = 2;

/// Most data in one frame, in bytes.
pub(super) const MAX_DATA: usize = MAX_MESSAGE - HEADER;

const OPEN: u8 = 1;
const ACCEPT: u8 = 2;
const REFUSE: u8 = 3;
const DATA: u8 = 4;
const CREDIT: u8 = 5;
const BLOCKED: u8 = 6;
const FINISH: u8 = 7;
const RESET: u8 = 8;
const CLOSE: u8 = 9;

/// What one side tells the other about a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Frame<'a> {
    /// A new channel.
    Open { kind: Kind, label: &'a str },
    /// It is welcome.
    Accept,
    /// It is not. The sender's last frame.
    Refuse { code: Code, text: &'a str },
    /// Bytes of the stream, one at least.
    Data(&'a [u8]),
    /// So many bytes more may be sent.
    Credit(u32),
    /// There is data, but no credit is left.
    Blocked,
    /// No more data comes.
    Finish,
    /// The sender is done with this channel, whatever may come. Its last frame.
    Reset { code: Code, text: &'a str },
    /// Both sides have finished, or the other has refused or reset. The sender's last frame.
    Close,
}

impl<'a> Frame<'a> {
    /// Takes a message apart.
    pub(super) fn parse(message: &'a [u8]) -> Result<(Channel, Self), MuxError> {
        if message.len() > MAX_MESSAGE {
            return Err(MuxError::Malformed("too long"));
        }
        let [channel, kind, body @ ..] = message else {
            return Err(MuxError::Malformed("shorter than its header"));
        };
        let frame = match *kind {
            OPEN => coded(body).map(|(kind, label)| Self::Open { kind: Kind::from_byte(kind), label })?,
            REFUSE => coded(body).map(|(code, text)| Self::Refuse { code: Code::from_byte(code), text })?,
            RESET => coded(body).map(|(code, text)| Self::Reset { code: Code::from_byte(code), text })?,
            DATA if body.is_empty() => return Err(MuxError::Malformed("no data")),
            DATA => Self::Data(body),
            CREDIT => Self::Credit(credit(body)?),
            ACCEPT => bare(body, Self::Accept)?,
            BLOCKED => bare(body, Self::Blocked)?,
            FINISH => bare(body, Self::Finish)?,
            CLOSE => bare(body, Self::Close)?,
            _ => return Err(MuxError::Malformed("unknown kind")),
        };
        Channel::new(*channel).map(|channel| (channel, frame)).ok_or(MuxError::NotOpen(*channel))
    }

    /// Appends the frame to `out`. Text that is too long is cut off.
    pub(super) fn emit(&self, channel: Channel, out: &mut Vec<u8>) {
        let mut header = |kind| out.extend_from_slice(&[channel.number(), kind]);
        match *self {
            Self::Open { kind, label } => {
                header(OPEN);
                emit_coded(kind.byte(), label, out);
            }
            Self::Refuse { code, text } => {
                header(REFUSE);
                emit_coded(code.byte(), text, out);
            }
            Self::Reset { code, text } => {
                header(RESET);
                emit_coded(code.byte(), text, out);
            }
            Self::Data(bytes) => {
                header(DATA);
                out.extend_from_slice(bytes);
            }
            Self::Credit(credit) => {
                header(CREDIT);
                out.extend_from_slice(&credit.to_be_bytes());
            }
            Self::Accept => header(ACCEPT),
            Self::Blocked => header(BLOCKED),
            Self::Finish => header(FINISH),
            Self::Close => header(CLOSE),
        }
    }

    /// The kind, for people.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Accept => "accept",
            Self::Refuse { .. } => "refuse",
            Self::Data(_) => "data",
            Self::Credit(_) => "credit",
            Self::Blocked => "blocked",
            Self::Finish => "finish",
            Self::Reset { .. } => "reset",
            Self::Close => "close",
        }
    }
}

/// A byte and a text.
fn coded(body: &[u8]) -> Result<(u8, &str), MuxError> {
    let [byte, text @ ..] = body else {
        return Err(MuxError::Malformed("no code"));
    };
    if text.len() > MAX_CHANNEL_TEXT {
        return Err(MuxError::Malformed("text too long"));
    }
    match str::from_utf8(text) {
        Ok(text) => Ok((*byte, text)),
        Err(_) => Err(MuxError::Malformed("text is not UTF-8")),
    }
}

fn emit_coded(byte: u8, text: &str, out: &mut Vec<u8>) {
    out.push(byte);
    out.extend_from_slice(cut(text).as_bytes());
}

/// As much of `text` as a frame holds.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_CHANNEL_TEXT)]
}

fn credit(body: &[u8]) -> Result<u32, MuxError> {
    match body.try_into().map(u32::from_be_bytes) {
        Ok(0) => Err(MuxError::Malformed("no credit")),
        Ok(credit) => Ok(credit),
        Err(_) => Err(MuxError::Malformed("credit of wrong length")),
    }
}

fn bare<'a>(body: &[u8], frame: Frame<'a>) -> Result<Frame<'a>, MuxError> {
    if body.is_empty() { Ok(frame) } else { Err(MuxError::Malformed("bytes after its end")) }
}
