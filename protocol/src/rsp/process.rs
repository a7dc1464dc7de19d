//! Processes: `!`, `?`, `vRun`, `vAttach`, `vKill`, `k`, `D`, `R`, `qAttached`; and LLDB's `A`, `vAttachName`,
//! `vAttachWait`, `vAttachOrWait`, `qLaunchSuccess`, `qProcessInfo`, `qSupportsDetachAndStayStopped`.

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

/// What `vAttachName` and its like do where no process has the name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Absent {
    /// `vAttachName`: it is an error.
    Refuse,
    /// `vAttachOrWait`: wait until one starts.
    Wait,
    /// `vAttachWait`: wait for a new one, whether there is one or not.
    WaitForNew,
}

impl Absent {
    const ALL: [(Self, &[u8]); 3] =
        [(Self::Refuse, b"vAttachName;"), (Self::Wait, b"vAttachOrWait;"), (Self::WaitForNew, b"vAttachWait;")];

    /// How a packet with this meaning begins.
    fn prefix(self) -> &'static [u8] {
        Self::ALL.into_iter().find(|(absent, _)| *absent == self).map_or(b"", |(_, prefix)| prefix)
    }
}

/// What `qProcessInfo` is answered with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProcessInfo<'a> {
    /// The process.
    pub pid: Pid,
    /// Its parent; 0 for none.
    pub parent: u32,
    /// Real and effective user.
    pub users: [u32; 2],
    /// Real and effective group.
    pub groups: [u32; 2],
    /// Processor, vendor and system, as LLVM writes them: `x86_64-pc-linux-gnu`.
    pub triple: &'a str,
    /// The system's name: `linux`.
    pub system: &'a str,
    /// `little` or `big`.
    pub byte_order: &'a str,
    /// Bytes of an address.
    pub pointer_size: u8,
}

/// A process request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `vAttach;PID`. Answered with a stop reply (all-stop) or OK (non-stop).
    Attach(Pid),
    /// `vAttachName;NAME` and its like. Answered like `Attach`.
    AttachByName {
        /// The program's file name, or its path.
        name: &'a [u8],
        /// What to do where there is no such process.
        absent: Absent,
    },
    /// `D` or `D;PID`: let it go on without us. `None`: the current one.
    Detach(Option<Pid>),
    /// `D1;PID`: let go of it, but leave it stopped.
    DetachStopped(Pid),
    /// `!`: extended mode. Always OK.
    ExtendedMode,
    /// `vKill;PID`.
    Kill(Pid),
    /// `k`: end all processes. No reply, but for LLDB.
    KillAll,
    /// `A`: start a program; answered with OK. Whether it did start is asked with `qLaunchSuccess`.
    Launch {
        /// Decoded path.
        program: &'a [u8],
        /// Its arguments, without the program itself.
        arguments: Arguments<'a>,
    },
    /// `qLaunchSuccess`.
    LaunchSucceeded,
    /// `qProcessInfo`: about the current process.
    Info,
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
    /// `qSupportsDetachAndStayStopped:`: OK or an error.
    SupportsDetachStopped,
    /// `qAttached[:PID]`: answered `1` (attached) or `0` (created here).
    WasAttached(Option<Pid>),
}

/// Most arguments that `A` may have: each has a number of its own.
const MAX_ARGUMENTS: u64 = crate::limits::MAX_PACKET as u64;

