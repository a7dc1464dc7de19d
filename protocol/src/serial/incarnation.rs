//! One life of one end of a channel, and the checksum's start for a pair of them.

use super::crc::Crc;
use crate::session::Random;
use core::num::NonZeroU32;

/// A random number that a channel's end has from its opening to its end, so that nothing of an earlier life is taken for its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Incarnation(NonZeroU32);

impl Incarnation {
    pub(super) fn draw(random: &mut dyn Random) -> Self {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        Self(NonZeroU32::new(u32::from_be_bytes(bytes)).unwrap_or(NonZeroU32::MIN))
    }

    /// From its bytes; zero is none.
    pub(super) fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        NonZeroU32::new(u32::from_be_bytes(bytes)).map(Self)
    }

    /// As bytes; none is zero.
    pub(super) fn bytes(incarnation: Option<Self>) -> [u8; 4] {
        incarnation.map_or(0, |incarnation| incarnation.0.get()).to_be_bytes()
    }
}

/// What the checksum of a stream frame starts with: who sends it to whom. So no frame has to say it, and one that is meant for
/// another life fails the checksum.
pub(super) fn seed(sender: Incarnation, receiver: Incarnation) -> Crc {
    Crc::new().with(&Incarnation::bytes(Some(sender))).with(&Incarnation::bytes(Some(receiver)))
}
