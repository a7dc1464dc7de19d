//! Signals by GDB's numbers, which are the same on every system (GDB's `include/gdb/signals.def`).

use core::fmt;

/// A signal in GDB's numbering: 0 to 255 on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Signal(pub u8);

macro_rules! signals {
    ($($constant:ident = $number:literal, $name:literal, $linux:expr;)+) => {
        impl Signal {
            $(
                #[doc = concat!("`", $name, "`.")]
                pub const $constant: Self = Self($number);
            )+
        }

        /// Number, name, and Linux's number where it has the signal.
        const NAMED: &[(Signal, &str, Option<i32>)] = &[$((Signal::$constant, $name, $linux)),+];
    };
}

// Linux's numbers are those of x86-64 and AArch64.
signals! {
    HUP = 1, "SIGHUP", Some(1);
    INT = 2, "SIGINT", Some(2);
    QUIT = 3, "SIGQUIT", Some(3);
    ILL = 4, "SIGILL", Some(4);
    TRAP = 5, "SIGTRAP", Some(5);
    ABRT = 6, "SIGABRT", Some(6);
    EMT = 7, "SIGEMT", None;
    FPE = 8, "SIGFPE", Some(8);
    KILL = 9, "SIGKILL", Some(9);
    BUS = 10, "SIGBUS", Some(7);
    SEGV = 11, "SIGSEGV", Some(11);
    SYS = 12, "SIGSYS", Some(31);
    PIPE = 13, "SIGPIPE", Some(13);
    ALRM = 14, "SIGALRM", Some(14);
    TERM = 15, "SIGTERM", Some(15);
    URG = 16, "SIGURG", Some(23);
    STOP = 17, "SIGSTOP", Some(19);
    TSTP = 18, "SIGTSTP", Some(20);
    CONT = 19, "SIGCONT", Some(18);
    CHLD = 20, "SIGCHLD", Some(17);
    TTIN = 21, "SIGTTIN", Some(21);
    TTOU = 22, "SIGTTOU", Some(22);
    IO = 23, "SIGIO", Some(29);
    XCPU = 24, "SIGXCPU", Some(24);
    XFSZ = 25, "SIGXFSZ", Some(25);
    VTALRM = 26, "SIGVTALRM", Some(26);
    PROF = 27, "SIGPROF", Some(27);
    WINCH = 28, "SIGWINCH", Some(28);
    LOST = 29, "SIGLOST", None;
    USR1 = 30, "SIGUSR1", Some(10);
    USR2 = 31, "SIGUSR2", Some(12);
    PWR = 32, "SIGPWR", Some(30);
    POLL = 33, "SIGPOLL", Some(29);
    UNKNOWN = 143, "unknown signal", None;
}

/// The first of the real-time signals that GDB numbers in one row, and its number there.
const REAL_TIME: (i32, u8) = (33, 45);

/// The last of them: SIG63.
const REAL_TIME_END: i32 = 63;

/// Linux's first real-time signal, which came to GDB later.
const SIG32: (i32, Signal) = (32, Signal(77));

/// Linux's last one, likewise.
const SIG64: (i32, Signal) = (64, Signal(78));

impl Signal {
    /// No signal: a stop that has another reason.
    pub const NONE: Self = Self(0);

    /// GDB's number for a signal of Linux on x86-64 or `AArch64`; [`Signal::UNKNOWN`] where GDB has none (SIGSTKFLT).
    #[must_use]
    pub fn from_linux(number: i32) -> Self {
        match number {
            _ if number == SIG32.0 => SIG32.1,
            _ if number == SIG64.0 => SIG64.1,
            _ if (REAL_TIME.0..=REAL_TIME_END).contains(&number) => Self((number - REAL_TIME.0) as u8 + REAL_TIME.1),
            _ => NAMED
                .iter()
                .find(|(_, _, linux)| *linux == Some(number))
                .map_or(Self::UNKNOWN, |(signal, _, _)| *signal),
        }
    }

