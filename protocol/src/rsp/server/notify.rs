//! Stops in non-stop mode: the first is announced with `%Stop`, the client fetches the others with `vStopped` (GDB
//! manual, "Notification Packets").

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::super::features::Features;
use super::super::output::Output;
use super::super::stop::Event;
use crate::ids::{Pid, ThreadId};
use crate::limits::MAX_QUEUED_STOPS;

/// Stops that the client has not fetched.
#[derive(Debug, Default)]
pub(super) struct Notifications {
    queue: VecDeque<Queued>,
    /// The client knows of the first one, and has yet to confirm it with `vStopped`.
    announced: bool,
}

#[derive(Debug)]
struct Queued {
    process: Option<Pid>,
    /// The thread that stopped, and the child that it has forked.
    threads: [Option<ThreadId>; 2],
    body: Box<[u8]>,
}

impl Notifications {
    /// Queues `event`, and announces it if none is before it. `false` if the queue is full.
    pub(super) fn push(&mut self, event: &Event<'_>, features: Features, output: &mut Output) -> bool {
        if !self.enqueue(event, features) {
            return false;
        }
        if !self.announced {
            self.announced = true;
            output.notification(|out| {
                out.extend_from_slice(b"Stop:");
                out.extend_from_slice(&self.queue[0].body);
            });
        }
        true
    }

    /// Answers `?`: all of `events` from the beginning. `false` if there are too many.
    pub(super) fn restart<'e>(
        &mut self,
        events: impl Iterator<Item = Event<'e>>,
        features: Features,
        output: &mut Output,
    ) -> bool {
        self.queue.clear();
        for event in events {
            if !self.enqueue(&event, features) {
                return false;
            }
        }
        self.answer(output);
        true
    }

    /// Answers `vStopped`: the one announced is confirmed, and the next is the answer.
    pub(super) fn confirm(&mut self, output: &mut Output) {
        if self.announced {
            self.queue.pop_front();
        }
        self.answer(output);
    }

    /// Drops what is queued for a process that the client has let go of.
    pub(super) fn forget(&mut self, pid: Pid) {
        let mut announced = self.announced;
        self.queue.retain(|queued| core::mem::take(&mut announced) || queued.process != Some(pid));
    }

    /// Whether one of the stops is about `thread`.
    pub(super) fn name(&self, thread: ThreadId) -> bool {
        self.queue.iter().any(|queued| queued.threads.contains(&Some(thread)))
    }

    fn enqueue(&mut self, event: &Event<'_>, features: Features) -> bool {
        if self.queue.len() >= MAX_QUEUED_STOPS {
            return false;
        }
        let mut body = Vec::new();
        event.emit(&mut body, features);
        self.queue.push_back(Queued { process: event.process(), threads: event.threads(), body: body.into() });
        true
    }

    fn answer(&mut self, output: &mut Output) {
        self.announced = !self.queue.is_empty();
        output.packet(|out| out.extend_from_slice(self.queue.front().map_or(b"OK", |queued| &queued.body)));
    }
}
