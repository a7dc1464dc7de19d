//! The body of the fuzz target `control`.

use super::{Ask, Codec, CodecError, FromServer, encode};
use alloc::vec::Vec;
use core::fmt::Debug;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads `data` as what a client and what a server sends: as a stream, in pieces, and as the JSON of one message.
///
/// # Panics
/// Where a message that is understood is another one after it was sent again, or where pieces make a difference.
pub fn control(data: &[u8]) {
    one_direction::<Ask>(data);
    one_direction::<FromServer>(data);
}

fn one_direction<T: DeserializeOwned + Serialize + Clone + PartialEq + Debug>(data: &[u8]) {
    let whole = messages::<T>(data, usize::MAX);
    assert_eq!(whole, messages::<T>(data, 3));
    let framed = [&(data.len() as u32).to_be_bytes()[..], data].concat();
    for message in whole.iter().chain(&messages::<T>(&framed, usize::MAX)).flatten() {
        let mut bytes = Vec::new();
        // Escapes make some messages longer than they came.
        if encode(message, &mut bytes).is_ok() {
            assert_eq!(messages::<T>(&bytes, usize::MAX).first(), Some(&Ok(message.clone())));
        }
    }
}

/// All that is in a stream that comes in pieces of `size`, up to what nothing comes after.
fn messages<T: DeserializeOwned>(data: &[u8], size: usize) -> Vec<Result<T, CodecError>> {
    let mut codec = Codec::default();
    let mut messages = Vec::new();
    for piece in data.chunks(size.min(data.len()).max(1)) {
        codec.receive(piece);
        while let Some(message) = codec.poll().transpose() {
            let over = matches!(message, Err(CodecError::TooLong(_)));
            messages.push(message);
            if over {
                return messages;
            }
        }
    }
    messages
}
