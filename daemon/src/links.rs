//! The connections that carry channels: how many there may be, and which one makes way where there are too many.
//!
//! One that is cut keeps its place for as long as its session lingers, and each client that is killed leaves such a one
//! behind. They must not keep others out; nor must a crowd of strangers cost somebody the session that he comes back to.

use crate::source::Source;
use dbgsrv_protocol::session::CloseCode;
use dbgsrv_session::Link;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The room for them.
#[derive(Debug)]
pub(crate) struct Links {
    most: usize,
    entered: Mutex<Entered>,
}

#[derive(Debug, Default)]
struct Entered {
    by_number: BTreeMap<u64, (Source, Link)>,
    last: u64,
}

/// A link's place; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct LinkPlace {
    links: Arc<Links>,
    number: u64,
}

impl Links {
    /// Room for `most` links.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, entered: Mutex::default() })
    }

    /// A place for a new link of `peer`. Where there is none left, one that is cut makes way: of those of `peer` itself and of
    /// peers that have more links than it, the one that has been cut for longest. `None` where there is no such one.
    pub(crate) fn enter(self: &Arc<Self>, peer: Source, link: &Link) -> Option<LinkPlace> {
        let mut entered = self.entered();
        let lost = if entered.by_number.len() < self.most { None } else { Some(entered.make_way_for(peer)?) };
        entered.last += 1;
        let number = entered.last;
        entered.by_number.insert(number, (peer, link.clone()));
        drop(entered);
        if let Some(lost) = lost {
            lost.close(CloseCode::Lost, "the connection was cut, and the server needed its place");
        }
        Some(LinkPlace { links: Arc::clone(self), number })
    }

    fn entered(&self) -> MutexGuard<'_, Entered> {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entered {
    /// Takes out the link that makes way for one of `newcomer`'s.
    fn make_way_for(&mut self, newcomer: Source) -> Option<Link> {
        let count = |peer| self.by_number.values().filter(|(other, _)| *other == peer).count();
        let own = count(newcomer);
        let cut = self.by_number.iter().filter_map(|(number, (peer, link))| {
            let since = link.cut_since().filter(|_| *peer == newcomer || count(*peer) > own)?;
            Some((count(*peer), Reverse(since), *number))
        });
        let (.., number) = cut.max()?;
        self.by_number.remove(&number).map(|(_, link)| link)
    }
}

impl Drop for LinkPlace {
    fn drop(&mut self) {
        // It is not there any more where it made way.
        self.links.entered().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Linked, linked};
    use std::time::Duration;
    use tokio::time::advance;

    const CROWD: Source = Source::User(1);
    const OTHER: Source = Source::User(2);

    /// A link of `peer` with its place, whole or cut.
    async fn enter(links: &Arc<Links>, peer: Source, is_cut: bool) -> Option<(Linked, LinkPlace)> {
        let mut linked = linked().await;
        let place = links.enter(peer, &linked.server)?;
        if is_cut {
            linked.cut().await;
            advance(Duration::from_secs(1)).await;
        }
        Some((linked, place))
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn nobody_who_is_connected_makes_way() {
        let links = Links::new(2);
        let first = enter(&links, CROWD, false).await.unwrap();
        let second = enter(&links, CROWD, false).await.unwrap();
        assert!(enter(&links, OTHER, false).await.is_none());
        drop(first);
        let third = enter(&links, OTHER, false).await.unwrap();
        assert!(second.0.server.cut_since().is_none() && third.0.server.cut_since().is_none());
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn what_a_crowd_left_behind_makes_way_and_the_longest_cut_does_first() {
        let links = Links::new(4);
        let first = enter(&links, OTHER, true).await.unwrap();
        let crowd = [
            enter(&links, CROWD, false).await.unwrap(),
            enter(&links, CROWD, true).await.unwrap(),
            enter(&links, CROWD, true).await.unwrap(),
        ];
        let _newcomer = enter(&links, OTHER, false).await.unwrap();
        assert_eq!(crowd[1].0.server.closed().await.code, CloseCode::Lost);
        assert!(crowd[2].0.server.cut_since().is_some() && first.0.server.cut_since().is_some());
        assert!(crowd[0].0.server.cut_since().is_none());
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_crowd_costs_nobody_else_the_session_he_comes_back_to() {
        let links = Links::new(3);
        let (lingering, _place) = enter(&links, OTHER, true).await.unwrap();
        let _crowd = [enter(&links, CROWD, false).await.unwrap(), enter(&links, CROWD, false).await.unwrap()];
        assert!(enter(&links, CROWD, false).await.is_none());
        assert!(lingering.server.cut_since().is_some());
        assert!(enter(&links, OTHER, false).await.is_some(), "its own peer may have its place");
    }
}
