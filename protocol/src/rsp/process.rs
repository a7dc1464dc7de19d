//! Processes: `!`, `?`, `vRun`, `vAttach`, `vKill`, `k`, `D`, `R`, `qAttached`.

use alloc::vec::Vec;

use super::field;
use super::packet::hex;
use super::request::Malformed;
use crate::ids::Pid;

/// The arguments of `vRun`. None of them has a zero byte in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Arguments<'a> {
    // Decoded, with a zero byte between them; `None` tells no argument from a single empty one.
    joined: Option<&'a [u8]>,
}

impl<'a> Arguments<'a> {
    /// Arguments that are separated by zero bytes; `None`: no argument at all.
    #[must_use]
    pub const fn from_joined(joined: Option<&'a [u8]>) -> Self {
        Self { joined }
    }

    /// Each argument, decoded.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.joined.into_iter().flat_map(|joined| joined.split(|byte| *byte == 0))
    }
}

/// A process request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `vAttach;PID`. Answered with a stop reply (all-stop) or OK (non-stop).
    Attach(Pid),
    /// `D` or `D;PID`: let it go on without us. `None`: the current one.
    Detach(Option<Pid>),
    /// `!`: extended mode. Always OK.
    ExtendedMode,
    /// `vKill;PID`.
    Kill(Pid),
    /// `k`: end all processes. No reply.
    KillAll,
    /// `R`: start the program again. No reply; the client asks with `?`.
    Restart,
    /// `vRun;PROGRAM;ARGUMENT…`: an empty program means the one that ran last. Answered like `Attach`.
    Run {
        /// Decoded path; empty: the last one again.
        program: &'a [u8],
        /// Its arguments, without the program itself.
        arguments: Arguments<'a>,
    },
    /// `?`: why did it stop.
    Status,
    /// `qAttached[:PID]`: answered `1` (attached) or `0` (created here).
    WasAttached(Option<Pid>),
}

const ATTACH: &[u8] = b"vAttach;";
const ATTACHED: &[u8] = b"qAttached";
const KILL: &[u8] = b"vKill;";
const RUN: &[u8] = b"vRun;";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if a process id is missing or is none, or an argument is not hex or has a zero byte.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        let process = |text: &[u8]| pid(text).ok_or(Malformed("process"));
        if body.starts_with(RUN) {
            return run(&mut body[RUN.len()..]).ok_or(Malformed("vRun")).map(Some);
        }
        Ok(Some(match &*body {
            b"!" => Self::ExtendedMode,
            b"?" => Self::Status,
            b"D" => Self::Detach(None),
            // `k` and `R` once had an argument that means nothing.
            [b'k', ..] => Self::KillAll,
            [b'R', ..] => Self::Restart,
            [b'D', b';', text @ ..] => Self::Detach(Some(process(text)?)),
            body => {
                if let Some(text) = body.strip_prefix(ATTACH) {
                    Self::Attach(process(text)?)
                } else if let Some(text) = body.strip_prefix(KILL) {
                    Self::Kill(process(text)?)
                } else {
                    match body.strip_prefix(ATTACHED) {
                        Some([]) => Self::WasAttached(None),
                        Some([b':', text @ ..]) => Self::WasAttached(Some(process(text)?)),
                        _ => return Ok(None),
                    }
                }
            }
        }))
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Attach(pid) => put_pid(out, ATTACH, *pid),
            Self::Detach(None) => out.push(b'D'),
            Self::Detach(Some(pid)) => put_pid(out, b"D;", *pid),
            Self::ExtendedMode => out.push(b'!'),
            Self::Kill(pid) => put_pid(out, KILL, *pid),
            Self::KillAll => out.push(b'k'),
            Self::Restart => out.extend_from_slice(b"R00"),
            Self::Run { program, arguments } => {
                out.extend_from_slice(RUN);
                hex::encode(out, program);
                for argument in arguments.iter() {
                    out.push(b';');
                    hex::encode(out, argument);
                }
            }
            Self::Status => out.push(b'?'),
            Self::WasAttached(None) => out.extend_from_slice(ATTACHED),
            Self::WasAttached(Some(pid)) => put_pid(out, b"qAttached:", *pid),
        }
    }
}