const ATTACH: &[u8] = b"vAttach;";
const ATTACHED: &[u8] = b"qAttached";
const KILL: &[u8] = b"vKill;";
const RUN: &[u8] = b"vRun;";
const DETACH_STOPPED: &[u8] = b"D1;";
const SUPPORTS_DETACH_STOPPED: &[u8] = b"qSupportsDetachAndStayStopped:";
const LAUNCH_SUCCEEDED: &[u8] = b"qLaunchSuccess";
const INFO: &[u8] = b"qProcessInfo";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if a process id is missing or is none, or an argument or a name is not hex or has a zero byte.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        let process = |text: &[u8]| pid(text).ok_or(Malformed("process"));
        if body.starts_with(RUN) {
            return run(&mut body[RUN.len()..]).ok_or(Malformed("vRun")).map(Some);
        }
        // lldb-server lets a space precede the list, and LLDB's own tests send one.
        if let [b'A', b' ', list @ ..] | [b'A', list @ ..] = body {
            return launch(list).ok_or(Malformed("A")).map(Some);
        }
        if let Some((absent, prefix)) = Absent::ALL.into_iter().find(|(_, prefix)| body.starts_with(prefix)) {
            let name = c_string(&mut body[prefix.len()..]).filter(|name| !name.is_empty());
            return name.ok_or(Malformed("attach")).map(|name| Some(Self::AttachByName { name, absent }));
        }
        Ok(Some(match &*body {
            b"!" => Self::ExtendedMode,
            b"?" => Self::Status,
            b"D" => Self::Detach(None),
            INFO => Self::Info,
            LAUNCH_SUCCEEDED => Self::LaunchSucceeded,
            SUPPORTS_DETACH_STOPPED => Self::SupportsDetachStopped,
            // `k` and `R` once had an argument that means nothing.
            [b'k', ..] => Self::KillAll,
            [b'R', ..] => Self::Restart,
            [b'D', b';', text @ ..] => Self::Detach(Some(process(text)?)),
            [b'D', b'1', b';', text @ ..] => Self::DetachStopped(process(text)?),
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
            Self::AttachByName { name, absent } => {
                out.extend_from_slice(absent.prefix());
                hex::encode(out, name);
            }
            Self::DetachStopped(pid) => put_pid(out, DETACH_STOPPED, *pid),
            Self::Info => out.extend_from_slice(INFO),
            Self::Launch { program, arguments } => put_launch(out, program, arguments),
            Self::LaunchSucceeded => out.extend_from_slice(LAUNCH_SUCCEEDED),
            Self::SupportsDetachStopped => out.extend_from_slice(SUPPORTS_DETACH_STOPPED),
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

/// `LENGTH,NUMBER,HEX,LENGTH,NUMBER,HEX,…`, decoded in place: the program is number 0, and lengths count digits. LLDB writes
/// both numbers in decimal.
fn launch(text: &mut [u8]) -> Option<Request<'_>> {
    let mut length = 0;
    let mut program = None;
    let mut read = 0;
    let mut index = 0;
    loop {
        let (digits, rest) = decimal(text.get(read..)?)?;
        let (number, rest) = decimal(rest)?;
        let start = text.len() - rest.len();
        let end = start.checked_add(usize::try_from(digits).ok()?)?;
        let decoded = c_string(text.get_mut(start..end)?)?.len();
        if number != index || number > MAX_ARGUMENTS {
            return None;
        }
        if index > 1 {
            text[length] = 0;
            length += 1;
        }
        text.copy_within(start..start + decoded, length);
        length += decoded;
        program.get_or_insert(length);
        index += 1;
        if end == text.len() {
            break;
        }
        if text[end] != b',' {
            return None;
        }
        read = end + 1;
    }
    let (program, joined) = text[..length].split_at(program?);
    Some(Request::Launch { program, arguments: Arguments { joined: (index > 1).then_some(joined) } })
}

/// A decimal number and the comma behind it; what follows.
fn decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = field::split_at(text, b',')?;
    let number = core::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((number.parse().ok()?, rest))
}

fn put_launch(out: &mut Vec<u8>, program: &[u8], arguments: &Arguments<'_>) {
    out.push(b'A');
    for (index, word) in core::iter::once(program).chain(arguments.iter()).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(alloc::format!("{},{index},", 2 * word.len()).as_bytes());
        hex::encode(out, word);
    }
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
                Request::WasAttached(Some(pid)), Request::DetachStopped(pid), Request::Info, Request::LaunchSucceeded,
                Request::SupportsDetachStopped,
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
            round_trip(&Request::Launch { program: &strings[0], arguments: Arguments::from_joined(joined) }.into());
            for (absent, _) in Absent::ALL {
                round_trip(&Request::AttachByName { name: &[&strings[0][..], b"x"].concat(), absent }.into());
            }
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
    fn lldb_starts_programs_by_numbered_arguments() {
        let launch = |program, joined| Request::Launch { program, arguments: Arguments::from_joined(joined) }.into();
        parses(b"A4,0,2f61", &launch(b"/a", None));
        parses(b"A4,0,2f61,0,1,", &launch(b"/a", Some(b"")));
        parses(b"A4,0,2f61,4,1,2d31,0,2,,2,3,62", &launch(b"/a", Some(b"-1\0\0b")));
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
            "A",
            "A4,0,2f",
            "A2,1,2f",
            "A2,0,2f,",
            "A2,0,2f,2,2,61",
            "A2,0,2f;2,1,61",
            "A18446744073709551615,0,2f",
            "A+2,0,2f",
            "vAttachName;",
            "vAttachWait;0",
            "D1;0",
        ] {
            malformed(body.as_bytes());
        }
        for body in ["vAttach", "Dx", "qAttachedx", "!x", "??"] {
            unknown(body.as_bytes());
        }
    }
}
