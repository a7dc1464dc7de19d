//! The server's terminal, lent to the programs that are started from it.

use super::interruptible;
use dbgsrv_protocol::ids::Pid;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{self, getpgrp, tcgetpgrp, tcsetpgrp};
use std::io::{IsTerminal, stderr};

/// Whether the terminal was taken, from whom, and who has it.
#[derive(Debug, Default)]
pub(crate) struct Terminal {
    former: Option<unistd::Pid>,
    holder: Option<unistd::Pid>,
}

impl Terminal {
    /// Makes a program the terminal's foreground job, so that it can read what is typed, if the server was that job, or the
    /// program before.
    pub(crate) fn give_to(&mut self, pid: Pid) {
        if !interruptible::owns_process() || !stderr().is_terminal() {
            return;
        }
        let Ok(foreground) = tcgetpgrp(stderr()) else { return };
        if foreground != getpgrp() && self.holder != Some(foreground) {
            return;
        }
        self.former.get_or_insert_with(getpgrp);
        let group = unistd::Pid::from_raw(pid.raw());
        self.holder = Some(group);
        set_foreground(group);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(former) = self.former {
            set_foreground(former);
        }
    }
}

/// Without the terminal a process that changes its foreground job is stopped by SIGTTOU, unless it ignores that.
#[expect(unsafe_code, reason = "signal dispositions")]
fn set_foreground(group: unistd::Pid) {
    // SAFETY: no handler is involved.
    let former = unsafe { signal(Signal::SIGTTOU, SigHandler::SigIgn) };
    // The terminal may be gone; then there is nothing to lend.
    let _ = tcsetpgrp(stderr(), group);
    if let Ok(former) = former {
        // SAFETY: puts back what was there.
        let _ = unsafe { signal(Signal::SIGTTOU, former) };
    }
}
