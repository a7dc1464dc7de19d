//! Connections that have not yet shown what they want, or who they are.
//!
//! A debugger speaks as soon as it is connected; a connection that stays silent, or halfway in its handshake, costs a
//! descriptor. So there is room for
//! a few only, and where it runs out the one that has been silent longest makes way: a peer that opens connections and
//! says nothing pushes out its own, and holds nobody else up.

use std::collections::VecDeque;
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
    /// The oldest first, each with its number.
    waiting: VecDeque<(u64, CancellationToken)>,
    last: u64,
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

    /// A place for a new connection. Where there is none left, the oldest loses its own.
    pub(crate) fn enter(self: &Arc<Self>) -> Place {
        let made_way = CancellationToken::new();
        let mut queue = self.queue();
        while queue.waiting.len() >= self.most {
            if let Some((_, oldest)) = queue.waiting.pop_front() {
                oldest.cancel();
            }
        }
        queue.last += 1;
        let number = queue.last;
        queue.waiting.push_back((number, made_way.clone()));
        drop(queue);
        Place { room: Arc::clone(self), number, made_way }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the place is taken away.
    pub(crate) async fn lost(&self) {
        self.made_way.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.queue().waiting.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_lost(place: &Place) -> bool {
        place.made_way.is_cancelled()
    }

    #[test]
    fn the_oldest_makes_way_when_there_is_no_room_left() {
        let room = Undecided::new(2);
        let (first, second, third) = (room.enter(), room.enter(), room.enter());
        assert!(is_lost(&first) && !is_lost(&second) && !is_lost(&third));
    }

    #[test]
    fn a_place_that_is_given_back_costs_nobody_theirs() {
        let room = Undecided::new(2);
        let first = room.enter();
        drop(room.enter());
        let third = room.enter();
        assert!(!is_lost(&first) && !is_lost(&third));
    }

    #[test]
    fn whoever_made_way_takes_no_other_place_along() {
        let room = Undecided::new(1);
        let first = room.enter();
        let second = room.enter();
        drop(first);
        assert!(!is_lost(&second));
        assert_eq!(room.queue().waiting.len(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_connection_hears_that_it_has_to_go() {
        let room = Undecided::new(1);
        let first = room.enter();
        let _second = room.enter();
        first.lost().await;
    }
}