    /// The number of the signal on Linux on x86-64 or `AArch64`, or `None` if Linux has no such signal.
    #[must_use]
    pub fn to_linux(self) -> Option<i32> {
        if self == SIG32.1 {
            return Some(SIG32.0);
        }
        if self == SIG64.1 {
            return Some(SIG64.0);
        }
        if let Some(offset) = self.0.checked_sub(REAL_TIME.1) {
            return Some(REAL_TIME.0 + i32::from(offset)).filter(|number| *number <= REAL_TIME_END);
        }
        NAMED.iter().find(|(signal, _, _)| *signal == self).and_then(|(_, _, linux)| *linux)
    }
}

/// By which numbers a client knows signals.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Numbering {
    /// GDB's own.
    #[default]
    Gdb,
    /// Those of the system that the program runs on, which LLDB uses (`native-signals+`).
    Linux,
}

impl Numbering {
    /// The signal that a packet calls `number`.
    #[must_use]
    pub fn read(self, number: u8) -> Signal {
        match self {
            // Not a signal: "none", in both numberings.
            _ if number == 0 => Signal::NONE,
            Self::Gdb => Signal(number),
            Self::Linux => Signal::from_linux(number.into()),
        }
    }

    /// What a packet calls `signal`. One that the system lacks keeps GDB's number.
    #[must_use]
    pub fn write(self, signal: Signal) -> u8 {
        match self {
            Self::Gdb => signal.0,
            Self::Linux => signal.to_linux().map_or(signal.0, |number| number as u8),
        }
    }
}

/// The name of the signal, as `SIGSEGV` or `SIG34`; one that has none here as its number.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name, _)) = NAMED.iter().find(|(signal, _, _)| signal == self) {
            return f.write_str(name);
        }
        match self.to_linux() {
            Some(number) => write!(f, "SIG{number}"),
            None => write!(f, "signal {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn every_signal_of_linux_comes_back_but_the_one_that_gdb_lacks() {
        const STKFLT: i32 = 16;
        for number in (1..=64).filter(|number| *number != STKFLT) {
            let signal = Signal::from_linux(number);
            assert_ne!(signal, Signal::UNKNOWN, "{number}");
            assert_eq!(signal.to_linux(), Some(number));
        }
        assert_eq!(Signal::from_linux(STKFLT), Signal::UNKNOWN);
        assert_eq!(Signal::from_linux(65), Signal::UNKNOWN);
        assert_eq!(Signal::from_linux(-1), Signal::UNKNOWN);
    }

    #[test]
    fn signals_have_gdb_numbers_and_names() {
        for (linux, gdb, name) in [
            (2, 2, "SIGINT"),
            (7, 10, "SIGBUS"),
            (10, 30, "SIGUSR1"),
            (29, 23, "SIGIO"),
            (32, 77, "SIG32"),
            (33, 45, "SIG33"),
            (34, 46, "SIG34"),
            (63, 75, "SIG63"),
            (64, 78, "SIG64"),
        ] {
            assert_eq!(Signal::from_linux(linux), Signal(gdb));
            assert_eq!(Signal(gdb).to_string(), name);
        }
        assert_eq!(Signal(200).to_string(), "signal 200");
        assert_eq!(Signal::POLL.to_linux(), Some(29));
    }

    #[test]
    fn a_client_with_the_systems_numbers_is_understood_and_answered_in_them() {
        for (signal, linux) in
            [(Signal::USR1, 10), (Signal::STOP, 19), (Signal::SEGV, 11), (Signal(46), 34), (Signal::NONE, 0)]
        {
            assert_eq!((Numbering::Linux.read(linux), Numbering::Linux.write(signal)), (signal, linux));
            assert_eq!((Numbering::Gdb.read(signal.0), Numbering::Gdb.write(signal)), (signal, signal.0));
        }
    }

    #[test]
    fn numbers_that_linux_does_not_have_stay_out() {
        for number in [0, 7, 29, 76, 79, 141, 143, 255] {
            assert_eq!(Signal(number).to_linux(), None, "{number}");
        }
    }
}
