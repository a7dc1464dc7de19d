//! A packet's meaning, whatever its family.

use super::{breakpoint, file, memory, process, query, registers, resume, settings, thread, transfer};

/// One request of the client, borrowed from the packet that carried it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `Z`, `z`.
    Breakpoint(breakpoint::Request<'a>),
    /// `vFile:…`.
    File(file::Request<'a>),
    /// `m`, `M`, `x`, `X`, `qSearch:memory`, `qCRC`.
    Memory(memory::Request<'a>),
    /// `!`, `?`, `vRun`, `vAttach`, `vKill`, `k`, `D`, `R`, `qAttached`.
    Process(process::Request<'a>),
    /// `qSupported`, `qRcmd`, `qSymbol`, `qGetTLSAddr` and other questions.
    Query(query::Request<'a>),
    /// `g`, `G`, `p`, `P`.
    Registers(registers::Request<'a>),
    /// `vCont`, `c`, `C`, `s`, `S`, `Ctrl-C`, `vCtrlC`.
    Resume(resume::Request<'a>),
    /// `QEnvironment…`, `QSetWorkingDir`, `QStartNoAckMode`, `QPassSignals` and other settings.
    Setting(settings::Request<'a>),
    /// `H`, `T`, `qC`, `qfThreadInfo`, `qThreadExtraInfo`.
    Thread(thread::Request),
    /// `qXfer:…`.
    Transfer(transfer::Request<'a>),
}
