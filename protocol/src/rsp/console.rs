//! What the user types for the program: `I`. Its output is [`super::server::Server::console`].

use alloc::vec::Vec;

use super::packet::hex;
use super::request::Malformed;

/// A request about the console of the programs that the session has started. Answered with OK or an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `I TEXT`, LLDB's: decoded.
    Type(&'a [u8]),
}

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if the text is not hex.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        let [b'I', text @ ..] = body else { return Ok(None) };
        hex::decode_in_place(text).map(|text| Some(Self::Type(text))).ok_or(Malformed("console"))
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let Self::Type(text) = *self;
        out.push(b'I');
        hex::encode(out, text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, parses, round_trip};

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(text: Vec<u8>) {
            round_trip(&Request::Type(&text).into());
        }
    }

    #[test]
    fn what_is_typed_comes_in_hex() {
        parses(b"I61620a", &Request::Type(b"ab\n").into());
        malformed(b"I6");
        malformed(b"Ixx");
    }
}
