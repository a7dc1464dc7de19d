//! What a channel's number stands for.

use super::event::Reason;
use super::frame::{Gone, Hello};
use super::incarnation::Incarnation;
use super::life::Life;
use alloc::boxed::Box;

/// The two ends of a channel's last life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    mine: Incarnation,
    peer: Incarnation,
    /// All was received, both ways.
    clean: bool,
}

/// Nobody uses it here.
#[derive(Debug, Default)]
pub(super) struct Closed {
    past: Option<Past>,
    /// The caller is to be told how the last life ended.
    pub(super) untold: Option<Reason>,
    /// The other side has asked, and is to be told that nobody is here.
    pub(super) gone: Option<Gone>,
    /// The new process at the other side, if that is what ended the last life.
    pub(super) knock: Option<Hello>,
}

impl Closed {
    /// What is left of a life. The other side is told, unless that is what ended it.
    pub(super) fn after(life: &Life, untold: Option<Reason>, clean: bool) -> Self {
        let gone = life.peer.map(|to| Gone { to, about: Some(life.mine), clean });
        let is_told = clean || matches!(untold, Some(Reason::Gone | Reason::Restarted));
        Self {
            past: life.peer.filter(|_| life.is_met).map(|peer| Past { mine: life.mine, peer, clean }),
            untold: untold.filter(|_| !life.is_forgotten()),
            gone: gone.filter(|_| !is_told),
            knock: None,
        }
    }

    /// The other end of the last life.
    pub(super) fn peer(&self) -> Option<Incarnation> {
        self.past.map(|past| past.peer)
    }

    /// Somebody at the other side asks who is here.
    pub(super) fn asked(&mut self, hello: &Hello) {
        if !hello.want {
            return;
        }
        let is_past = |past: &Past| past.peer == hello.mine && Some(past.mine) == hello.yours;
        let clean = self.past.filter(is_past).is_some_and(|past| past.clean);
        self.gone = Some(Gone { to: hello.mine, about: hello.yours, clean });
    }
}

/// What a channel's number stands for.
#[derive(Debug)]
pub(super) enum Slot {
    Closed(Closed),
    Open(Box<Life>),
}
