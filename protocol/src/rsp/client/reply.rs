//! Answers: the inverse of what [`super::super::server::Reply`] writes.

use alloc::vec::Vec;

use super::super::memory::{self, Encoding};
use super::super::packet::{escape, hex};
use super::super::request::Request;
use super::super::thread::ThreadSelector;
use super::super::{field, file, process, query, resume, thread, transfer};
use super::event::{self, Event};
use super::registers::Registers;
use crate::ids::{Pid, ThreadId};

/// The answer to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply<'a> {
    /// To `qAttached`: whether the process was there before the session.
    Attached(bool),
    /// To `qCRC`.
    Checksum(u32),
    /// To anything: it failed. Host I/O has [`Reply::FileError`].
    Error(Failure<'a>),
    /// To a resume, `vAttach`, `vRun` and `?`.
    Event(Event),
    /// To `vFile`.
    File {
        /// The result: a descriptor, or a number of bytes.
        result: u64,
        /// The bytes that came with it, decoded.
        attachment: Option<&'a [u8]>,
    },
    /// To `vFile`: it failed, with the protocol's own error number.
    FileError(u32),
    /// To `qSearch:memory`: where the pattern is.
    Found(Option<u64>),
    /// To anything: the answer is not one that the request can have.
    Malformed,
    /// To `m` and `x`: as many bytes as could be read, at most those asked for.
    Memory(&'a [u8]),
    /// To `qGetTLSAddr` (an address) and to the writing `qXfer` (bytes written).
    Number(u64),
    /// To the reading `qXfer`.
    Object {
        /// The part, decoded.
        data: &'a [u8],
        /// Nothing comes after it.
        last: bool,
    },
    /// To anything that has no other answer: it is done.
    Ok,
    /// To what LLDB alone asks about the machine and its files: as it came.
    Raw(&'a [u8]),
    /// To `g` and `p`.
    Registers(Registers<'a>),
    /// To `qSymbol`: where is the symbol of this name?
    Symbol(&'a [u8]),
    /// To `qRcmd` and `qThreadExtraInfo`.
    Text(&'a [u8]),
    /// To `qC`.
    Thread(ThreadId),
    /// To `qfThreadInfo`: all of them.
    Threads(Vec<ThreadId>),
    /// To anything: the server does not know the packet.
    Unsupported,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failure<'a> {
    /// The error number of `Exx`, which on Linux mostly is an `errno`.
    pub code: Option<u8>,
    /// The sentence of `E.TEXT` and `Exx;HEXTEXT`; empty if there is none.
    pub text: &'a [u8],
}

/// What a request is answered with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Attached,
    Checksum,
    Done,
    Event,
    File,
    Memory(Encoding),
    MemoryWrite,
    Number,
    Object,
    Raw,
    Registers,
    Search,
    Symbol,
    Text,
    Thread,
    Threads,
}

impl Kind {
    /// What `request` is answered with; `None` if it has no answer.
    pub(super) fn new(request: &Request<'_>) -> Option<Self> {
        Some(match request {
            Request::Breakpoint(_)
            | Request::Console(_)
            | Request::Setting(_)
            | Request::Resume(resume::Request::Interrupt)
            | Request::Thread(thread::Request::IsAlive(_) | thread::Request::Select { .. })
            // No client here looks at what tracepoints collect: answers other than OK are taken for broken ones.
            | Request::Trace(_) => Self::Done,
            Request::Query(
                query::Request::FileAddress(_)
                | query::Request::LibraryList
                | query::Request::Watchpoints,
            )
            | Request::File(file::Request::Exists { .. } | file::Request::Md5 { .. })
            | Request::Platform(_)
            | Request::Thread(thread::Request::Infos | thread::Request::StopInfo(_)) => Self::Raw,
            Request::File(_) => Self::File,
            Request::Memory(request) => Self::of_memory(request),
            Request::Process(request) => return Self::of_process(request),
            Request::Query(query::Request::Monitor(_)) | Request::Thread(thread::Request::ExtraInfo(_)) => Self::Text,
            Request::Query(query::Request::Symbol { .. }) => Self::Symbol,
            Request::Query(query::Request::TlsAddress { .. })
            | Request::Transfer(transfer::Request::WriteSignalInfo { .. }) => Self::Number,
            Request::Registers(request) => Self::of_registers(request),
            Request::Resume(resume::Request::Resume { .. }) => Self::Event,
            Request::Thread(thread::Request::Current) => Self::Thread,
            Request::Thread(thread::Request::List) => Self::Threads,
            Request::Transfer(transfer::Request::Read { .. }) => Self::Object,
        })
    }

    const fn of_memory(request: &memory::Request<'_>) -> Self {
        use memory::Request;
        match request {
            Request::Read { encoding, .. } => Self::Memory(*encoding),
            Request::Free { .. } => Self::Done,
            Request::Allocate { .. } | Request::ReadRanges(_) | Request::Region { .. } => Self::Raw,
            Request::Write { .. } => Self::MemoryWrite,
            Request::Search { .. } => Self::Search,
            Request::Checksum { .. } => Self::Checksum,
        }
    }

    fn of_process(request: &process::Request<'_>) -> Option<Self> {
        use process::Request;
        match request {
            Request::KillAll | Request::Restart => None,
            Request::Attach(_) | Request::AttachByName { .. } | Request::Run { .. } | Request::Status => {
                Some(Self::Event)
            }
            Request::WasAttached(_) => Some(Self::Attached),
            Request::Detach(_)
            | Request::DetachStopped(_)
            | Request::ExtendedMode
            | Request::Kill(_)
            | Request::Launch { .. }
            | Request::SupportsDetachStopped => Some(Self::Done),
            Request::Info | Request::LaunchSucceeded => Some(Self::Raw),
        }
    }

    const fn of_registers(request: &super::super::registers::Request<'_>) -> Self {
        use super::super::registers::Request;
        match request {
            Request::Info { .. } | Request::Save => Self::Raw,
            Request::Read { .. } | Request::ReadAll => Self::Registers,
            Request::Restore { .. } | Request::Write { .. } | Request::WriteAll { .. } => Self::Done,
        }
    }
}

impl<'a> Reply<'a> {
    /// The answer in `body`, decoded in place.
    pub(super) fn parse(kind: Kind, body: &'a mut [u8], home: Option<Pid>) -> Self {
        if body.is_empty() {
            return Self::Unsupported;
        }
        if is_failure(body) {
            return Failure::parse(body).map_or(Self::Malformed, Self::Error);
        }
        if *body == *b"OK" {
            return Self::done(kind);
        }
        let reply = match kind {
            Kind::Attached => field::switch(body).map(Self::Attached),
            Kind::Checksum => body.strip_prefix(b"C").and_then(field::whole_as).map(Self::Checksum),
            Kind::Done | Kind::MemoryWrite => None,
            Kind::Event => Event::parse(body, home).map(Self::Event),
            Kind::File => host_file(body),
            Kind::Memory(encoding) => memory(body, encoding),
            Kind::Number => field::whole(body).map(Self::Number),
            Kind::Object => object(body),
            Kind::Raw => Some(Self::Raw(body)),
            Kind::Registers => Registers::parse(body).map(Self::Registers),
            Kind::Search => search(body),
            Kind::Symbol => symbol(body),
            Kind::Text => hex::decode_in_place(body).map(|text| Self::Text(text)),
            Kind::Thread => current(body, home),
            // The parts before the last one stay in the machine.
            Kind::Threads => (*body == *b"l").then(|| Self::Threads(Vec::new())),
        };
        reply.unwrap_or(Self::Malformed)
    }

    /// What `OK` means: nothing went wrong, and to a command of `monitor` that it had nothing to say.
    const fn done(kind: Kind) -> Self {
        match kind {
            Kind::Done | Kind::MemoryWrite | Kind::Raw | Kind::Symbol => Self::Ok,
            Kind::Text => Self::Text(&[]),
            _ => Self::Malformed,
        }
    }
}

/// Whether `body` says that something failed. Data in hex that begins with `E` has an even number of digits.
fn is_failure(body: &[u8]) -> bool {
    match body {
        [b'E', b'.', ..] => true,
        [b'E', high, low] | [b'E', high, low, b';', ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    }
}

impl<'a> Failure<'a> {
    fn parse(body: &'a mut [u8]) -> Option<Self> {
        match body {
            [b'E', b'.', text @ ..] => Some(Self { code: None, text }),
            [b'E', high, low, rest @ ..] => {
                let code = Some(field::whole_as(&[*high, *low])?);
                let text: &[u8] = match rest {
                    [b';', text @ ..] => hex::decode_in_place(text)?,
                    _ => &[],
                };
                Some(Self { code, text })
            }
            _ => None,
        }
    }
}

/// `F RESULT[;DATA]` or `F-1[,ERRNO]`.
fn host_file(body: &mut [u8]) -> Option<Reply<'_>> {
    /// An error that the protocol has no number for.
    const UNKNOWN: u32 = 9999;
    let [b'F', rest @ ..] = body else { return None };
    if let Some(error) = rest.strip_prefix(b"-1") {
        let number = error.strip_prefix(b",").map(|text| text.split(|byte| *byte == b',').next().unwrap_or_default());
        return Some(Reply::FileError(number.map_or(Some(UNKNOWN), field::whole_as)?));
    }
    match memchr::memchr(b';', rest) {
        None => Some(Reply::File { result: field::whole(rest)?, attachment: None }),
        Some(at) => {
            let (result, data) = rest.split_at_mut(at);
            let attachment = escape::decode_in_place(&mut data[1..])?;
            Some(Reply::File { result: field::whole(result)?, attachment: Some(attachment) })
        }
    }
}

fn memory(body: &mut [u8], encoding: Encoding) -> Option<Reply<'_>> {
    match (encoding, body) {
        (Encoding::Hex, body) => hex::decode_in_place(body).map(|bytes| Reply::Memory(bytes)),
        (Encoding::Binary, [b'b', bytes @ ..]) => escape::decode_in_place(bytes).map(|bytes| Reply::Memory(bytes)),
        (Encoding::Binary, _) => None,
    }
}

fn object(body: &mut [u8]) -> Option<Reply<'_>> {
    let (letter, data) = body.split_first_mut()?;
    let last = match letter {
        b'l' => true,
        b'm' => false,
        _ => return None,
    };
    Some(Reply::Object { data: escape::decode_in_place(data)?, last })
}

fn search<'a>(body: &[u8]) -> Option<Reply<'a>> {
    match body {
        b"0" => Some(Reply::Found(None)),
        [b'1', b',', address @ ..] => field::whole(address).map(Some).map(Reply::Found),
        _ => None,
    }
}

fn symbol(body: &mut [u8]) -> Option<Reply<'_>> {
    const LOOK_UP: &[u8] = b"qSymbol:";
    if !body.starts_with(LOOK_UP) {
        return None;
    }
    hex::decode_in_place(&mut body[LOOK_UP.len()..]).map(|name| Reply::Symbol(name))
}

fn current<'a>(body: &[u8], home: Option<Pid>) -> Option<Reply<'a>> {
    let thread = ThreadSelector::whole(body.strip_prefix(b"QC")?)?;
    event::complete(thread, home).map(Reply::Thread)
}
