//! The debug sessions of this server: who is in them, and how to end one.

use crate::server::now;
use dbgsrv_protocol::control::SessionInfo;
use dbgsrv_session::Link;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Whom a debug session is for.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Its address.
    pub(crate) peer: String,
    /// Its own name for the session; empty for a debugger that connected directly.
    pub(crate) label: String,
    /// What carries the session's channel, if one does.
    pub(crate) link: Option<Link>,
}

/// All debug sessions, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    sessions: Mutex<BTreeMap<u64, Record>>,
    last: AtomicU64,
    emptied: Notify,
}

#[derive(Debug)]
struct Record {
    client: Client,
    since: u64,
    worker: u32,
    end: CancellationToken,
}

/// A session's entry; dropping it takes it out.
#[derive(Debug)]
pub(crate) struct Entry {
    registry: Arc<Registry>,
    number: u64,
}

/// A session as it was when it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// All but the processes that it debugs: the system knows them.
    pub(crate) info: SessionInfo,
    /// Its worker's process.
    pub(crate) worker: u32,
}

impl Registry {
    /// A number for a new session, never used before.
    pub(crate) fn next_number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Enters a session. `end` is cancelled when it is to end.
    pub(crate) fn enter(self: &Arc<Self>, number: u64, client: Client, worker: u32, end: CancellationToken) -> Entry {
        self.sessions().insert(number, Record { client, since: now(), worker, end });
        Entry { registry: Arc::clone(self), number }
    }

    /// How many sessions there are.
    pub(crate) fn count(&self) -> usize {
        self.sessions().len()
    }

    /// Returns when the last session has ended, if there was any.
    pub(crate) async fn emptied(&self) {
        self.emptied.notified().await;
    }

    /// Has a session end. False where there is none with that number.
    pub(crate) fn end(&self, number: u64) -> bool {
        self.sessions().get(&number).map(|record| record.end.cancel()).is_some()
    }

    /// The sessions with numbers greater than `after`, in ascending order.
    pub(crate) fn list(&self, after: u64) -> Vec<Listed> {
        let sessions = self.sessions();
        sessions
            .range((Bound::Excluded(after), Bound::Unbounded))
            .map(|(number, record)| record.listed(*number))
            .collect()
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<u64, Record>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn listed(&self, session: u64) -> Listed {
        let info = SessionInfo {
            session,
            peer: self.client.peer.clone(),
            label: self.client.label.clone(),
            since: self.since,
            pids: Vec::new(),
            cut: self.client.link.as_ref().is_some_and(Link::is_cut),
        };
        Listed { info, worker: self.worker }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut sessions = self.registry.sessions();
        sessions.remove(&self.number);
        if sessions.is_empty() {
            self.registry.emptied.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(registry: &Arc<Registry>) -> (Entry, CancellationToken) {
        let end = CancellationToken::new();
        let client = Client { peer: "192.0.2.1:9".into(), label: "gdb".into(), link: None };
        (registry.enter(registry.next_number(), client, 7, end.clone()), end)
    }

    #[test]
    fn sessions_are_listed_in_order_and_from_any_number_on() {
        let registry = Arc::new(Registry::default());
        let entries: Vec<_> = (0..3).map(|_| enter(&registry)).collect();
        let numbers = |after| registry.list(after).iter().map(|listed| listed.info.session).collect::<Vec<_>>();
        assert_eq!(numbers(0), [1, 2, 3]);
        assert_eq!(numbers(2), [3]);
        assert!(numbers(u64::MAX).is_empty());
        let Listed { info, worker } = registry.list(2).remove(0);
        assert_eq!((info.peer.as_str(), info.label.as_str(), info.cut, worker), ("192.0.2.1:9", "gdb", false, 7));
        drop(entries);
        assert_eq!(registry.count(), 0);
        assert_eq!(registry.next_number(), 4);
    }

    #[test]
    fn one_session_can_be_ended_by_its_number() {
        let registry = Arc::new(Registry::default());
        let ((_first, first_end), (_second, second_end)) = (enter(&registry), enter(&registry));
        assert!(registry.end(2));
        assert!(!first_end.is_cancelled() && second_end.is_cancelled());
        assert!(!registry.end(3));
    }
}
