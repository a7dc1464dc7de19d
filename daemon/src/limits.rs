//! How much of the machine the clients may take.

use crate::worker::SessionHost;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};

/// Descriptors that are kept for the rest: the listeners, the runtime, the refusals, and starting a worker.
const RESERVED: usize = 48;
/// Descriptors that a session takes here whose client talks to the worker directly: its journal, and the handle of its
/// worker.
pub(crate) const PER_DIRECT_SESSION: usize = 2;
/// Descriptors that a session takes here which runs over a channel: one more, for the front's end of its stream.
pub(crate) const PER_CHANNEL_SESSION: usize = 3;
/// Descriptors that a session takes here whose client's connection only this process can read: that one, too.
pub(crate) const PER_CARRIED_SESSION: usize = 4;

/// Descriptors that a session takes here on top where it runs on a thread of this process: its own of the stream and the
/// journal, and some for its debuggees and their files.
const PER_THREAD: usize = 6;

/// What a session takes in all: `descriptors`, where each has a process of its own.
pub(crate) const fn descriptors_on(host: &SessionHost, descriptors: usize) -> usize {
    match host {
        SessionHost::Processes(_) => descriptors,
        SessionHost::Threads => descriptors + PER_THREAD,
    }
}

/// What the clients of one server may take at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// Connections that carry channels, those included that are cut and may come back.
    pub(crate) links: usize,
    /// Clients that are being told why they are turned away. Those beyond it are closed without a word: strangers must
    /// not make the server busy with explaining.
    pub(crate) refusals: usize,
    /// Descriptors for sessions.
    pub(crate) session_descriptors: usize,
    /// Connections that have not yet shown what they want, or who they are. One more, and the oldest of them has to go.
    pub(crate) undecided: usize,
}

impl Limits {
    /// The most, where descriptors don't run short: 400 direct sessions, 266 over channels, or 200 that are carried.
    pub(crate) const MOST: Self =
        Self { links: 64, refusals: 16, session_descriptors: 400 * PER_DIRECT_SESSION, undecided: 64 };

    /// What goes with the descriptors that this process may have (`RLIMIT_NOFILE`): [`Self::MOST`] with the usual 1,024.
    ///
    /// # Errors
    /// What getrlimit(2) says.
    pub(crate) fn of_this_process() -> Result<Self, Errno> {
        let (descriptors, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
        Ok(Self::with_descriptors(usize::try_from(descriptors).unwrap_or(usize::MAX)))
    }

    /// How many sessions that leaves room for, where each client talks to its worker directly.
    pub(crate) const fn direct_sessions(&self) -> usize {
        self.session_descriptors / PER_DIRECT_SESSION
    }

    fn with_descriptors(descriptors: usize) -> Self {
        let free = descriptors.saturating_sub(RESERVED);
        let undecided = (free / 5).clamp(1, Self::MOST.undecided);
        let links = (free / 5).clamp(1, Self::MOST.links);
        let rest = free.saturating_sub(undecided + links);
        let session_descriptors = rest.clamp(PER_CARRIED_SESSION, Self::MOST.session_descriptors);
        Self { links, session_descriptors, undecided, ..Self::MOST }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_take_no_more_descriptors_than_there_are() {
        for descriptors in RESERVED + 6..2000 {
            let Limits { links, session_descriptors, undecided, .. } = Limits::with_descriptors(descriptors);
            assert!(RESERVED + undecided + links + session_descriptors <= descriptors, "{descriptors}");
        }
    }

    #[test]
    fn sessions_on_threads_leave_room_for_fewer() {
        let most = Limits::MOST.session_descriptors;
        for (host, sessions) in [(SessionHost::this_program(), 400), (SessionHost::Threads, 100)] {
            assert_eq!(most / descriptors_on(&host, PER_DIRECT_SESSION), sessions, "{host:?}");
        }
    }

    #[test]
    fn with_the_usual_number_of_descriptors_there_is_the_most_of_everything() {
        assert_eq!(Limits::with_descriptors(1024), Limits::MOST);
        assert_eq!(Limits::with_descriptors(usize::MAX), Limits::MOST);
    }

    #[test]
    fn one_client_at_a_time_is_served_however_few_descriptors_there_are() {
        for descriptors in 0..RESERVED {
            let Limits { links, session_descriptors, undecided, .. } = Limits::with_descriptors(descriptors);
            assert_eq!((links, session_descriptors, undecided), (1, PER_CARRIED_SESSION, 1), "{descriptors}");
        }
    }
}
