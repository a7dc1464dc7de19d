//! Memory: `m`, `M`, `x`, `X`, `qSearch:memory`, `qCRC` (GDB manual, "Packets").

use alloc::vec::Vec;

use super::field;
use super::packet::{escape, hex};
use super::request::Malformed;

/// How the bytes of a memory read travel back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// Two hex digits a byte (`m`).
    Hex,
    /// Escaped binary after a `b` (`x`, GDB 16 and later).
    Binary,
}

/// A memory request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `m ADDR,LENGTH` or `x ADDR,LENGTH`. A reply may hold fewer bytes, from `address` on.
    Read {
        /// First byte's address.
        address: u64,
        /// Bytes asked for. The server's machine lowers it to what a reply can hold.
        length: u64,
        /// How they travel.
        encoding: Encoding,
    },
    /// `M` or `X`: all of `data` or an error.
    Write {
        /// First byte's address.
        address: u64,
        /// The bytes, decoded.
        data: &'a [u8],
    },
    /// `qSearch:memory:ADDR;LENGTH;PATTERN`.
    Search {
        /// Where to begin.
        address: u64,
        /// Bytes to look through.
        length: u64,
        /// What to look for, decoded.
        pattern: &'a [u8],
    },
    /// `qCRC:ADDR,LENGTH`.
    Checksum {
        /// First byte's address.
        address: u64,
        /// Bytes to sum.
        length: u64,
    },
}

const SEARCH: &[u8] = b"qSearch:memory:";
const CHECKSUM: &[u8] = b"qCRC:";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if a number is missing or the data is not what its length says.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        match body {
            [b'm', rest @ ..] => read(rest, Encoding::Hex).ok_or(Malformed("memory read")).map(Some),
            [b'x', rest @ ..] => read(rest, Encoding::Binary).ok_or(Malformed("memory read")).map(Some),
            [b'M', rest @ ..] => write(rest, hex::decode_in_place).ok_or(Malformed("memory write")).map(Some),
            [b'X', rest @ ..] => write(rest, escape::decode_in_place).ok_or(Malformed("memory write")).map(Some),
            _ if body.starts_with(SEARCH) => {
                search(&mut body[SEARCH.len()..]).ok_or(Malformed("memory search")).map(Some)
            }
            _ if body.starts_with(CHECKSUM) => checksum(&body[CHECKSUM.len()..]).ok_or(Malformed("qCRC")).map(Some),
            _ => Ok(None),
        }
    }

    /// Appends the body. A write goes out in binary (`X`).
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Read { address, length, encoding } => {
                out.push(if encoding == Encoding::Hex { b'm' } else { b'x' });
                put_pair(out, address, b',', length);
            }
            Self::Write { address, data } => {
                out.push(b'X');
                put_pair(out, address, b',', data.len() as u64);
                out.push(b':');
                escape::encode(out, data);
            }
            Self::Search { address, length, pattern } => {
                out.extend_from_slice(SEARCH);
                put_pair(out, address, b';', length);
                out.push(b';');
                escape::encode(out, pattern);
            }
            Self::Checksum { address, length } => {
                out.extend_from_slice(CHECKSUM);
                put_pair(out, address, b',', length);
            }
        }
    }
}

/// Appends the body of a write for servers that know no `X`.
pub(crate) fn put_hex_write(out: &mut Vec<u8>, address: u64, data: &[u8]) {
    out.push(b'M');
    put_pair(out, address, b',', data.len() as u64);
    out.push(b':');
    hex::encode(out, data);
}

fn read<'a>(text: &[u8], encoding: Encoding) -> Option<Request<'a>> {
    let (address, length) = field::pair(text, b',')?;
    Some(Request::Read { address, length, encoding })
}

fn write(text: &mut [u8], decode: fn(&mut [u8]) -> Option<&mut [u8]>) -> Option<Request<'_>> {
    let (head, data) = field::split_at_mut(text, b':')?;
    let (address, length) = field::pair(head, b',')?;
    let data = decode(data)?;
    (data.len() as u64 == length).then_some(Request::Write { address, data })
}

fn search(text: &mut [u8]) -> Option<Request<'_>> {
    let (address, rest) = field::split_at_mut(text, b';')?;
    let (length, pattern) = field::split_at_mut(rest, b';')?;
    let (address, length) = (field::whole(address)?, field::whole(length)?);
    let pattern = escape::decode_in_place(pattern)?;
    (!pattern.is_empty()).then_some(Request::Search { address, length, pattern })
}

fn checksum<'a>(text: &[u8]) -> Option<Request<'a>> {
    let (address, length) = field::pair(text, b',')?;
    Some(Request::Checksum { address, length })
}

fn put_pair(out: &mut Vec<u8>, first: u64, separator: u8, second: u64) {
    field::put_number(out, first);
    out.push(separator);
    field::put_number(out, second);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, parses, round_trip};

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(address: u64, length: u64, data: Vec<u8>, binary: bool) {
            let encoding = if binary { Encoding::Binary } else { Encoding::Hex };
            round_trip(&Request::Read { address, length, encoding }.into());
            round_trip(&Request::Write { address, data: &data }.into());
            round_trip(&Request::Checksum { address, length }.into());
            if !data.is_empty() {
                round_trip(&Request::Search { address, length, pattern: &data }.into());
            }
        }
    }

    #[test]
    fn data_comes_in_hex_and_in_binary() {
        parses(b"M7fff0,3:0aFF00", &Request::Write { address: 0x7fff0, data: &[0x0a, 0xff, 0] }.into());
        parses(b"X10,2:}\x03:", &Request::Write { address: 0x10, data: b"#:" }.into());
        parses(b"X0,0:", &Request::Write { address: 0, data: b"" }.into());
    }

    #[test]
    fn lengths_that_do_not_fit_and_missing_fields_are_refused() {
        for body in ["M0,2:00", "M0,1:0", "M0,1:zz", "X0,1:", "X0,1:}", "X0:a", "m", "m0", "m,4", "m0,4,", "x0,g"] {
            malformed(body.as_bytes());
        }
        for body in ["qSearch:memory:0;10;", "qSearch:memory:0;10", "qSearch:memory:", "qCRC:", "qCRC:0;1"] {
            malformed(body.as_bytes());
        }
        malformed(b"m10000000000000000,1");
    }
}
