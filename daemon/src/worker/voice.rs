//! What people are told on stderr of what becomes of debuggees.

use crate::engine::Report;
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::signal::Signal;
use std::io::{self, Write};
use std::net::SocketAddr;
use tracing::info;

/// In whose words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Voice {
    /// In gdbserver's, which programs that start it wait for.
    Gdbserver,
    /// In lldb-server's, which has few.
    LldbServer,
    /// In those of the log.
    Log,
}

impl Voice {
    /// A program was started, or attached to: `None`.
    pub(crate) fn arrived(self, pid: Pid, program: Option<&[u8]>) {
        match (self, program) {
            (Self::Log | Self::LldbServer, _) => info!(pid = pid.raw(), "debugging"),
            (Self::Gdbserver, None) => say(&format!("Attached; pid = {pid}")),
            (Self::Gdbserver, Some(program)) => {
                say(&format!("Process {} created; pid = {pid}", String::from_utf8_lossy(program)));
            }
        }
    }

    /// A client has been let in, from `peer` where it came over the network.
    pub(crate) fn met(self, peer: Option<SocketAddr>) {
        match (self, peer) {
            (Self::Gdbserver, Some(peer)) => {
                say(&format!("Remote debugging from host {}, port {}", peer.ip().to_canonical(), peer.port()));
            }
            // Where stdout is closed, nobody wants to read it.
            (Self::LldbServer, _) => drop(writeln!(io::stdout(), "Connection established.")),
            (Self::Gdbserver | Self::Log, _) => {}
        }
    }

    /// A client has left, and another may come.
    pub(crate) fn left(self) {
        if self == Self::Gdbserver {
            say("Remote side has terminated connection.  GDBserver will reopen the connection.");
        }
    }

    pub(super) fn detached(self, pid: Pid) {
        if self == Self::Gdbserver {
            say(&format!("Detaching from process {pid}"));
        }
    }

    /// Tells of a process's end; other reports are the client's business.
    pub(crate) fn report(self, report: &Report) {
        match (self, report) {
            (Self::Gdbserver, Report::Exited { status, .. }) => say(&format!("\nChild exited with status {status}")),
            (Self::Gdbserver, Report::Signaled { signal, .. }) => say(&terminated(*signal)),
            _ => {}
        }
    }
}

/// gdbserver's line has the system's number and GDB's name.
fn terminated(signal: Signal) -> String {
    let number = signal.to_linux().unwrap_or_default();
    format!("\nChild terminated with signal = {number:#x} ({signal})")
}

/// Writes a line to stderr.
pub(crate) fn say(line: &str) {
    // Where stderr is closed, nobody wants to read it.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_ended_the_program_has_its_number_and_name() {
        assert_eq!(terminated(Signal::KILL), "\nChild terminated with signal = 0x9 (SIGKILL)");
    }
}
