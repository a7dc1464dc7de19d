//! Messages to bytes and back.

use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// What a peer sent that is no message.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CodecError {
    /// Longer than [`crate::limits::MAX_CONTROL`].
    #[error("a control message of {0} bytes")]
    TooLong(u32),
    /// Not the JSON that it should be; its id is told where it has one, so that it can be answered.
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
/// [`CodecError::TooLong`]; `out` is as before then.
pub fn encode(message: &impl Serialize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let _ = (message, out);
    unimplemented!()
}

/// Finds messages in a byte stream.
#[derive(Debug, Default)]
pub struct Codec {}

impl Codec {
    /// Takes bytes of the stream; at most one message more than [`Self::poll`] has given is kept.
    pub fn receive(&mut self, bytes: &[u8]) {
        let _ = bytes;
        unimplemented!()
    }

    /// The next message.
    ///
    /// # Errors
    /// After [`CodecError::TooLong`] the stream is of no more use; a malformed message is skipped.
    pub fn poll<T: DeserializeOwned>(&mut self) -> Result<Option<T>, CodecError> {
        unimplemented!()
    }
}
