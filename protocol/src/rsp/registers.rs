//! Registers: `g`, `G`, `p`, `P`, and LLDB's `QSaveRegisterState`, `QRestoreRegisterState`, `qRegisterInfo`. They concern
//! the thread chosen with `Hg` or named at the packet's end, see [`super::server::Exchange::thread`].

use alloc::vec::Vec;

use super::field;
use super::packet::hex;
use super::request::Malformed;

/// A register request. Values are bytes in the target's order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `p NUMBER`.
    Read {
        /// The register's number in the target description.
        number: u32,
    },
    /// `g`.
    ReadAll,
    /// `qRegisterInfo NUMBER`: how the register is described.
    Info {
        /// The register's number in the target description.
        number: u32,
    },
    /// `QSaveRegisterState`: remember all registers, under a number that the answer tells.
    Save,
    /// `QRestoreRegisterState:NUMBER`.
    Restore {
        /// What the answer to `QSaveRegisterState` told.
        number: u32,
    },
    /// `P NUMBER=VALUE`.
    Write {
        /// The register's number in the target description.
        number: u32,
        /// Its new content, decoded.
        value: &'a [u8],
    },
    /// `G VALUES`.
    WriteAll {
        /// All registers in order, decoded; bytes sent as `xx` (unavailable) are an error.
        values: &'a [u8],
    },
}

const INFO: &[u8] = b"qRegisterInfo";
const SAVE: &[u8] = b"QSaveRegisterState";
const RESTORE: &[u8] = b"QRestoreRegisterState:";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if the number is missing or too large, or a value is not hex.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        if body == SAVE {
            return Ok(Some(Self::Save));
        }
        if let Some(number) = body.strip_prefix(RESTORE) {
            // The one number here that LLDB writes in decimal.
            let number = core::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
            return number.ok_or(Malformed("register state")).map(|number| Some(Self::Restore { number }));
        }
        if let Some(number) = body.strip_prefix(INFO) {
            let number = field::whole_as(number).ok_or(Malformed("register info"))?;
            return Ok(Some(Self::Info { number }));
        }
        match body {
            [b'g'] => Ok(Some(Self::ReadAll)),
            [b'G', values @ ..] => {
                let values = hex::decode_in_place(values).ok_or(Malformed("register write"))?;
                Ok(Some(Self::WriteAll { values }))
            }
            [b'p', number @ ..] => {
                let number = field::whole_as(number).ok_or(Malformed("register read"))?;
                Ok(Some(Self::Read { number }))
            }
            [b'P', rest @ ..] => write(rest).ok_or(Malformed("register write")).map(Some),
            _ => Ok(None),
        }
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Read { number } => {
                out.push(b'p');
                field::put_number(out, number.into());
            }
            Self::ReadAll => out.push(b'g'),
            Self::Info { number } => {
                out.extend_from_slice(INFO);
                field::put_number(out, number.into());
            }
            Self::Save => out.extend_from_slice(SAVE),
            Self::Restore { number } => {
                out.extend_from_slice(RESTORE);
                out.extend_from_slice(alloc::format!("{number}").as_bytes());
            }
            Self::Write { number, value } => {
                out.push(b'P');
                field::put_number(out, number.into());
                out.push(b'=');
                hex::encode(out, value);
            }
            Self::WriteAll { values } => {
                out.push(b'G');
                hex::encode(out, values);
            }
        }
    }
}

fn write(text: &mut [u8]) -> Option<Request<'_>> {
    let (number, value) = field::split_at_mut(text, b'=')?;
    Some(Request::Write { number: field::whole_as(number)?, value: hex::decode_in_place(value)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, round_trip, unknown};

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(number: u32, value: Vec<u8>) {
            round_trip(&Request::Read { number }.into());
            round_trip(&Request::ReadAll.into());
            round_trip(&Request::Info { number }.into());
            round_trip(&Request::Save.into());
            round_trip(&Request::Restore { number }.into());
            round_trip(&Request::Write { number, value: &value }.into());
            round_trip(&Request::WriteAll { values: &value }.into());
        }
    }

    #[test]
    fn unavailable_bytes_and_missing_numbers_are_refused() {
        for body in [
            "Gxx",
            "G0",
            "p",
            "p100000000",
            "P0",
            "P=00",
            "P0=0",
            "QRestoreRegisterState:",
            "QRestoreRegisterState:-1",
            "QRestoreRegisterState:4294967296",
            "qRegisterInfo",
            "qRegisterInfox",
        ] {
            malformed(body.as_bytes());
        }
        unknown(b"g0");
    }
}