/// A process id in hex that is all of `text`.
pub(crate) fn pid(text: &[u8]) -> Option<Pid> {
    field::whole_as(text).and_then(Pid::new)
}

fn put_pid(out: &mut Vec<u8>, name: &[u8], pid: Pid) {
    out.extend_from_slice(name);
    field::put_number(out, pid.raw() as u64);
}

fn run(text: &mut [u8]) -> Option<Request<'_>> {
    let end = memchr::memchr(b';', text).unwrap_or(text.len());
    let (program, rest) = text.split_at_mut(end);
    let program = c_string(program)?;
    let joined = if rest.is_empty() { None } else { Some(join(rest)?) };
    Some(Request::Run { program, arguments: Arguments { joined } })
}

/// Decodes `;HEX;HEX…` in place and puts zero bytes where the separators were.
fn join(text: &mut [u8]) -> Option<&[u8]> {
    let mut length = 0;
    let mut read = 1;
    while read <= text.len() {
        let end = memchr::memchr(b';', &text[read..]).map_or(text.len(), |at| read + at);
        let decoded = c_string(&mut text[read..end])?.len();
        if read > 1 {
            text[length] = 0;
            length += 1;
        }
        text.copy_within(read..read + decoded, length);
        length += decoded;
        read = end + 1;
    }
    Some(&text[..length])
}

/// Decodes text that is to become a C string.
fn c_string(text: &mut [u8]) -> Option<&[u8]> {
    let decoded: &[u8] = hex::decode_in_place(text)?;
    memchr::memchr(0, decoded).is_none().then_some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, parses, round_trip, unknown};

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(raw in 1..=i32::MAX) {
            let pid = Pid::new(raw).unwrap();
            for request in [
                Request::Attach(pid), Request::Detach(None), Request::Detach(Some(pid)), Request::ExtendedMode,
                Request::Kill(pid), Request::KillAll, Request::Restart, Request::Status, Request::WasAttached(None),
                Request::WasAttached(Some(pid)),
            ] {
                round_trip(&request.into());
            }
        }

        #[test]
        fn programs_and_arguments_read_back_as_emitted(strings in prop::collection::vec(prop::collection::vec(1u8.., 0..9), 1..6)) {
            let joined = strings[1..].join(&0);
            let joined = (strings.len() > 1).then_some(&joined[..]);
            let request = Request::Run { program: &strings[0], arguments: Arguments::from_joined(joined) };
            round_trip(&request.into());
            let Request::Run { arguments, .. } = request else { unreachable!() };
            prop_assert!(arguments.iter().eq(strings[1..].iter().map(|string| &string[..])));
        }
    }

    #[test]
    fn no_argument_is_not_an_empty_argument() {
        let run = |program, joined| Request::Run { program, arguments: Arguments::from_joined(joined) }.into();
        parses(b"vRun;2f61", &run(b"/a", None));
        parses(b"vRun;2f61;", &run(b"/a", Some(b"")));
        parses(b"vRun;", &run(b"", None));
        parses(b"vRun;;2d31;;62", &run(b"", Some(b"-1\0\0b")));
        assert_eq!(Arguments::from_joined(None).iter().count(), 0);
        assert_eq!(Arguments::from_joined(Some(b"")).iter().count(), 1);
    }

    #[test]
    fn processes_that_cannot_be_and_zero_bytes_are_refused() {
        for body in [
            "vAttach;",
            "vAttach;0",
            "vAttach;80000000",
            "vKill;x",
            "D;",
            "D;0",
            "qAttached:",
            "vRun;0",
            "vRun;2f;zz",
            "vRun;2f;00",
        ] {
            malformed(body.as_bytes());
        }
        for body in ["vAttach", "Dx", "qAttachedx", "!x", "??"] {
            unknown(body.as_bytes());
        }
    }
}
