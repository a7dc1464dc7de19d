//! What client and server tell each other about themselves with `qSupported` (GDB manual, "General Query Packets").

mod need;
mod offer;

use core::marker::PhantomData;

pub(crate) use self::need::{is_untold, needed};
pub(crate) use self::offer::{Offer, announce, read, read_actions, write, write_actions};
use super::signal::Numbering;

/// A set of [`Feature`]s or [`Capability`]s.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Set<T> {
    bits: u64,
    members: PhantomData<T>,
}

/// What the client understands, or asked for.
pub type Features = Set<Feature>;

/// What the server offers.
pub type Capabilities = Set<Capability>;

/// A member of a [`Set`].
pub trait Member: Copy {
    /// Its place in the set: 0 to 63.
    fn index(self) -> u32;
}

impl<T> Set<T> {
    /// Nothing.
    pub const NONE: Self = Self { bits: 0, members: PhantomData };
    /// Everything.
    pub const ALL: Self = Self { bits: u64::MAX, members: PhantomData };
}

impl<T: Member> Set<T> {
    /// Whether `member` is in the set.
    #[must_use]
    pub fn has(self, member: T) -> bool {
        self.bits & 1 << member.index() != 0
    }

    /// The set and `member`.
    #[must_use]
    pub fn with(self, member: T) -> Self {
        Self { bits: self.bits | 1 << member.index(), ..self }
    }

    /// The set without `member`.
    #[must_use]
    pub fn without(self, member: T) -> Self {
        Self { bits: self.bits & !(1 << member.index()), ..self }
    }
}

impl Features {
    /// How the client numbers signals.
    #[must_use]
    pub fn numbering(self) -> Numbering {
        if self.has(Feature::Lldb) { Numbering::Linux } else { Numbering::Gdb }
    }

    /// Whether packets name the process of a thread. LLDB announces that it knows such ids and expects none from the server
    /// but for the child of a fork.
    #[must_use]
    pub(crate) fn names_processes(self) -> bool {
        self.has(Feature::Multiprocess) && !self.has(Feature::Lldb)
    }
}

/// Something that the client announced in `qSupported`, or switched on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Feature {
    /// `error-message+`: `E.TEXT` is an error in answer to every packet.
    ErrorMessage,
    /// `QEnableErrorStrings`: errors are `Exx;HEXTEXT`.
    ErrorStrings,
    /// `exec-events+`.
    ExecEvents,
    /// `fork-events+`.
    ForkEvents,
    /// It sent `vMustReplyEmpty`, as GDB alone does.
    Gdb,
    /// `hwbreak+`.
    HardwareBreak,
    /// It speaks LLDB's dialect: it sent `QThreadSuffixSupported` or `QListThreadsInStopReply`, or LLDB's own `qSupported`, or
    /// `QStartNoAckMode` before any `qSupported`, as LLDB does.
    Lldb,
    /// `multiprocess+`: thread-ids name processes.
    Multiprocess,
    /// `no-resumed+`: understands `N`.
    NoResumed,
    /// `swbreak+`.
    SoftwareBreak,
    /// `QListThreadsInStopReply`: stops list all threads of their process.
    ThreadsInStops,
    /// `vfork-events+`.
    VforkEvents,
}

impl Member for Feature {
    fn index(self) -> u32 {
        self as u32
    }
}

/// Something that a server may offer or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Capability {
    /// `qXfer:auxv:read`.
    Auxv,
    /// `x`.
    BinaryUpload,
    /// Commands that run on the target at a breakpoint (`dprintf`).
    BreakpointCommands,
    /// `QCatchSyscalls`.
    CatchSyscalls,
    /// Conditions that are tested on the target.
    ConditionalBreakpoints,
    /// `qC`.
    CurrentThread,
    /// `QDisableRandomization`.
    DisableRandomization,
    /// `QEnvironmentHexEncoded`, `QEnvironmentUnset` and `QEnvironmentReset`.
    Environment,
    /// Errors with text.
    ErrorMessage,
    /// Stops at `exec`.
    ExecEvents,
    /// `qXfer:exec-file:read`.
    ExecFile,
    /// Stops at `fork`.
    ForkEvents,
    /// Stops that say that a hardware breakpoint was their reason.
    HardwareBreak,
    /// `qXfer:libraries-svr4:read`.
    LibrariesSvr4,
    /// LLDB's dialect, for clients that speak it.
    Lldb,
    /// More than one process.
    Multiprocess,
    /// `QStartNoAckMode`. Only on transports that lose nothing.
    NoAck,
    /// `N`: nothing is left that could stop.
    NoResumed,
    /// `QNonStop`.
    NonStop,
    /// `qXfer:osdata:read`.
    OsData,
    /// `QPassSignals`.
    PassSignals,
    /// `QProgramSignals`.
    ProgramSignals,
    /// `vCont;r`.
    RangeStep,
    /// `qXfer:siginfo:read` and `:write`.
    SignalInfo,
    /// Stops that say that a software breakpoint was their reason, with the PC set back.
    SoftwareBreak,
    /// `QTDisconnected`: tracing can go on without a client.
    DisconnectedTracing,
    /// `QStartupWithShell`.
    StartupWithShell,
    /// Stops that say more than their signal (`T`, not `S`).
    StopDetails,
    /// Stops that say whose they are (`thread:`).
    StopThread,
    /// `qXfer:features:read`.
    TargetDescription,
    /// `vCont`.
    ThreadActions,
    /// `QThreadEvents`.
    ThreadEvents,
    /// `qfThreadInfo`.
    ThreadList,
    /// `qXfer:threads:read`.
    Threads,
    /// `qGetTLSAddr`.
    TlsAddress,
    /// `QT…` and `qT…`.
    Tracepoints,
    /// Stops at `vfork`, and when the child is done with it.
    VforkEvents,
    /// `QSetWorkingDir`.
    WorkingDirectory,
}

impl Member for Capability {
    fn index(self) -> u32 {
        self as u32
    }
}
