//! What the user is told while there is no connection.

use dbgsrv_client::RemoteServer;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often the connection is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks in a row that find the connection cut before the user is told: less is nothing to worry about.
const PATIENCE: u32 = 3;

/// Tells the user when the connection is cut for longer than a moment, and when it is back. Never ends.
pub(crate) async fn tell(server: &RemoteServer) -> Infallible {
    tokio::select! {
        // What that means is told by who needed the connection.
        _ = server.closed() => pending().await,
        never = look(server) => never,
    }
}

async fn look(server: &RemoteServer) -> Infallible {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut cuts = Cuts::default();
    loop {
        looks.tick().await;
        if let Some(news) = cuts.look(server.link().is_cut()) {
            eprintln!("premote: {news}");
        }
    }
}

/// For how many looks the connection has been cut.
#[derive(Debug, Default)]
struct Cuts(u32);

impl Cuts {
    fn look(&mut self, is_cut: bool) -> Option<&'static str> {
        let before = self.0;
        self.0 = if is_cut { before.saturating_add(1) } else { 0 };
        match (before, self.0) {
            (_, PATIENCE) => Some("the connection broke; trying to connect again"),
            (PATIENCE.., 0) => Some("connected again"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_told_once_when_it_lasts_and_so_is_its_end() {
        let mut cuts = Cuts::default();
        let mut news = |looks: &[bool]| looks.iter().filter_map(|is_cut| cuts.look(*is_cut)).collect::<Vec<_>>();
        assert_eq!(news(&[false, true, true, false, true, true, false]), [""; 0]);
        assert_eq!(news(&[true; 9]), ["the connection broke; trying to connect again"]);
        assert_eq!(news(&[false, false]), ["connected again"]);
    }
}
