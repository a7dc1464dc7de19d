//! Objects: `qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH`, and the writable one.

use alloc::vec::Vec;

use super::field;
use super::packet::escape;
use super::request::Malformed;

/// An object that `qXfer` reads.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Object {
    /// `auxv`.
    Auxv,
    /// `exec-file`; the annex is a hex pid or empty.
    ExecFile,
    /// `features`; the annex is the document's name.
    Features,
    /// `libraries-svr4`; the annex may hold `start=` and `prev=`.
    LibrariesSvr4,
    /// `osdata`; the annex is the table.
    OsData,
    /// `siginfo`.
    SignalInfo,
    /// `threads`.
    Threads,
    /// `traceframe-info`: what the selected frame holds.
    TraceFrame,
}

impl Object {
    /// The name in packets.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auxv => "auxv",
            Self::ExecFile => "exec-file",
            Self::Features => "features",
            Self::LibrariesSvr4 => "libraries-svr4",
            Self::OsData => "osdata",
            Self::SignalInfo => "siginfo",
            Self::Threads => "threads",
            Self::TraceFrame => "traceframe-info",
        }
    }

    const ALL: [Self; 8] = [
        Self::Auxv,
        Self::ExecFile,
        Self::Features,
        Self::LibrariesSvr4,
        Self::OsData,
        Self::SignalInfo,
        Self::Threads,
        Self::TraceFrame,
    ];

    fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name().as_bytes() == name)
    }
}

/// A transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// Part of an object. Answer with the whole object: the machine cuts `offset..offset + length` out of it.
    Read {
        /// Which object.
        object: Object,
        /// Which one of its kind. It has no `:` in it.
        annex: &'a [u8],
        /// First byte.
        offset: u64,
        /// Bytes wanted at most. The server's machine lowers it to what a reply can hold.
        length: u64,
    },
    /// `qXfer:siginfo:write::OFFSET:DATA`. Answer with the number of bytes written.
    WriteSignalInfo {
        /// First byte.
        offset: u64,
        /// The bytes, decoded.
        data: &'a [u8],
    },
}

const PREFIX: &[u8] = b"qXfer:";
const READ: &[u8] = b"read";
const WRITE_SIGNAL_INFO: &[u8] = b"qXfer:siginfo:write::";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family or means an object that is not known.
    ///
    /// # Errors
    /// [`Malformed`] if a field is missing or the data ends within an escape.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        if body.starts_with(WRITE_SIGNAL_INFO) {
            let request = write_signal_info(&mut body[WRITE_SIGNAL_INFO.len()..]);
            return request.ok_or(Malformed("qXfer")).map(Some);
        }
        let mut fields = body.strip_prefix(PREFIX).unwrap_or_default().splitn(3, |byte| *byte == b':');
        match (fields.next().and_then(Object::from_name), fields.next(), fields.next()) {
            (Some(object), Some(READ), Some(rest)) => read(object, rest).ok_or(Malformed("qXfer")).map(Some),
            _ => Ok(None),
        }
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Read { object, annex, offset, length } => {
                out.extend_from_slice(PREFIX);
                out.extend_from_slice(object.name().as_bytes());
                out.push(b':');
                out.extend_from_slice(READ);
                out.push(b':');
                out.extend_from_slice(annex);
                out.push(b':');
                field::put_number(out, offset);
                out.push(b',');
                field::put_number(out, length);
            }
            Self::WriteSignalInfo { offset, data } => {
                out.extend_from_slice(WRITE_SIGNAL_INFO);
                field::put_number(out, offset);
                out.push(b':');
                escape::encode(out, data);
            }
        }
    }
}

fn read(object: Object, text: &[u8]) -> Option<Request<'_>> {
    let (annex, range) = field::split_at(text, b':')?;
    // LLDB's own tests end the length with a colon, as nobody else does.
    let range = range.strip_suffix(b":").unwrap_or(range);
    let (offset, length) = field::pair(range, b',')?;
    Some(Request::Read { object, annex, offset, length })
}

fn write_signal_info(text: &mut [u8]) -> Option<Request<'_>> {
    let (offset, data) = field::split_at_mut(text, b':')?;
    Some(Request::WriteSignalInfo { offset: field::whole(offset)?, data: escape::decode_in_place(data)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, parses, round_trip, unknown};

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(
            object in prop::sample::select(&Object::ALL[..]), annex in "[a-z0-9=;.]*", offset: u64, length: u64, data: Vec<u8>,
        ) {
            round_trip(&Request::Read { object, annex: annex.as_bytes(), offset, length }.into());
            round_trip(&Request::WriteSignalInfo { offset, data: &data }.into());
        }
    }

    #[test]
    fn a_colon_may_follow_the_length() {
        let request = Request::Read { object: Object::Auxv, annex: b"", offset: 0, length: 0x400 };
        parses(b"qXfer:auxv:read::0,400:", &request.into());
        malformed(b"qXfer:auxv:read::0,400::");
    }

    #[test]
    fn missing_fields_are_refused_and_other_objects_are_unknown() {
        for body in [
            "qXfer:auxv:read:",
            "qXfer:auxv:read::0",
            "qXfer:auxv:read::0,",
            "qXfer:siginfo:write::0",
            "qXfer:siginfo:write::0:}",
        ] {
            malformed(body.as_bytes());
        }
        for body in ["qXfer:", "qXfer:auxv", "qXfer:auxv:write::0:a", "qXfer:uib:read::0,10", "qXfer:auxv:read"] {
            unknown(body.as_bytes());
        }
    }
}
