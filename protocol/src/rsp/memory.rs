//! Memory: `m`, `M`, `x`, `X`, `qSearch:memory`, `qCRC` (GDB manual, "Packets"); and LLDB's `_M`, `_m`,
//! `qMemoryRegionInfo`, `MultiMemRead` (LLDB's "GDB Remote Protocol Extensions").

use alloc::vec::Vec;

use super::field;
use super::packet::{escape, hex};
use super::request::Malformed;
use crate::limits::MAX_MEMORY_RANGES;

/// How the bytes of a memory read travel back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// Two hex digits a byte (`m`).
    Hex,
    /// Escaped binary (`x`, LLDB), after a `b` for GDB 16 and later.
    Binary,
}

/// What may be done with memory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Permissions {
    /// It may be read.
    pub read: bool,
    /// It may be written.
    pub write: bool,
    /// It may be executed.
    pub execute: bool,
}

impl Permissions {
    /// The permissions that `text` names by their letters.
    fn parse(text: &[u8]) -> Option<Self> {
        let known = text.iter().all(|letter| b"rwx".contains(letter));
        let has = |letter| text.contains(&letter);
        known.then(|| Self { read: has(b'r'), write: has(b'w'), execute: has(b'x') })
    }

    pub(super) fn emit(self, out: &mut Vec<u8>) {
        let letters = [(self.read, b'r'), (self.write, b'w'), (self.execute, b'x')];
        out.extend(letters.into_iter().filter(|(set, _)| *set).map(|(_, letter)| letter));
    }
}

/// A range of addresses that is mapped in one piece, or a gap between such ranges.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Region<'a> {
    /// Its first address.
    pub start: u64,
    /// Its length in bytes; 0 for all that is left of the address space, where that starts at 0.
    pub size: u64,
    /// What may be done there; `None`: it is not mapped.
    pub permissions: Option<Permissions>,
    /// The file that is mapped, or what the system calls it, as `[stack]`; empty: it has no name.
    pub name: &'a [u8],
}

/// The ranges of `MultiMemRead`, checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ranges<'a> {
    text: &'a [u8],
}

impl<'a> Ranges<'a> {
    /// Numbers with commas between them; `None` where one is none or alone, or where there are none or too many.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let count = text.split(|byte| *byte == b',').count();
        let sound = count % 2 == 0 && count <= 2 * MAX_MEMORY_RANGES;
        let sound = sound && text.split(|byte| *byte == b',').all(|number| field::whole(number).is_some());
        sound.then_some(Self { text })
    }

    /// Each range: its first address and how many bytes of it are asked for.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + Clone + use<'a> {
        let mut numbers = self.text.split(|byte| *byte == b',').filter_map(field::whole);
        core::iter::from_fn(move || numbers.next().zip(numbers.next()))
    }
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
    /// `_M LENGTH,PERMISSIONS`: map new memory into the program.
    Allocate {
        /// Bytes wanted.
        size: u64,
        /// What may be done with them.
        permissions: Permissions,
    },
    /// `_m ADDR`: give back what `_M` mapped.
    Free {
        /// Where it begins.
        address: u64,
    },
    /// `MultiMemRead:ranges:ADDR,LENGTH,…;`.
    ReadRanges(Ranges<'a>),
    /// `qMemoryRegionInfo:ADDR`.
    Region {
        /// An address in it.
        address: u64,
    },
    /// `qCRC:ADDR,LENGTH`.
    Checksum {
        /// First byte's address.
        address: u64,
        /// Bytes to sum.
        length: u64,
    },
}

const RANGES: &[u8] = b"MultiMemRead:ranges:";
const REGION: &[u8] = b"qMemoryRegionInfo:";
const SEARCH: &[u8] = b"qSearch:memory:";
const CHECKSUM: &[u8] = b"qCRC:";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if a number is missing, the data is not what its length says, or permissions are none.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        if body.starts_with(RANGES) {
            let list = body[RANGES.len()..].strip_suffix(b";").and_then(Ranges::parse);
            return list.ok_or(Malformed("MultiMemRead")).map(|ranges| Some(Self::ReadRanges(ranges)));
        }
        match body {
            [b'_', b'M', rest @ ..] => allocate(rest).ok_or(Malformed("allocation")).map(Some),
            [b'_', b'm', rest @ ..] => {
                let address = field::whole(rest).ok_or(Malformed("allocation"))?;
                Ok(Some(Self::Free { address }))
            }
            _ if body.starts_with(REGION) => {
                let address = field::whole(&body[REGION.len()..]).ok_or(Malformed("memory region"))?;
                Ok(Some(Self::Region { address }))
            }
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
            Self::Allocate { size, permissions } => {
                out.extend_from_slice(b"_M");
                field::put_number(out, size);
                out.push(b',');
                permissions.emit(out);
            }
            Self::Free { address } => {
                out.extend_from_slice(b"_m");
                field::put_number(out, address);
            }
            Self::ReadRanges(Ranges { text }) => {
                out.extend_from_slice(RANGES);
                out.extend_from_slice(text);
                out.push(b';');
            }
            Self::Region { address } => {
                out.extend_from_slice(REGION);
                field::put_number(out, address);
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

fn allocate<'a>(text: &[u8]) -> Option<Request<'a>> {
    let (size, permissions) = field::split_at(text, b',')?;
    Some(Request::Allocate { size: field::whole(size)?, permissions: Permissions::parse(permissions)? })
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
            round_trip(&Request::Region { address }.into());
            round_trip(&Request::Free { address }.into());
            let permissions = Permissions { read: binary, write: address > length, execute: !binary };
            round_trip(&Request::Allocate { size: length, permissions }.into());
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
    fn several_ranges_come_in_one_packet() {
        let ranges = Ranges::parse(b"1000,4,2000,a0").unwrap();
        parses(b"MultiMemRead:ranges:1000,4,2000,a0;", &Request::ReadRanges(ranges).into());
        round_trip(&Request::ReadRanges(ranges).into());
        assert!(ranges.iter().eq([(0x1000, 4), (0x2000, 0xa0)]));
        let many = std::vec!["1"; 2 * MAX_MEMORY_RANGES + 2].join(",");
        for list in ["", ";", "1;", "1,2,3;", "1,x;", "1,2", &std::format!("{many};")] {
            malformed(std::format!("MultiMemRead:ranges:{list}").as_bytes());
        }
        for body in ["_M", "_M10", "_M10,q", "_M,rw", "_m", "_mx", "qMemoryRegionInfo:", "qMemoryRegionInfo:x"] {
            malformed(body.as_bytes());
        }
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
