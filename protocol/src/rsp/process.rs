//! Processes: `!`, `?`, `vRun`, `vAttach`, `vKill`, `k`, `D`, `R`, `qAttached`.

use crate::ids::Pid;

/// The program and arguments of `vRun`: hex fields separated by `;`, checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arguments<'a> {
    // The implementer chooses the form; `iter()` yields each decoded argument (as an owned or borrowed byte string).
    pub(crate) text: &'a [u8],
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
