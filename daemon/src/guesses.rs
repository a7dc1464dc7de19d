//! Makes guessing passwords slow: who was wrong has to wait, longer each time.
//!
//! A peer has one handshake at a time, so that many connections at once gain it nothing; and after a wrong password it is
//! turned away until its time has come.

use dbgsrv_transports::Peer;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::OwnedMutexGuard;
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

/// What counts as one peer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Source {
    /// An IPv4 address, and of IPv6 the /64 that one machine has for itself.
    Network(IpAddr),
    /// A user of this machine.
    User(u32),
}

#[derive(Debug)]
struct Record {
    /// Wrong passwords in a row.
    wrong: u32,
    /// When the last of them came; when the peer came, as long as there is none.
    last: Instant,
    /// Held during a handshake.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The peer was wrong a moment ago.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("there were wrong passwords; try again in {} s", .0.as_secs() + 1)]
pub(crate) struct TooSoon(Duration);

/// A peer's right to try a password. Dropped without a verdict, it counts as wrong: whoever has its connections pushed out
/// just before the verdict must not get away with a guess.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    guesses: &'a Guesses,
    peer: Source,
    decided: bool,
    _handshake: OwnedMutexGuard<()>,
}

impl Guesses {
    /// Waits until no other connection of `peer` tries a password. Cancel safe.
    ///
    /// # Errors
    /// [`TooSoon`] where it has to wait after a wrong one.
    pub(crate) async fn turn(&self, peer: &Peer) -> Result<Turn<'_>, TooSoon> {
        let peer = Source::from(peer);
        let turn = self.enter(peer);
        let turn = Turn { guesses: self, peer, decided: false, _handshake: turn.lock_owned().await };
        match self.wait_for(peer) {
            Duration::ZERO => Ok(turn),
            wait => {
                turn.undecided();
                Err(TooSoon(wait))
            }
        }
    }

    fn enter(&self, peer: Source) -> Arc<tokio::sync::Mutex<()>> {
        let now = Instant::now();
        let mut peers = self.peers();
        if peers.len() >= MAX_PEERS && !peers.contains_key(&peer) {
            forget_one(&mut peers);
        }
        let new = || Record { wrong: 0, last: now, turn: Arc::default() };
        Arc::clone(&peers.entry(peer).or_insert_with(new).turn)
    }

    fn wait_for(&self, peer: Source) -> Duration {
        let mut peers = self.peers();
        let Some(record) = peers.get_mut(&peer) else { return Duration::ZERO };
        let passed = record.last.elapsed();
        if passed >= MEMORY {
            record.wrong = 0;
        }
        wait_after(record.wrong).saturating_sub(passed)
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<Source, Record>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The password was right: the peer is forgiven.
    pub(crate) fn right(mut self) {
        self.decided = true;
        if let Some(record) = self.guesses.peers().get_mut(&self.peer) {
            record.wrong = 0;
        }
    }

    /// The password was wrong. Returns how many in a row that makes.
    pub(crate) fn wrong(mut self) -> u32 {
        self.count()
    }

    /// There will be no verdict: the peer never came to prove anything.
    pub(crate) fn undecided(mut self) {
        self.decided = true;
    }

    fn count(&mut self) -> u32 {
        self.decided = true;
        let mut peers = self.guesses.peers();
        let Some(record) = peers.get_mut(&self.peer) else { return 1 };
        record.wrong = record.wrong.saturating_add(1);
        record.last = Instant::now();
        record.wrong
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.decided {
            self.count();
        }
        let mut peers = self.guesses.peers();
        // Two hold it where nobody waits: the record and this handshake.
        let done = |record: &Record| record.wrong == 0 && Arc::strong_count(&record.turn) <= 2;
        if peers.get(&self.peer).is_some_and(done) {
            peers.remove(&self.peer);
        }
    }
}

/// Makes room: for what has been longest ago, except where a handshake is going on.
fn forget_one(peers: &mut HashMap<Source, Record>) {
    let idle = peers.iter().filter(|(_, record)| Arc::strong_count(&record.turn) == 1);
    if let Some(peer) = idle.min_by_key(|(_, record)| record.last).map(|(peer, _)| *peer) {
        peers.remove(&peer);
    }
}

fn wait_after(wrong: u32) -> Duration {
    match wrong.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_WAIT.saturating_mul(1 << doublings.min(16)).min(LONGEST_WAIT),
    }
}

