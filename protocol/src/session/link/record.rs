//! The kinds of records, and codes in them.

use super::super::text::{cut, shown};
use super::SessionError;
use crate::limits::MAX_CLOSE_TEXT;
use alloc::string::String;
use alloc::vec::Vec;

/// The kind of a record that carries a message.
pub(super) const MESSAGE: u8 = 0;
const ACK: u8 = 1;
const PING: u8 = 2;
const PONG: u8 = 3;
const CLOSE: u8 = 4;

/// Why a session is closed, for the other side's program; the text beside it is for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CloseCode {
    /// The side that closes is done.
    Done,
    /// The server ends.
    ServerEnds,
    /// Somebody ended this session through the server.
    Ended,
    /// The other side broke the protocol.
    Protocol,
    /// The connection was cut for longer than the session lingers.
    Lost,
    /// A code of a later release.
    Other(u8),
}

impl CloseCode {
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::ServerEnds => 1,
            Self::Ended => 2,
            Self::Protocol => 3,
            Self::Lost => 4,
            Self::Other(code) => code,
        }
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Done,
            1 => Self::ServerEnds,
            2 => Self::Ended,
            3 => Self::Protocol,
            4 => Self::Lost,
            _ => Self::Other(code),
        }
    }
}

/// A record that carries no message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Control {
    /// So many messages have been received since the session began.
    Ack(u64),
    /// To be answered.
    Ping,
    /// The answer.
    Pong,
    /// The session is over.
    Close(CloseCode, String),
}

impl Control {
    /// The kind, and what follows it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ack(received) => {
                out.push(ACK);
                out.extend_from_slice(&received.to_be_bytes());
            }
            Self::Ping => out.push(PING),
            Self::Pong => out.push(PONG),
            Self::Close(code, text) => {
                out.extend_from_slice(&[CLOSE, code.code()]);
                out.extend_from_slice(cut(text, MAX_CLOSE_TEXT).as_bytes());
            }
        }
    }

    /// The reverse of [`Self::write`].
    pub(super) fn read(kind: u8, payload: &[u8]) -> Result<Self, SessionError> {
        const LENGTH: SessionError = SessionError::Malformed("a record has the wrong length");
        match (kind, payload) {
            (ACK, _) => Ok(Self::Ack(u64::from_be_bytes(payload.try_into().map_err(|_| LENGTH)?))),
            (PING, []) => Ok(Self::Ping),
            (PONG, []) => Ok(Self::Pong),
            (CLOSE, [code, text @ ..]) if text.len() <= MAX_CLOSE_TEXT => {
                let text = shown(text).ok_or(SessionError::Malformed("a text is not UTF-8"))?;
                Ok(Self::Close(CloseCode::from_code(*code), text))
            }
            (PING | PONG | CLOSE, _) => Err(LENGTH),
            _ => Err(SessionError::Malformed("a record's kind is unknown")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_control_record_reads_as_it_was_written() {
        let cases = [
            Control::Ack(7),
            Control::Ping,
            Control::Pong,
            Control::Close(CloseCode::Ended, "enough".to_string()),
            Control::Close(CloseCode::Other(200), String::new()),
        ];
        for control in cases {
            let mut bytes = Vec::new();
            control.write(&mut bytes);
            assert_eq!(Control::read(bytes[0], &bytes[1..]), Ok(control));
        }
    }

    #[test]
    fn a_control_record_of_another_length_is_refused() {
        let long = [b'a'; MAX_CLOSE_TEXT + 2];
        for (kind, payload) in
            [(ACK, &[0; 7][..]), (ACK, &[0; 9]), (PING, &[0]), (PONG, &[0]), (CLOSE, &[]), (CLOSE, &long)]
        {
            assert!(Control::read(kind, payload).is_err(), "{kind} with {} bytes", payload.len());
        }
        assert!(Control::read(9, &[]).is_err());
    }
}
