//! Threads: `H`, `T`, `qC`, `qfThreadInfo`, `qThreadExtraInfo`, LLDB's `jThreadsInfo` and `qThreadStopInfo`, and
//! thread-ids as packets write them.

use alloc::vec::Vec;

use super::field;
use super::request::Malformed;
use super::signal::Signal;
use super::stop::Reason;
use crate::ids::{Pid, ThreadId, Tid};

/// One id, all (`-1`) or any (`0`) of them (GDB manual, "thread-id syntax").
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Selector<T> {
    /// `-1`.
    All,
    /// `0`, or absent.
    Any,
    /// This one.
    One(T),
}

/// A thread-id of a packet: `pPID.TID`, `pPID`, or `TID` without the multiprocess extensions.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ThreadSelector {
    /// Which process; [`Selector::Any`] where the packet did not name one.
    pub process: Selector<Pid>,
    /// Which of its threads.
    pub thread: Selector<Tid>,
}

impl ThreadSelector {
    /// `-1`: every thread of every process.
    pub const ALL: Self = Self { process: Selector::All, thread: Selector::All };
    /// `0`: whichever thread the server thinks of.
    pub const ANY: Self = Self { process: Selector::Any, thread: Selector::Any };

    /// Whether `id` is among the threads meant. `Any` admits every thread.
    #[must_use]
    pub fn admits(&self, id: ThreadId) -> bool {
        (match self.process {
            Selector::All | Selector::Any => true,
            Selector::One(pid) => pid == id.pid,
        }) && (match self.thread {
            Selector::All | Selector::Any => true,
            Selector::One(tid) => tid == id.tid,
        })
    }

    /// The thread-id that `text` starts with, and what follows it. `None` if there is none, or one that no thread can
    /// have, or if it means one thread of all processes.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        let Some(text) = text.strip_prefix(b"p") else {
            let (thread, rest) = part(text, Tid::new)?;
            let process = if thread == Selector::All { Selector::All } else { Selector::Any };
            return Some((Self { process, thread }, rest));
        };
        let (process, rest) = part(text, Pid::new)?;
        let (thread, rest) = match rest.strip_prefix(b".") {
            Some(rest) => part(rest, Tid::new)?,
            None => (Selector::All, rest),
        };
        let ambiguous = process == Selector::All && matches!(thread, Selector::One(_));
        (!ambiguous).then_some((Self { process, thread }, rest))
    }

    /// The thread-id that is all of `text`.
    pub(crate) fn whole(text: &[u8]) -> Option<Self> {
        Self::parse(text).and_then(|(id, rest)| rest.is_empty().then_some(id))
    }

    /// Appends the thread-id.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match (self.process, self.thread) {
            (Selector::All, Selector::All) | (Selector::Any, Selector::Any | Selector::One(_)) => {}
            (process, _) => {
                out.push(b'p');
                put_part(out, process.map(|pid| pid.raw().cast_unsigned()));
                out.push(b'.');
            }
        }
        put_part(out, self.thread.map(|tid| tid.raw().cast_unsigned()));
    }
}

impl<T> Selector<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Selector<U> {
        match self {
            Self::All => Selector::All,
            Self::Any => Selector::Any,
            Self::One(id) => Selector::One(f(id)),
        }
    }
}

/// One half of a thread-id: `-1`, `0` or an id.
fn part<T>(text: &[u8], new: fn(i32) -> Option<T>) -> Option<(Selector<T>, &[u8])> {
    if let Some(rest) = text.strip_prefix(b"-1") {
        return Some((Selector::All, rest));
    }
    let (number, rest) = field::number(text)?;
    let id = i32::try_from(number).ok()?;
    Some((new(id).map_or(Selector::Any, Selector::One), rest))
}

fn put_part(out: &mut Vec<u8>, id: Selector<u32>) {
    match id {
        Selector::All => out.extend_from_slice(b"-1"),
        Selector::Any => out.push(b'0'),
        Selector::One(id) => field::put_number(out, id.into()),
    }
}

/// Appends the id of a thread: `pPID.TID` with the multiprocess extensions, `TID` without.
pub(crate) fn put_thread(out: &mut Vec<u8>, id: ThreadId, multiprocess: bool) {
    if multiprocess {
        out.push(b'p');
        field::put_number(out, id.pid.raw() as u64);
        out.push(b'.');
    }
    field::put_number(out, id.tid.raw() as u64);
}