impl From<&Peer> for Source {
    fn from(peer: &Peer) -> Self {
        match peer {
            Peer::Pipe(process) => Self::User(process.uid),
            Peer::Tcp(address) => Self::Network(match address.ip().to_canonical() {
                IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
                address @ IpAddr::V4(_) => address,
            }),
            // Every transport that a peer has no address on is this machine's own.
            _ => Self::Network(Ipv6Addr::LOCALHOST.into()),
        }
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

    async fn guess_wrong(guesses: &Guesses, peer: &Peer) -> u32 {
        guesses.turn(peer).await.unwrap().wrong()
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn each_wrong_password_makes_the_next_wait_twice_as_long_up_to_a_minute() {
        let guesses = Guesses::default();
        let peer = peer("192.0.2.1:9");
        for (count, seconds) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            assert_eq!(guess_wrong(&guesses, &peer).await, count as u32 + 1);
            advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert_eq!(guesses.turn(&peer).await.unwrap_err(), TooSoon(Duration::from_millis(1)));
            advance(Duration::from_millis(1)).await;
        }
        guesses.turn(&peer).await.unwrap().right();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn others_do_not_wait_and_neighbours_in_the_same_network_do() {
        let guesses = Guesses::default();
        guess_wrong(&guesses, &peer("[2001:db8:0:1::1]:9")).await;
        guesses.turn(&peer("[2001:db8:0:1:ffff::2]:8")).await.unwrap_err();
        guesses.turn(&peer("[2001:db8:0:2::1]:9")).await.unwrap().right();
        guess_wrong(&guesses, &peer("192.0.2.1:9")).await;
        guesses.turn(&peer("[::ffff:192.0.2.1]:9")).await.unwrap_err();
        guesses.turn(&peer("192.0.2.2:9")).await.unwrap().right();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn users_of_pipes_wait_for_their_own_wrong_passwords_only() {
        let guesses = Guesses::default();
        let process = |uid, pid| Peer::Pipe(PipePeer { uid, pid: Some(pid) });
        guess_wrong(&guesses, &process(1000, 1)).await;
        guesses.turn(&process(1000, 2)).await.unwrap_err();
        guesses.turn(&process(1001, 3)).await.unwrap().right();
        guesses.turn(&peer("127.0.0.1:9")).await.unwrap().right();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn wrong_passwords_are_forgotten_after_ten_minutes_and_by_the_right_one() {
        let guesses = Guesses::default();
        let peer = peer("192.0.2.1:9");
        guess_wrong(&guesses, &peer).await;
        advance(FIRST_WAIT).await;
        guess_wrong(&guesses, &peer).await;
        advance(MEMORY).await;
        assert_eq!(guess_wrong(&guesses, &peer).await, 1);
        advance(FIRST_WAIT).await;
        guesses.turn(&peer).await.unwrap().right();
        assert!(guesses.peers().is_empty());
        assert_eq!(guess_wrong(&guesses, &peer).await, 1);
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_handshake_that_is_broken_off_counts_and_one_that_comes_to_nothing_does_not() {
        let guesses = Guesses::default();
        let peer = peer("192.0.2.1:9");
        guesses.turn(&peer).await.unwrap().undecided();
        assert!(guesses.peers().is_empty());
        drop(guesses.turn(&peer).await.unwrap());
        guesses.turn(&peer).await.unwrap_err();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn connections_at_once_get_no_more_guesses_than_one_after_the_other() {
        let guesses = Arc::new(Guesses::default());
        let peer = peer("192.0.2.1:9");
        let first = guesses.turn(&peer).await.unwrap();
        let second = tokio::spawn({
            let guesses = Arc::clone(&guesses);
            async move { guesses.turn(&peer).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        first.wrong();
        assert!(second.await.unwrap().is_err());
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn no_more_peers_are_remembered_than_there_is_room_for_and_who_is_at_it_is_not_forgotten() {
        let guesses = Guesses::default();
        let busy = peer("[2001:db8::1]:9");
        let turn = guesses.turn(&busy).await.unwrap();
        for number in 0..=MAX_PEERS as u32 {
            advance(Duration::from_millis(1)).await;
            guess_wrong(&guesses, &Peer::Tcp((std::net::Ipv4Addr::from_bits(number), 9).into())).await;
        }
        assert_eq!(guesses.peers().len(), MAX_PEERS);
        assert_eq!(turn.wrong(), 1);
        guesses.turn(&busy).await.unwrap_err();
    }
}
