//! What a session tells of its processes, and what is kept of it until it is asked for.

use std::collections::VecDeque;

use dbgsrv_protocol::ids::{Pid, ThreadId};
use dbgsrv_protocol::limits::MAX_KEPT_OUTPUT;
use dbgsrv_protocol::rsp::client::{self, Stop};
use dbgsrv_protocol::rsp::signal::Signal;

use super::DebugError;

/// Something that happened (dbgeng: the callbacks of `IDebugEventCallbacks` and `IDebugOutputCallbacks`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A process ended by itself (`W`).
    Exited {
        /// Which one.
        pid: Pid,
        /// Its exit status.
        status: u8,
    },
    /// Nothing is left that could stop (`N`).
    NoResumed,
    /// Text for the user (`O`).
    Output(Vec<u8>),
    /// A signal ended a process (`X`).
    Signaled {
        /// Which one.
        pid: Pid,
        /// The signal.
        signal: Signal,
    },
    /// A thread stopped, and all others with it (`T`).
    Stopped(Stop),
    /// A thread ended (`w`).
    ThreadExited {
        /// Which one.
        thread: ThreadId,
        /// Its exit status.
        status: u8,
    },
}

impl From<client::Event> for Event {
    fn from(event: client::Event) -> Self {
        match event {
            client::Event::Exited { pid, status } => Self::Exited { pid, status },
            client::Event::NoResumed => Self::NoResumed,
            client::Event::Signaled { pid, signal } => Self::Signaled { pid, signal },
            client::Event::Stopped(stop) => Self::Stopped(stop),
            client::Event::ThreadExited { thread, status } => Self::ThreadExited { thread, status },
        }
    }
}

/// Events that came while something else was waited for.
///
/// There is at most one stop reply at a time, so only output needs a limit.
#[derive(Debug, Default)]
pub(super) struct Kept {
    events: VecDeque<Event>,
    output: usize,
}

impl Kept {
    pub(super) fn event(&mut self, event: client::Event) {
        self.events.push_back(event.into());
    }

    pub(super) fn output(&mut self, text: &[u8]) -> Result<(), DebugError> {
        if self.output + text.len() > MAX_KEPT_OUTPUT {
            return Err(DebugError::TooMuch("output"));
        }
        self.output += text.len();
        match self.events.back_mut() {
            Some(Event::Output(before)) => before.extend_from_slice(text),
            _ => self.events.push_back(Event::Output(text.to_vec())),
        }
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Output(text) = &event {
            self.output -= text.len();
        }
        Some(event)
    }
}