/// What LLDB puts behind packets instead of choosing a thread before them.
const SUFFIX: &[u8] = b";thread:";

/// `body` without `;thread:ID;` at its end, and the thread. Anything that merely looks like it stays.
pub(crate) fn split_suffix(body: &mut [u8]) -> (&mut [u8], Option<ThreadSelector>) {
    let found = memchr::memmem::rfind(body, SUFFIX).and_then(|at| {
        let id = &body[at + SUFFIX.len()..];
        Some((at, ThreadSelector::whole(id.strip_suffix(b";").unwrap_or(id))?))
    });
    match found {
        Some((at, thread)) => (&mut body[..at], Some(thread)),
        None => (body, None),
    }
}

impl From<ThreadId> for ThreadSelector {
    fn from(id: ThreadId) -> Self {
        Self { process: Selector::One(id.pid), thread: Selector::One(id.tid) }
    }
}

/// Whether a thread-id names a thread, but none or all for its process. To lldb-server that is an error.
pub(crate) fn is_of_no_process(id: &[u8]) -> bool {
    let thread = id.strip_prefix(b"p0.").or_else(|| id.strip_prefix(b"p-1."));
    thread.is_some_and(|thread| !matches!(thread, b"0" | b"-1"))
}

/// What a thread chosen with `H` is used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// `Hg`: registers, memory and everything else that has a thread.
    General,
    /// `Hc`: the older resume packets `c`, `s`, `C`, `S`.
    Resume,
}

/// A thread request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request {
    /// `qC`.
    Current,
    /// `qThreadExtraInfo,ID`: text for `info threads`.
    ExtraInfo(ThreadSelector),
    /// `jThreadsInfo`: all threads of the chosen thread's process.
    Infos,
    /// `T ID`.
    IsAlive(ThreadSelector),
    /// `qfThreadInfo`. The machine splits a long reply over `qsThreadInfo` itself.
    List,
    /// `H`. Answered with OK or an error by the engine, which knows the threads; the machine remembers the choice.
    Select {
        /// What for.
        scope: Scope,
        /// Which one.
        thread: ThreadSelector,
    },
    /// `qThreadStopInfo ID`: answered with a stop reply for that thread.
    StopInfo(ThreadSelector),
}

/// One thread, as LLDB is told of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadInfo<'a> {
    /// Which thread.
    pub thread: ThreadId,
    /// Its name.
    pub name: &'a [u8],
    /// Some of its registers: number in the target description, bytes in target order.
    pub registers: &'a [(u32, &'a [u8])],
    /// Why it stopped, if it is the one that did.
    pub stop: Option<(Signal, Reason<'a>)>,
}

const STOP_INFO: &[u8] = b"qThreadStopInfo";

const EXTRA_INFO: &[u8] = b"qThreadExtraInfo,";

impl Request {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if a thread-id is missing or is none.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, Malformed> {
        let thread = |text| ThreadSelector::whole(text).ok_or(Malformed("thread"));
        Ok(Some(match body {
            b"qC" => Self::Current,
            b"qfThreadInfo" => Self::List,
            b"jThreadsInfo" => Self::Infos,
            [b'H', b'g', id @ ..] => Self::Select { scope: Scope::General, thread: thread(id)? },
            [b'H', b'c', id @ ..] => Self::Select { scope: Scope::Resume, thread: thread(id)? },
            [b'T', id @ ..] => Self::IsAlive(thread(id)?),
            _ => match (body.strip_prefix(EXTRA_INFO), body.strip_prefix(STOP_INFO)) {
                (Some(id), _) => Self::ExtraInfo(thread(id)?),
                (None, Some(id)) => Self::StopInfo(thread(id)?),
                (None, None) => return Ok(None),
            },
        }))
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Current => out.extend_from_slice(b"qC"),
            Self::ExtraInfo(thread) => {
                out.extend_from_slice(EXTRA_INFO);
                thread.emit(out);
            }
            Self::IsAlive(thread) => {
                out.push(b'T');
                thread.emit(out);
            }
            Self::Infos => out.extend_from_slice(b"jThreadsInfo"),
            Self::List => out.extend_from_slice(b"qfThreadInfo"),
            Self::StopInfo(thread) => {
                out.extend_from_slice(STOP_INFO);
                thread.emit(out);
            }
            Self::Select { scope, thread } => {
                out.extend_from_slice(if *scope == Scope::General { b"Hg" } else { b"Hc" });
                thread.emit(out);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, round_trip, unknown};

