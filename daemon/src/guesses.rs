//! Makes guessing passwords slow: who was wrong has to wait, longer each time.
//!
//! A proof counts as wrong from the moment at which it is looked at until it turns out to be right: so many connections at
//! once gain a guesser nothing, nor does one that is given up before the verdict. Whoever has nothing to prove yet, or
//! proves something else, is not held up by it.

use crate::source::Source;
use dbgsrv_transports::Peer;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

/// The wait after a first wrong password; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// After so long without a wrong password, a peer is as good as new.
const MEMORY: Duration = Duration::from_mins(10);
/// Most peers that are remembered. Where one more comes, the one that has been good for longest is forgotten.
const MAX_PEERS: usize = 1024;

/// Who has guessed, and how often.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    peers: Mutex<HashMap<Source, Record>>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    /// Wrong passwords in a row.
    wrong: u32,
    /// When the last of them came.
    last: Instant,
}

/// The peer was wrong a moment ago.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("there were wrong passwords; try again in {} s", .0.as_secs() + 1)]
pub(crate) struct TooSoon(Duration);

impl Guesses {
    /// A password of `peer`'s is about to be looked at. It counts as wrong until [`Self::right`]; returns how many in a row
    /// that makes.
    ///
    /// # Errors
    /// [`TooSoon`] where it has to wait after a wrong one; this one does not count.
    pub(crate) fn guess(&self, peer: &Peer) -> Result<u32, TooSoon> {
        let peer = Source::from(peer);
        let now = Instant::now();
        let mut peers = self.peers();
        let before = peers.get(&peer).filter(|record| now - record.last < MEMORY);
        let wrong = before.map_or(0, |record| record.wrong);
        let wait = before.map_or(Duration::ZERO, |record| wait_after(wrong).saturating_sub(now - record.last));
        if !wait.is_zero() {
            return Err(TooSoon(wait));
        }
        if peers.len() >= MAX_PEERS && !peers.contains_key(&peer) {
            forget_one(&mut peers);
        }
        let wrong = wrong.saturating_add(1);
        peers.insert(peer, Record { wrong, last: now });
        Ok(wrong)
    }

    /// The password was right: the peer is forgiven.
    pub(crate) fn right(&self, peer: &Peer) {
        self.peers().remove(&Source::from(peer));
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<Source, Record>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room: for what has been longest ago.
fn forget_one(peers: &mut HashMap<Source, Record>) {
    if let Some(peer) = peers.iter().min_by_key(|(_, record)| record.last).map(|(peer, _)| *peer) {
        peers.remove(&peer);
    }
}

fn wait_after(wrong: u32) -> Duration {
    match wrong.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_WAIT.saturating_mul(1 << doublings.min(16)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgsrv_transports::PipePeer;
    use tokio::time::advance;

    fn peer(address: &str) -> Peer {
        Peer::Tcp(address.parse().unwrap())
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn each_wrong_password_makes_the_next_wait_twice_as_long_up_to_a_minute() {
        let guesses = Guesses::default();
        let peer = peer("192.0.2.1:9");
        for (count, seconds) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            assert_eq!(guesses.guess(&peer), Ok(count as u32 + 1));
            advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert_eq!(guesses.guess(&peer), Err(TooSoon(Duration::from_millis(1))));
            advance(Duration::from_millis(1)).await;
        }
        guesses.guess(&peer).unwrap();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn others_do_not_wait_and_neighbours_in_the_same_network_do() {
        let guesses = Guesses::default();
        guesses.guess(&peer("[2001:db8:0:1::1]:9")).unwrap();
        guesses.guess(&peer("[2001:db8:0:1:ffff::2]:8")).unwrap_err();
        guesses.guess(&peer("[2001:db8:0:2::1]:9")).unwrap();
        guesses.guess(&peer("192.0.2.1:9")).unwrap();
        guesses.guess(&peer("[::ffff:192.0.2.1]:9")).unwrap_err();
        guesses.guess(&peer("192.0.2.2:9")).unwrap();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn users_of_pipes_wait_for_their_own_wrong_passwords_only() {
        let guesses = Guesses::default();
        let process = |uid, pid| Peer::Pipe(PipePeer { uid, pid: Some(pid) });
        guesses.guess(&process(1000, 1)).unwrap();
        guesses.guess(&process(1000, 2)).unwrap_err();
        guesses.guess(&process(1001, 3)).unwrap();
        guesses.guess(&peer("127.0.0.1:9")).unwrap();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn wrong_passwords_are_forgotten_after_ten_minutes_and_by_the_right_one() {
        let guesses = Guesses::default();
        let peer = peer("192.0.2.1:9");
        guesses.guess(&peer).unwrap();
        advance(FIRST_WAIT).await;
        assert_eq!(guesses.guess(&peer), Ok(2));
        advance(MEMORY).await;
        assert_eq!(guesses.guess(&peer), Ok(1));
        guesses.right(&peer);
        assert!(guesses.peers().is_empty());
        assert_eq!(guesses.guess(&peer), Ok(1));
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn no_more_peers_are_remembered_than_there_is_room_for() {
        let guesses = Guesses::default();
        let numbered = |number| Peer::Tcp((std::net::Ipv4Addr::from_bits(number), 9).into());
        for number in 0..=MAX_PEERS as u32 {
            advance(Duration::from_millis(1)).await;
            guesses.guess(&numbered(number)).unwrap();
        }
        assert_eq!(guesses.peers().len(), MAX_PEERS);
        advance(FIRST_WAIT).await;
        assert_eq!((guesses.guess(&numbered(0)), guesses.guess(&numbered(2))), (Ok(1), Ok(2)));
    }
}
