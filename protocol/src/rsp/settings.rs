//! Settings of the session: `Q…` packets.

use alloc::vec::Vec;

use super::field;
use super::packet::hex;
use super::request::Malformed;
use super::signal::{Numbering, Signal};

/// A list of signals, `;` between hex numbers, checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SignalList<'a> {
    text: &'a [u8],
    numbering: Numbering,
}

/// The system call numbers of `QCatchSyscalls:1;…`, checked; empty: all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SyscallList<'a> {
    text: &'a [u8],
}

/// The hex numbers between `;` in `text`, after the last of which GDB writes a `;` too; `None` for one that is none.
fn numbers(text: &[u8]) -> impl Iterator<Item = Option<u64>> + Clone {
    let text = text.strip_suffix(b";").unwrap_or(text);
    text.split(|byte| *byte == b';').filter(move |_| !text.is_empty()).map(field::whole)
}

impl<'a> SignalList<'a> {
    /// The list in `text`; `None` if it has something that is no signal number.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        numbers(text)
            .all(|number| number.is_some_and(|number| number <= u8::MAX.into()))
            .then_some(Self { text, numbering: Numbering::Gdb })
    }

    /// The same list where its numbers are these.
    #[must_use]
    pub(crate) const fn numbered(self, numbering: Numbering) -> Self {
        Self { numbering, ..self }
    }

    /// Each signal.
    pub fn iter(&self) -> impl Iterator<Item = Signal> + Clone + use<'a> {
        let numbering = self.numbering;
        numbers(self.text).flatten().map(move |number| numbering.read(number as u8))
    }
}

impl<'a> SyscallList<'a> {
    /// The list in `text`; `None` if it has something that is no number.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        numbers(text).all(|number| number.is_some_and(|number| i64::try_from(number).is_ok())).then_some(Self { text })
    }

    /// Each number.
    pub fn iter(&self) -> impl Iterator<Item = i64> + Clone + use<'a> {
        numbers(self.text).flatten().map(|number| number as i64)
    }

    /// Whether it stands for all system calls.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// A standard stream of a program; its number is its descriptor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StandardStream {
    /// Standard input.
    Input = 0,
    /// Standard output.
    Output = 1,
    /// Standard error.
    Error = 2,
}

impl StandardStream {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Input => STANDARD_INPUT,
            Self::Output => STANDARD_OUTPUT,
            Self::Error => STANDARD_ERROR,
        }
    }
}

