//! The threads that `Hg` and `Hc` choose.

use super::super::stop::Event;
use super::super::thread::{Scope, Selector, ThreadSelector};
use crate::ids::Pid;

/// The chosen threads.
#[derive(Debug)]
pub(super) struct Selection {
    /// Chosen with `Hg`, or the one that stopped last.
    pub(super) general: ThreadSelector,
    /// Chosen with `Hc`.
    pub(super) resume: ThreadSelector,
}

impl Selection {
    pub(super) const fn new() -> Self {
        Self { general: ThreadSelector::ANY, resume: ThreadSelector::ANY }
    }

    /// The client chose `thread`, and the engine agreed.
    pub(super) fn choose(&mut self, scope: Scope, thread: ThreadSelector) {
        match scope {
            // "Any" is the one that is chosen already, as long as there is one.
            Scope::General if thread == ThreadSelector::ANY => {}
            Scope::General => self.general = thread,
            Scope::Resume => self.resume = thread,
        }
    }

    /// The client is told of `event`, after which it takes the thread that stopped for the chosen one.
    pub(super) fn follow(&mut self, event: &Event<'_>) {
        match event {
            Event::Exited { pid, .. } | Event::Signaled { pid, .. } => self.forget(*pid),
            Event::Stopped(stop) => self.general = stop.thread.into(),
            Event::NoResumed | Event::ThreadExited { .. } => {}
        }
    }

    /// The process `pid` is no longer there.
    pub(super) fn forget(&mut self, pid: Pid) {
        for chosen in [&mut self.general, &mut self.resume] {
            // Without multiprocess ids a thread does not say whose it is, and there is but one process.
            let other = matches!(chosen.process, Selector::One(process) if process != pid);
            if !other {
                *chosen = ThreadSelector::ANY;
            }
        }
    }
}
