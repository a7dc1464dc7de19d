//! How often frames are lost, and how long they should be therefore.

use super::frame::OVERHEAD;

/// After so many bytes what was before counts half.
const HORIZON: u64 = 0x8000;

/// The good line that is assumed at first, in bytes without a loss.
const BENEFIT: u64 = 0x2000;

/// Less data is not sent in a full frame: with so many losses nothing helps.
const MIN_PAYLOAD: usize = 32;

/// A count of what arrived and what was lost.
#[derive(Debug)]
pub(super) struct Quality {
    bytes: u64,
    lost: u64,
}

impl Default for Quality {
    fn default() -> Self {
        Self { bytes: BENEFIT, lost: 0 }
    }
}

impl Quality {
    /// So many bytes arrived or were lost, in pieces of which so many were lost.
    pub(super) fn observe(&mut self, bytes: u64, losses: u64) {
        self.bytes += bytes;
        self.lost += losses;
        if self.bytes >= HORIZON {
            self.bytes /= 2;
            self.lost /= 2;
        }
    }

    /// The length of data with which most of it gets through, `full` at most.
    ///
    /// Where a byte is lost with a chance of p, n bytes of data in a frame with h others get through at a rate of
    /// n ÷ (n + h) · e^(−p·(n + h)). That is greatest where n is about √(h ÷ p).
    pub(super) fn payload(&self, full: usize) -> usize {
        (OVERHEAD as u64 * self.bytes)
            .checked_div(self.lost)
            .map_or(full, |square| (square.isqrt() as usize).clamp(MIN_PAYLOAD, full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_get_shorter_with_losses_and_longer_without() {
        let mut quality = Quality::default();
        assert_eq!(quality.payload(1024), 1024);
        // One byte in 500.
        for _ in 0..1000 {
            quality.observe(500, 1);
        }
        assert!((60..90).contains(&quality.payload(1024)), "{}", quality.payload(1024));
        for _ in 0..1000 {
            quality.observe(500, 0);
        }
        assert_eq!(quality.payload(1024), 1024);
    }
}