/// A setting. Each is answered with OK or an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `QCatchSyscalls:0`, `QCatchSyscalls:1[;SYSNO…]`; `None`: off.
    CatchSyscalls(Option<SyscallList<'a>>),
    /// `QDisableRandomization:0|1`, or LLDB's `QSetDisableASLR:0|1`.
    DisableRandomization(bool),
    /// `QSetDetachOnError:0|1`: whether a process that was started is let go, not killed, when the connection breaks.
    DetachOnError(bool),
    /// `QEnvironmentHexEncoded:NAME=VALUE`, decoded, or `QEnvironment:NAME=VALUE`.
    EnvironmentSet(&'a [u8]),
    /// `QEnvironmentUnset:NAME`, decoded.
    EnvironmentUnset(&'a [u8]),
    /// `QEnvironmentReset`.
    EnvironmentReset,
    /// `QLaunchArch:ARCHITECTURE`: which of a program's several parts is to be run.
    LaunchArchitecture(&'a [u8]),
    /// `QNonStop:0|1`.
    NonStop(bool),
    /// `QPassSignals:LIST`: give these to the program without stopping.
    PassSignals(SignalList<'a>),
    /// `QProgramSignals:LIST`: give the program these when the client resumes or detaches with them pending.
    ProgramSignals(SignalList<'a>),
    /// `QSetSTDIN:PATH`, `QSetSTDOUT:PATH`, `QSetSTDERR:PATH`: LLDB's. Empty: as if it had not been said.
    StandardStream {
        /// Which one.
        stream: StandardStream,
        /// The file, decoded.
        path: &'a [u8],
    },
    /// `QStartupWithShell:0|1`.
    StartupWithShell(bool),
    /// `QThreadEvents:0|1`.
    ThreadEvents(bool),
    /// `QSetWorkingDir:PATH`, decoded; empty: the server's own.
    WorkingDirectory(&'a [u8]),
}

const CATCH_SYSCALLS: &[u8] = b"QCatchSyscalls";
const DISABLE_RANDOMIZATION: &[u8] = b"QDisableRandomization";
const DISABLE_ASLR: &[u8] = b"QSetDisableASLR";
const DETACH_ON_ERROR: &[u8] = b"QSetDetachOnError";
const ENVIRONMENT_PLAIN: &[u8] = b"QEnvironment";
const ENVIRONMENT_SET: &[u8] = b"QEnvironmentHexEncoded";
const ENVIRONMENT_UNSET: &[u8] = b"QEnvironmentUnset";
const ENVIRONMENT_RESET: &[u8] = b"QEnvironmentReset";
const LAUNCH_ARCHITECTURE: &[u8] = b"QLaunchArch";
const NON_STOP: &[u8] = b"QNonStop";
const PASS_SIGNALS: &[u8] = b"QPassSignals";
const PROGRAM_SIGNALS: &[u8] = b"QProgramSignals";
const STANDARD_ERROR: &[u8] = b"QSetSTDERR";
const STANDARD_INPUT: &[u8] = b"QSetSTDIN";
const STANDARD_OUTPUT: &[u8] = b"QSetSTDOUT";
const STARTUP_WITH_SHELL: &[u8] = b"QStartupWithShell";
const THREAD_EVENTS: &[u8] = b"QThreadEvents";
const WORKING_DIRECTORY: &[u8] = b"QSetWorkingDir";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if a switch is neither 0 nor 1, a list has something that is no number, or text is not hex.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        if body == ENVIRONMENT_RESET {
            return Ok(Some(Self::EnvironmentReset));
        }
        let Some((name, value)) = field::split_at_mut(body, b':') else { return Ok(None) };
        let request = match &*name {
            CATCH_SYSCALLS => catch_syscalls(value),
            DETACH_ON_ERROR => field::switch(value).map(Self::DetachOnError),
            DISABLE_ASLR | DISABLE_RANDOMIZATION => field::switch(value).map(Self::DisableRandomization),
            ENVIRONMENT_PLAIN => Some(Self::EnvironmentSet(value)),
            ENVIRONMENT_SET => hex::decode_in_place(value).map(|text| Self::EnvironmentSet(text)),
            ENVIRONMENT_UNSET => hex::decode_in_place(value).map(|text| Self::EnvironmentUnset(text)),
            LAUNCH_ARCHITECTURE => Some(Self::LaunchArchitecture(value)),
            NON_STOP => field::switch(value).map(Self::NonStop),
            // LLDB's own tests end the list with a space.
            PASS_SIGNALS => SignalList::parse(value.trim_ascii_end()).map(Self::PassSignals),
            PROGRAM_SIGNALS => SignalList::parse(value).map(Self::ProgramSignals),
            STANDARD_ERROR => standard_stream(StandardStream::Error, value),
            STANDARD_INPUT => standard_stream(StandardStream::Input, value),
            STANDARD_OUTPUT => standard_stream(StandardStream::Output, value),
            STARTUP_WITH_SHELL => field::switch(value).map(Self::StartupWithShell),
            THREAD_EVENTS => field::switch(value).map(Self::ThreadEvents),
            WORKING_DIRECTORY => hex::decode_in_place(value).map(|text| Self::WorkingDirectory(text)),
            _ => return Ok(None),
        };
        request.ok_or(Malformed("setting")).map(Some)
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let (name, value) = match *self {
            Self::CatchSyscalls(None) => (CATCH_SYSCALLS, Value::Switch(false)),
            Self::CatchSyscalls(Some(list)) => (CATCH_SYSCALLS, Value::On(list.text)),
            Self::DetachOnError(on) => (DETACH_ON_ERROR, Value::Switch(on)),
            Self::DisableRandomization(on) => (DISABLE_RANDOMIZATION, Value::Switch(on)),
            Self::EnvironmentSet(text) => (ENVIRONMENT_SET, Value::Hex(text)),
            Self::EnvironmentUnset(text) => (ENVIRONMENT_UNSET, Value::Hex(text)),
            Self::EnvironmentReset => return out.extend_from_slice(ENVIRONMENT_RESET),
            Self::LaunchArchitecture(name) => (LAUNCH_ARCHITECTURE, Value::List(name)),
            Self::NonStop(on) => (NON_STOP, Value::Switch(on)),
            Self::PassSignals(list) => (PASS_SIGNALS, Value::List(list.text)),
            Self::ProgramSignals(list) => (PROGRAM_SIGNALS, Value::List(list.text)),
            Self::StandardStream { stream, path } => (stream.name(), Value::Hex(path)),
            Self::StartupWithShell(on) => (STARTUP_WITH_SHELL, Value::Switch(on)),
            Self::ThreadEvents(on) => (THREAD_EVENTS, Value::Switch(on)),
            Self::WorkingDirectory(text) => (WORKING_DIRECTORY, Value::Hex(text)),
        };
        out.extend_from_slice(name);
        out.push(b':');
        value.emit(out);
    }
}

/// What follows the colon.
enum Value<'a> {
    Hex(&'a [u8]),
    List(&'a [u8]),
    On(&'a [u8]),
    Switch(bool),
}

impl Value<'_> {
    fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Hex(text) => hex::encode(out, text),
            Self::List(text) => out.extend_from_slice(text),
            Self::On([]) => out.push(b'1'),
            Self::On(text) => {
                out.extend_from_slice(b"1;");
                out.extend_from_slice(text);
            }
            Self::Switch(on) => field::put_switch(out, on),
        }
    }
}

fn standard_stream(stream: StandardStream, value: &mut [u8]) -> Option<Request<'_>> {
    hex::decode_in_place(value).map(|path| Request::StandardStream { stream, path })
}

fn catch_syscalls(value: &[u8]) -> Option<Request<'_>> {
    let list = match value {
        b"0" => None,
        b"1" => Some(SyscallList { text: b"" }),
        _ => Some(SyscallList::parse(value.strip_prefix(b"1;")?)?),
    };
    Some(Request::CatchSyscalls(list))
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, parses, round_trip, unknown};

    fn listed<T: core::fmt::LowerHex>(items: &[T]) -> String {
        items.iter().map(|item| std::format!("{item:x}")).collect::<Vec<_>>().join(";")
    }

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(on: bool, text: Vec<u8>, signals: Vec<u8>, calls in prop::collection::vec(0..i64::MAX, 0..9)) {
            let (signal_text, call_text) = (listed(&signals), listed(&calls));
            let signal_list = SignalList::parse(signal_text.as_bytes()).unwrap();
            let call_list = SyscallList::parse(call_text.as_bytes()).unwrap();
            prop_assert!(signal_list.iter().eq(signals.into_iter().map(Signal)));
            prop_assert!(call_list.iter().eq(calls));
            for request in [
                Request::CatchSyscalls(None), Request::CatchSyscalls(Some(call_list)), Request::DisableRandomization(on),
                Request::EnvironmentSet(&text), Request::EnvironmentUnset(&text), Request::EnvironmentReset,
                Request::NonStop(on), Request::PassSignals(signal_list), Request::ProgramSignals(signal_list),
                Request::StandardStream { stream: StandardStream::Input, path: &text },
                Request::StandardStream { stream: StandardStream::Output, path: &text },
                Request::StandardStream { stream: StandardStream::Error, path: &text },
                Request::StartupWithShell(on), Request::ThreadEvents(on), Request::WorkingDirectory(&text),
            ] {
                round_trip(&request.into());
            }
        }
    }

    #[test]
    fn lldb_has_names_of_its_own_for_some() {
        parses(b"QSetDisableASLR:1", &Request::DisableRandomization(true).into());
        parses(b"QEnvironment:A=b:c", &Request::EnvironmentSet(b"A=b:c").into());
    }

    #[test]
    fn all_system_calls_is_an_empty_list() {
        let all = SyscallList { text: b"" };
        parses(b"QCatchSyscalls:1", &Request::CatchSyscalls(Some(all)).into());
        assert!(all.is_empty() && all.iter().next().is_none());
    }

    #[test]
    fn a_space_may_follow_the_signals_that_are_passed() {
        let list = SignalList::parse(b"a;c").unwrap();
        parses(b"QPassSignals:a;c ", &Request::PassSignals(list).into());
    }

    #[test]
    fn switches_lists_and_text_are_checked() {
        for body in [
            "QNonStop:",
            "QNonStop:2",
            "QNonStop:01",
            "QCatchSyscalls:2",
            "QCatchSyscalls:1x",
            "QCatchSyscalls:1;x",
            "QPassSignals:100",
            "QPassSignals:e;;f",
            "QProgramSignals:;;",
            "QSetWorkingDir:2",
            "QSetSTDOUT:2",
            "QEnvironmentUnset:zz",
        ] {
            malformed(body.as_bytes());
        }
        for body in ["Q", "QNonStop", "QUnheardOf:1", "QEnvironmentResetx"] {
            unknown(body.as_bytes());
        }
    }

    #[test]
    fn a_list_may_end_with_a_separator_as_gdb_writes_it() {
        let list = SignalList::parse(b"e;10;97;").unwrap();
        assert!(list.iter().eq([Signal(0x0e), Signal(0x10), Signal(0x97)]));
        assert_eq!(SignalList::parse(b"").unwrap().iter().count(), 0);
        assert!(SignalList::parse(b"e;;10").is_none());
    }
}
