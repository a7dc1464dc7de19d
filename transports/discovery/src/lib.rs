//! Finds process servers, and lets them be found.
//!
//! ```text
//! Registration::new ── a file that stays locked while the server lives ──▶ on_this_machine ─┐
//! Announcement::new ── DNS-SD, `_dbgsrv._tcp` ──────────────────────────▶ on_the_network ──┴▶ find
//! ```
//!
//! The registry is a folder of files, one for each server, in a directory that only one user can write to
//! (`dbgsrv-local`): root's servers are listed for everybody on the machine, another user's for that user. A file is locked
//! for as long as its server lives, so that what a dead one left is told from what a living one has, whatever process has
//! its number now; who may write there removes it.
//!
//! Across the network servers are announced by multicast DNS (RFC 6762) as services (RFC 6763). Which of them is the
//! caller's to decide: whatever is announced, every machine on the same link can know.
//!
//! Files and messages are hostile until read: each is bounded, and one that makes no sense is left out with a note.
#![forbid(unsafe_code)]

mod entry;
mod find;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod network;
mod record;
mod registry;

pub use entry::EntryError;
pub use find::{FindError, FoundServer, find};
pub use network::{Announcement, NetworkError, on_the_network};
pub use record::{NearServer, RecordError};
pub use registry::{LocalServer, Registration, RegistrationError, on_this_machine};

use std::fmt;

/// What was found, and what was found to be wrong on the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Findings<T> {
    /// The servers.
    pub servers: Vec<T>,
    /// What was left out, and why: a line each, for people.
    pub notes: Vec<String>,
}

impl<T> Default for Findings<T> {
    fn default() -> Self {
        Self { servers: Vec::new(), notes: Vec::new() }
    }
}

impl<T> Findings<T> {
    fn map<U>(self, to: impl FnMut(T) -> U) -> Findings<U> {
        Findings { servers: self.servers.into_iter().map(to).collect(), notes: self.notes }
    }

    fn filter(mut self, is_wanted: impl FnMut(&T) -> bool) -> Self {
        self.servers.retain(is_wanted);
        self
    }

    fn append(&mut self, others: Self) {
        self.servers.extend(others.servers);
        self.notes.extend(others.notes);
    }

    fn note(&mut self, what: impl fmt::Display, problem: impl fmt::Display) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(format!("{what}: {problem}"));
        }
    }
}

/// Most notes that are kept: somebody who leaves a thousand bad files says nothing new with the last of them.
const MAX_NOTES: usize = 16;
