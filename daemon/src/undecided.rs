//! Connections that have not yet shown what they want, or who they are.
//!
//! A debugger speaks as soon as it is connected; a connection that stays silent, or halfway in its handshake, costs a
//! descriptor. So there is room for a few only, and where it runs out the peer that has most of them loses its oldest: one
//! that opens connections and says nothing pushes out its own, and holds nobody else up.

use crate::source::Source;
use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The room for them.
#[derive(Debug)]
pub(crate) struct Undecided {
    most: usize,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// The oldest first.
    waiting: VecDeque<Waiting>,
    last: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    peer: Source,
    made_way: CancellationToken,
}

/// A connection's place; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Undecided>,
    number: u64,
    made_way: CancellationToken,
}

impl Undecided {
    /// Room for `most` connections, at least one.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), queue: Mutex::default() })
    }

    /// A place for a new connection of `peer`. Where there is none left, whoever has most loses its oldest; `peer` itself,
    /// where others have no more.
    pub(crate) fn enter(self: &Arc<Self>, peer: Source) -> Place {
        let made_way = CancellationToken::new();
        let mut queue = self.queue();
        queue.last += 1;
        let number = queue.last;
        queue.waiting.push_back(Waiting { number, peer, made_way: made_way.clone() });
        while queue.waiting.len() > self.most {
            queue.make_way();
        }
        drop(queue);
        Place { room: Arc::clone(self), number, made_way }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn make_way(&mut self) {
        let mut counts = HashMap::new();
        self.waiting.iter().for_each(|waiting| *counts.entry(waiting.peer).or_insert(0) += 1);
        let most = counts.values().copied().max();
        let oldest = self.waiting.iter().position(|waiting| counts.get(&waiting.peer).copied() == most);
        if let Some(waiting) = oldest.and_then(|at| self.waiting.remove(at)) {
            waiting.made_way.cancel();
        }
    }
}

/// Waits until the place is taken away; one that is not there never is.
pub(crate) async fn lost(place: Option<&Place>) {
    match place {
        Some(place) => place.made_way.cancelled().await,
        None => pending().await,
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.queue().waiting.retain(|waiting| waiting.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Source = Source::User(1);
    const OTHER: Source = Source::User(2);

    fn is_lost(place: &Place) -> bool {
        place.made_way.is_cancelled()
    }

    #[test]
    fn the_oldest_makes_way_when_there_is_no_room_left() {
        let room = Undecided::new(2);
        let (first, second, third) = (room.enter(PEER), room.enter(PEER), room.enter(PEER));
        assert!(is_lost(&first) && !is_lost(&second) && !is_lost(&third));
    }

    #[test]
    fn whoever_has_most_makes_way_and_not_who_came_first() {
        let room = Undecided::new(3);
        let slow = room.enter(OTHER);
        let crowd: Vec<_> = (0..9).map(|_| room.enter(PEER)).collect();
        assert!(!is_lost(&slow));
        assert!(crowd[..7].iter().all(is_lost) && !crowd[7..].iter().any(is_lost));
        let another = room.enter(OTHER);
        assert!(!is_lost(&another) && is_lost(&slow), "both have two, and the oldest of all goes");
    }

    #[test]
    fn a_place_that_is_given_back_costs_nobody_theirs() {
        let room = Undecided::new(2);
        let first = room.enter(PEER);
        drop(room.enter(PEER));
        let third = room.enter(PEER);
        assert!(!is_lost(&first) && !is_lost(&third));
    }

    #[test]
    fn whoever_made_way_takes_no_other_place_along() {
        let room = Undecided::new(1);
        let first = room.enter(PEER);
        let second = room.enter(PEER);
        drop(first);
        assert!(!is_lost(&second));
        assert_eq!(room.queue().waiting.len(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_connection_hears_that_it_has_to_go() {
        let room = Undecided::new(1);
        let first = room.enter(PEER);
        let _second = room.enter(PEER);
        lost(Some(&first)).await;
    }
}
