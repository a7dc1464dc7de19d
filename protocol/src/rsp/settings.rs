//! Settings of the session: `Q…` packets.

/// A list of signals, `;` between hex numbers, checked; `iter()` yields [`Signal`](super::signal::Signal)s.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SignalList<'a> {
    pub(crate) text: &'a [u8],
}

/// A setting. Each is answered with OK or an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `QCatchSyscalls:0`, `QCatchSyscalls:1[;SYSNO…]`; `None`: off.
    CatchSyscalls(Option<SyscallList<'a>>),
    /// `QDisableRandomization:0|1`.
    DisableRandomization(bool),
    /// `QEnvironmentHexEncoded:NAME=VALUE`, decoded.
    EnvironmentSet(&'a [u8]),
    /// `QEnvironmentUnset:NAME`, decoded.
    EnvironmentUnset(&'a [u8]),
    /// `QEnvironmentReset`.
    EnvironmentReset,
    /// `QNonStop:0|1`.
    NonStop(bool),
    /// `QPassSignals:LIST`: give these to the program without stopping.
    PassSignals(SignalList<'a>),
    /// `QProgramSignals:LIST`: give the program these when the client resumes or detaches with them pending.
    ProgramSignals(SignalList<'a>),
    /// `QStartupWithShell:0|1`.
    StartupWithShell(bool),
    /// `QThreadEvents:0|1`.
    ThreadEvents(bool),
    /// `QSetWorkingDir:PATH`, decoded; empty: the server's own.
    WorkingDirectory(&'a [u8]),
}

/// The system call numbers of `QCatchSyscalls:1;…`, checked; empty: all of them. `iter()` yields `i64`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SyscallList<'a> {
    pub(crate) text: &'a [u8],
}