    /// Every thread-id that a packet can hold.
    pub(crate) fn selectors() -> impl Strategy<Value = ThreadSelector> {
        let part = || prop_oneof![Just(-1), Just(0), 1..=i32::MAX];
        (part(), part())
            .prop_filter("one thread of all processes", |(pid, tid)| !(*pid == -1 && *tid > 0))
            .prop_map(|(pid, tid)| ThreadSelector { process: selector(pid, Pid::new), thread: selector(tid, Tid::new) })
    }

    fn selector<T>(id: i32, new: fn(i32) -> Option<T>) -> Selector<T> {
        if id == -1 { Selector::All } else { new(id).map_or(Selector::Any, Selector::One) }
    }

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(thread in selectors()) {
            round_trip(&Request::Current.into());
            round_trip(&Request::List.into());
            round_trip(&Request::Infos.into());
            round_trip(&Request::StopInfo(thread).into());
            round_trip(&Request::ExtraInfo(thread).into());
            round_trip(&Request::IsAlive(thread).into());
            round_trip(&Request::Select { scope: Scope::General, thread }.into());
            round_trip(&Request::Select { scope: Scope::Resume, thread }.into());
        }
    }

    #[test]
    fn thread_ids_are_read_in_all_their_forms() {
        let one = |pid, tid| ThreadSelector { process: selector(pid, Pid::new), thread: selector(tid, Tid::new) };
        for (text, expected) in [
            ("-1", ThreadSelector::ALL),
            ("0", ThreadSelector::ANY),
            ("1f", one(0, 0x1f)),
            ("p1f", one(0x1f, -1)),
            ("p1f.-1", one(0x1f, -1)),
            ("p1f.0", one(0x1f, 0)),
            ("p1f.20", one(0x1f, 0x20)),
            ("p-1", ThreadSelector::ALL),
            ("p-1.-1", ThreadSelector::ALL),
            ("p0.0", ThreadSelector::ANY),
            ("p0.20", one(0, 0x20)),
        ] {
            assert_eq!(ThreadSelector::whole(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(ThreadSelector::parse(b"p1.2;c"), Some((one(1, 2), &b";c"[..])));
    }

    #[test]
    fn ids_that_no_thread_has_are_refused() {
        for text in
            ["Hg", "Hgp", "Hgp1.", "Hg-2", "Hg80000000", "Hgp80000000.1", "Hgp-1.5", "T", "Hg1x", "qThreadExtraInfo,"]
        {
            malformed(text.as_bytes());
        }
        unknown(b"Hs1");
        unknown(b"H");
    }

    #[test]
    fn a_thread_at_the_end_of_a_packet_is_split_off() {
        let one = Some(ThreadSelector { process: Selector::Any, thread: Selector::One(Tid::new(0x1f).unwrap()) });
        for (body, rest, thread) in [
            ("p4;thread:1f;", "p4", one),
            ("g;thread:1f", "g", one),
            ("P4=00;thread:x;", "P4=00;thread:x;", None),
            ("g", "g", None),
        ] {
            let mut body = body.as_bytes().to_vec();
            let (head, found) = split_suffix(&mut body);
            assert_eq!((&*head, found), (rest.as_bytes(), thread));
        }
    }

    #[test]
    fn a_selector_admits_what_it_names() {
        let id = |pid, tid| ThreadId { pid: Pid::new(pid).unwrap(), tid: Tid::new(tid).unwrap() };
        let one = ThreadSelector::from(id(1, 2));
        assert!(one.admits(id(1, 2)) && !one.admits(id(1, 3)) && !one.admits(id(2, 2)));
        assert!(ThreadSelector::ALL.admits(id(1, 2)) && ThreadSelector::ANY.admits(id(1, 2)));
        let process = ThreadSelector { thread: Selector::All, ..one };
        assert!(process.admits(id(1, 9)) && !process.admits(id(2, 9)));
    }
}
