//! The debug sessions of this server: who is in them, and how to end one.

use crate::server::now;
use crate::source::Source;
use dbgsrv_protocol::control::SessionInfo;
use dbgsrv_session::Link;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::os::fd::OwnedFd;
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
    /// What tells whose sessions these are.
    pub(crate) origin: Origin,
}

/// Where a session comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A channel of this link.
    Channel(Link),
    /// A connection of its own.
    Direct(Source),
}

impl Origin {
    /// Whether two sessions have the same client, as far as can be told.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Channel(one), Self::Channel(other)) => one.id() == other.id(),
            (Self::Direct(one), Self::Direct(other)) => one == other,
            _ => false,
        }
    }

    fn is_cut(&self) -> bool {
        matches!(self, Self::Channel(link) if link.is_cut())
    }
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
    memory: Arc<OwnedFd>,
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
    pub(crate) fn enter(
        self: &Arc<Self>,
        number: u64,
        client: Client,
        worker: u32,
        memory: Arc<OwnedFd>,
        end: CancellationToken,
    ) -> Entry {
        self.sessions().insert(number, Record { client, since: now(), worker, memory, end });
        Entry { registry: Arc::clone(self), number }
    }

    /// What the workers of this client's sessions share with the front.
    pub(crate) fn memories(&self, client: &Client) -> Vec<Arc<OwnedFd>> {
        let sessions = self.sessions();
        let same = sessions.values().filter(|record| record.client.origin.is_same(&client.origin));
        same.map(|record| Arc::clone(&record.memory)).collect()
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
            cut: self.client.origin.is_cut(),
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
    use crate::worker::create_journal;

    fn client(user: u32) -> Client {
        Client { peer: "192.0.2.1:9".into(), label: "gdb".into(), origin: Origin::Direct(Source::User(user)) }
    }

    fn enter(registry: &Arc<Registry>) -> (Entry, CancellationToken) {
        let end = CancellationToken::new();
        let memory = create_journal().unwrap().into();
        (registry.enter(registry.next_number(), client(1), 7, memory, end.clone()), end)
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
    fn sessions_of_one_client_are_found_together() {
        let registry = Arc::new(Registry::default());
        let _entries = [enter(&registry), enter(&registry)];
        assert_eq!([1, 2].map(|user| registry.memories(&client(user)).len()), [2, 0]);
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
