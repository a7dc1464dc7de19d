//! When a grown buffer may shrink again.

use crate::limits::{QUIET_USES, SMALL_BUFFER};

/// Counts how long a buffer has been larger than it had to be.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    uses: u8,
}

impl Quiet {
    /// Notes that one use of the buffer took `used` bytes; whether it is time to shrink a buffer of `capacity` bytes.
    pub(crate) fn observe(&mut self, used: usize, capacity: usize) -> bool {
        if used > SMALL_BUFFER || capacity <= SMALL_BUFFER {
            self.uses = 0;
            return false;
        }
        self.uses += 1;
        if self.uses < QUIET_USES {
            return false;
        }
        self.uses = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_shrinks_after_a_row_of_small_uses() {
        let mut quiet = Quiet::default();
        for _ in 1..QUIET_USES {
            assert!(!quiet.observe(10, 2 * SMALL_BUFFER));
        }
        assert!(quiet.observe(10, 2 * SMALL_BUFFER));
    }

    #[test]
    fn a_large_use_starts_the_count_again_and_a_small_buffer_never_shrinks() {
        let mut quiet = Quiet::default();
        for _ in 0..3 * u32::from(QUIET_USES) {
            assert!(!quiet.observe(10, SMALL_BUFFER));
        }
        for _ in 1..QUIET_USES {
            assert!(!quiet.observe(10, 2 * SMALL_BUFFER));
        }
        assert!(!quiet.observe(SMALL_BUFFER + 1, 2 * SMALL_BUFFER));
        assert!(!quiet.observe(10, 2 * SMALL_BUFFER));
    }
}
