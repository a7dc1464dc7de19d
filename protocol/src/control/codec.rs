//! Messages to bytes and back.

use crate::limits::MAX_CONTROL;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The length before each message, in bytes.
const HEADER: usize = 4;

/// What a peer sent that is no message.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CodecError {
    /// Longer than [`MAX_CONTROL`].
    #[error("a control message of {0} bytes")]
    TooLong(u32),
    /// Not the JSON that it should be, or a request, answer or event of a later release; its id is told where it has one, so
    /// that it can be answered.
    #[error("not a control message: {text}")]
    Malformed {
        /// The id.
        id: Option<u32>,
        /// What is wrong.
        text: String,
    },
}

/// Appends a message to `out`.
///
/// # Errors
/// [`CodecError::TooLong`], and [`CodecError::Malformed`] where it can't be told in JSON, which holds for none of this module's;
/// `out` is as before then.
pub fn encode(message: &impl Serialize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let json =
        serde_json::to_vec(message).map_err(|error| CodecError::Malformed { id: None, text: error.to_string() })?;
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    if json.len() > MAX_CONTROL {
        return Err(CodecError::TooLong(length));
    }
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&json);
    Ok(())
}

/// Finds messages in a byte stream.
#[derive(Debug, Default)]
pub struct Codec {
    buffer: Vec<u8>,
    /// How much of the buffer is done with.
    head: usize,
    /// The length of a message that is too long.
    failed: Option<u32>,
}

impl Codec {
    /// Takes bytes of the stream. Poll until there is no message before the next bytes: then, beside these, no more
    /// than one message is ever kept.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.drain(..self.head);
        self.head = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message. Fields that are not known are passed over.
    ///
    /// # Errors
    /// After [`CodecError::TooLong`] the stream is of no more use; a malformed message is skipped.
    pub fn poll<T: DeserializeOwned>(&mut self) -> Result<Option<T>, CodecError> {
        let Some(range) = self.next()? else {
            return Ok(None);
        };
        self.head = range.end;
        let message = &self.buffer[range];
        serde_json::from_slice(message).map(Some).map_err(|error| malformed(message, &error))
    }

    /// Where in the buffer the next message's JSON is.
    fn next(&mut self) -> Result<Option<Range<usize>>, CodecError> {
        if let Some(length) = self.failed {
            return Err(CodecError::TooLong(length));
        }
        let Some(header) = self.buffer[self.head..].first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*header);
        if length as usize > MAX_CONTROL {
            *self = Self { failed: Some(length), ..Self::default() };
            return Err(CodecError::TooLong(length));
        }
        let start = self.head + HEADER;
        let end = start + length as usize;
        Ok((end <= self.buffer.len()).then_some(start..end))
    }
}

fn malformed(message: &[u8], error: &serde_json::Error) -> CodecError {
    /// What any message with an id has.
    #[derive(Deserialize)]
    struct Head {
        id: u32,
    }
    let id = serde_json::from_slice::<Head>(message).ok().map(|head| head.id);
    CodecError::Malformed { id, text: error.to_string() }
}
