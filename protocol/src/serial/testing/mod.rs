//! Two links, the line between them as the test wants it, and users whose streams show when a byte is wrong.

mod net;
mod pair;
mod user;
mod wire;

pub(in crate::serial) use net::Net;
pub(in crate::serial) use pair::{Op, Pair, Side};
pub(in crate::serial) use wire::Faults;

use crate::options::Channel;
use crate::session::Random;

/// Numbers that look random and are the same each time.
#[derive(Clone, Debug)]
pub(in crate::serial) struct Dice(pub(in crate::serial) u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True so many times in a million.
    fn hits(&mut self, per_million: u32) -> bool {
        per_million > 0 && self.roll() % 1_000_000 < per_million.into()
    }
}

impl Random for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.roll() as u8);
    }
}

pub(in crate::serial) fn channel(number: u8) -> Channel {
    Channel::new(number).expect("a channel")
}
