//! The system's random numbers.

use dbgsrv_protocol::session::Random;

/// getrandom(2) or the like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// Where the system has no random numbers, which no kernel of this century lacks.
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has random numbers");
    }
}
