//! A packet's meaning, whatever its family.

use alloc::vec::Vec;

use thiserror::Error;

use super::{
    breakpoint, console, file, memory, platform, process, query, registers, resume, settings, thread, trace, transfer,
};

/// One request of the client, borrowed from the packet that carried it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `Z`, `z`.
    Breakpoint(breakpoint::Request<'a>),
    /// `I`.
    Console(console::Request<'a>),
    /// `vFile:…`.
    File(file::Request<'a>),
    /// `m`, `M`, `x`, `X`, `qSearch:memory`, `qCRC`.
    Memory(memory::Request<'a>),
    /// `qHostInfo`, `qPlatform_…`, `qfProcessInfo`, `qModuleInfo` and others of LLDB's platforms.
    Platform(platform::Request<'a>),
    /// `!`, `?`, `vRun`, `vAttach`, `vKill`, `k`, `D`, `R`, `qAttached`, `A`, `qProcessInfo` and others.
    Process(process::Request<'a>),
    /// `qRcmd`, `qSymbol`, `qGetTLSAddr`.
    Query(query::Request<'a>),
    /// `g`, `G`, `p`, `P`.
    Registers(registers::Request<'a>),
    /// `vCont`, `c`, `C`, `s`, `S`, `Ctrl-C`, `vCtrlC`.
    Resume(resume::Request<'a>),
    /// `QEnvironment…`, `QSetWorkingDir`, `QPassSignals` and other settings.
    Setting(settings::Request<'a>),
    /// `H`, `T`, `qC`, `qfThreadInfo`, `qThreadExtraInfo`.
    Thread(thread::Request),
    /// `QT…`, `qT…`.
    Trace(trace::Request<'a>),
    /// `qXfer:…`.
    Transfer(transfer::Request<'a>),
}

/// A packet of a known kind that is not what its kind has to be.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("malformed {0} packet")]
pub struct Malformed(pub(crate) &'static str);

macro_rules! families {
    ($($variant:ident($request:ty)),+ $(,)?) => {
        $(
            impl<'a> From<$request> for Request<'a> {
                fn from(request: $request) -> Self {
                    Self::$variant(request)
                }
            }
        )+

        impl Request<'_> {
            /// Appends the body.
            pub fn emit(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant(request) => request.emit(out),)+
                }
            }
        }
    };
}
families! {
    Breakpoint(breakpoint::Request<'a>),
    Console(console::Request<'a>),
    File(file::Request<'a>),
    Memory(memory::Request<'a>),
    Platform(platform::Request<'a>),
    Process(process::Request<'a>),
    Query(query::Request<'a>),
    Registers(registers::Request<'a>),
    Resume(resume::Request<'a>),
    Setting(settings::Request<'a>),
    Thread(thread::Request),
    Trace(trace::Request<'a>),
    Transfer(transfer::Request<'a>),
}

impl<'a> Request<'a> {
    /// The request in `body`, decoded in place, or `None` if no family knows the packet.
    ///
    /// # Errors
    /// [`Malformed`] if a family knows the packet and its content is wrong.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        match family(body) {
            Some(Family::Breakpoint) => lift(breakpoint::Request::parse(body)),
            Some(Family::Console) => lift(console::Request::parse(body)),
            Some(Family::File) => lift(file::Request::parse(body)),
            Some(Family::Memory) => lift(memory::Request::parse(body)),
            Some(Family::Platform) => lift(platform::Request::parse(body)),
            Some(Family::Process) => lift(process::Request::parse(body)),
            Some(Family::Query) => lift(query::Request::parse(body)),
            Some(Family::Registers) => lift(registers::Request::parse(body)),
            Some(Family::Resume) => lift(resume::Request::parse(body)),
            Some(Family::Setting) => lift(settings::Request::parse(body)),
            Some(Family::Thread) => lift(thread::Request::parse(body)),
            Some(Family::Trace) => lift(trace::Request::parse(body)),
            Some(Family::Transfer) => lift(transfer::Request::parse(body)),
            None => Ok(None),
        }
    }
}

fn lift<'a, R: Into<Request<'a>>>(result: Result<Option<R>, Malformed>) -> Result<Option<Request<'a>>, Malformed> {
    result.map(|request| request.map(R::into))
}

/// Who parses a packet.
#[derive(Clone, Copy)]
enum Family {
    Breakpoint,
    Console,
    File,
    Memory,
    Platform,
    Process,
    Query,
    Registers,
    Resume,
    Setting,
    Thread,
    Trace,
    Transfer,
}

/// The only family that may know `body`.
fn family(body: &[u8]) -> Option<Family> {
    Some(match body.first()? {
        b'm' | b'M' | b'x' | b'X' | b'_' => Family::Memory,
        b'g' | b'G' | b'p' | b'P' => Family::Registers,
        b'c' | b'C' | b's' | b'S' => Family::Resume,
        b'Z' | b'z' => Family::Breakpoint,
        b'H' | b'T' => Family::Thread,
        b'I' => Family::Console,
        b'!' | b'?' | b'A' | b'D' | b'k' | b'R' => Family::Process,
        b'Q' => match body {
            // Not `QThread…`.
            [b'Q', b'T', next, ..] if *next != b'h' => Family::Trace,
            [b'Q', b'S', b'a', ..] | [b'Q', b'R', b'e', ..] => Family::Registers,
            _ => Family::Setting,
        },
        b'v' => match body {
            [b'v', b'C', ..] => Family::Resume,
            [b'v', b'F', ..] => Family::File,
            _ => Family::Process,
        },
        b'j' | b'q' if platform::knows(body) => Family::Platform,
        b'j' => match body {
            [b'j', b'T', ..] => Family::Thread,
            _ => Family::Query,
        },
        b'q' => match body {
            [b'q', b'X', ..] => Family::Transfer,
            [b'q', b'C', b'R', ..] | [b'q', b'M' | b'S', b'e', ..] => Family::Memory,
            [b'q', b'R', b'e', ..] => Family::Registers,
            [b'q', b'T', next, ..] if *next != b'h' => Family::Trace,
            [b'q', b'C' | b'f' | b'T', ..] => Family::Thread,
            [b'q', b'A' | b'L' | b'P', ..] | [b'q', b'S', b'u', ..] => Family::Process,
            _ => Family::Query,
        },
        _ => return None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Asserts that `request` comes back from its packet.
    pub(crate) fn round_trip(request: &Request<'_>) {
        let mut body = Vec::new();
        request.emit(&mut body);
        parses(&body, request);
    }

    /// Asserts that `body` is read as `request`.
    pub(crate) fn parses(body: &[u8], request: &Request<'_>) {
        assert_eq!(Request::parse(&mut body.to_vec()), Ok(Some(*request)), "{}", body.escape_ascii());
    }

    /// Asserts that `body` is known and refused.
    pub(crate) fn malformed(body: &[u8]) {
        let mut copy = body.to_vec();
        let result = Request::parse(&mut copy);
        assert!(result.is_err(), "{}: {result:?}", body.escape_ascii());
    }

    /// Asserts that nobody knows `body`.
    pub(crate) fn unknown(body: &[u8]) {
        assert_eq!(Request::parse(&mut body.to_vec()), Ok(None), "{}", body.escape_ascii());
    }

    #[test]
    fn packets_of_no_family_are_unknown() {
        for body in ["", "a", "vCont?", "vMustReplyEmpty", "qSupported:x+", "qL1", "\x03", "b", "i"] {
            unknown(body.as_bytes());
        }
    }
}
