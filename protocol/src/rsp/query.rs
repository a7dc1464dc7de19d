//! Questions: `qRcmd`, `qSymbol`, `qGetTLSAddr`, and LLDB's `qWatchpointSupportInfo`, `qFileLoadAddress`, `qShlibInfoAddr`.

use alloc::vec::Vec;

use super::field;
use super::packet::hex;
use super::request::Malformed;
use super::thread::ThreadSelector;

/// A question that belongs to no other family.
///
/// `qSupported`, `vCont?`, `vMustReplyEmpty`, `QStartNoAckMode`, `QEnableErrorStrings`, `qsThreadInfo` and `vStopped`
/// never get out of the machine: it answers them itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `qFileLoadAddress:HEX`: where the file of this decoded path is loaded.
    FileAddress(&'a [u8]),
    /// `qShlibInfoAddr`: where the program keeps the address of the dynamic linker's list.
    LibraryList,
    /// `qRcmd,HEX`: the user's `monitor` line, decoded.
    Monitor(&'a [u8]),
    /// `qSymbol:…`: the client offers to look symbols up, or answers the last look-up.
    Symbol {
        /// The value found; `None`: not found, or this is the first offer.
        value: Option<u64>,
        /// The decoded name that this answers; empty: the first offer.
        name: &'a [u8],
    },
    /// `qGetTLSAddr:THREAD,OFFSET,LINK_MAP`.
    TlsAddress {
        /// Which thread.
        thread: ThreadSelector,
        /// Offset in the module's block.
        offset: u64,
        /// Address of the module's `link_map`.
        link_map: u64,
    },
    /// `qWatchpointSupportInfo:`: how many there can be.
    Watchpoints,
}

const FILE_ADDRESS: &[u8] = b"qFileLoadAddress:";
const LIBRARY_LIST: &[u8] = b"qShlibInfoAddr";
const WATCHPOINTS: &[u8] = b"qWatchpointSupportInfo:";
const MONITOR: &[u8] = b"qRcmd,";
const SYMBOL: &[u8] = b"qSymbol:";
const TLS_ADDRESS: &[u8] = b"qGetTLSAddr:";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if text is not hex or a field is missing.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        match &*body {
            LIBRARY_LIST => return Ok(Some(Self::LibraryList)),
            WATCHPOINTS => return Ok(Some(Self::Watchpoints)),
            _ => {}
        }
        if body.starts_with(FILE_ADDRESS) {
            let path = hex::decode_in_place(&mut body[FILE_ADDRESS.len()..]).ok_or(Malformed("qFileLoadAddress"))?;
            Ok(Some(Self::FileAddress(path)))
        } else if body.starts_with(MONITOR) {
            let line = hex::decode_in_place(&mut body[MONITOR.len()..]).ok_or(Malformed("qRcmd"))?;
            Ok(Some(Self::Monitor(line)))
        } else if body.starts_with(SYMBOL) {
            symbol(&mut body[SYMBOL.len()..]).ok_or(Malformed("qSymbol")).map(Some)
        } else if let Some(text) = body.strip_prefix(TLS_ADDRESS) {
            tls_address(text).ok_or(Malformed("qGetTLSAddr")).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::FileAddress(path) => {
                out.extend_from_slice(FILE_ADDRESS);
                hex::encode(out, path);
            }
            Self::LibraryList => out.extend_from_slice(LIBRARY_LIST),
            Self::Watchpoints => out.extend_from_slice(WATCHPOINTS),
            Self::Monitor(line) => {
                out.extend_from_slice(MONITOR);
                hex::encode(out, line);
            }
            Self::Symbol { value, name } => {
                out.extend_from_slice(SYMBOL);
                if let Some(value) = value {
                    field::put_number(out, value);
                }
                out.push(b':');
                hex::encode(out, name);
            }
            Self::TlsAddress { thread, offset, link_map } => {
                out.extend_from_slice(TLS_ADDRESS);
                thread.emit(out);
                out.push(b',');
                field::put_number(out, offset);
                out.push(b',');
                field::put_number(out, link_map);
            }
        }
    }
}

fn symbol(text: &mut [u8]) -> Option<Request<'_>> {
    let (value, name) = field::split_at_mut(text, b':')?;
    let value = if value.is_empty() { None } else { Some(field::whole(value)?) };
    Some(Request::Symbol { value, name: hex::decode_in_place(name)? })
}

fn tls_address<'a>(text: &[u8]) -> Option<Request<'a>> {
    let (thread, rest) = field::split_at(text, b',')?;
    let (offset, link_map) = field::pair(rest, b',')?;
    Some(Request::TlsAddress { thread: ThreadSelector::whole(thread)?, offset, link_map })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, parses, round_trip, unknown};
    use crate::rsp::thread::tests::selectors;

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(text: Vec<u8>, value: Option<u64>, thread in selectors(), offset: u64, link_map: u64) {
            round_trip(&Request::Monitor(&text).into());
            round_trip(&Request::FileAddress(&text).into());
            for request in [Request::LibraryList, Request::Watchpoints] {
                round_trip(&request.into());
            }
            round_trip(&Request::Symbol { value, name: &text }.into());
            round_trip(&Request::TlsAddress { thread, offset, link_map }.into());
        }
    }

    #[test]
    fn the_first_offer_of_symbols_has_neither_value_nor_name() {
        parses(b"qSymbol::", &Request::Symbol { value: None, name: b"" }.into());
        parses(b"qSymbol:4f0:6162", &Request::Symbol { value: Some(0x4f0), name: b"ab" }.into());
    }

    #[test]
    fn text_that_is_not_hex_and_missing_fields_are_refused() {
        for body in [
            "qRcmd,6",
            "qRcmd,zz",
            "qFileLoadAddress:6",
            "qSymbol:",
            "qSymbol:x:61",
            "qSymbol::6",
            "qGetTLSAddr:",
            "qGetTLSAddr:1,2",
            "qGetTLSAddr:1,2,3,4",
        ] {
            malformed(body.as_bytes());
        }
        unknown(b"qRcmd");
    }
}
