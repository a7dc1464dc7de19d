//! Threads: `H`, `T`, `qC`, `qfThreadInfo`, `qThreadExtraInfo`, and thread-ids as packets write them.

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
}

impl From<ThreadId> for ThreadSelector {
    fn from(id: ThreadId) -> Self {
        Self { process: Selector::One(id.pid), thread: Selector::One(id.tid) }
    }
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
}
