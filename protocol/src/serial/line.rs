//! What the channels of a line share: its rate, its round trip, its quality.

use super::frame::OVERHEAD;
use super::offset;
use super::quality::Quality;
use crate::limits::{MAX_LINE_DATA, MAX_LINE_RETRY, MAX_LINE_WINDOW, MIN_LINE_WINDOW};
use crate::options::Baud;
use core::time::Duration;

/// Start bit, eight bits, stop bit.
const BITS_PER_BYTE: u64 = 10;

/// How much time's worth of bytes may stand in the driver's queue, so that the line does not run dry when the caller is late.
const AHEAD: Duration = Duration::from_millis(8);

/// How long a full frame may take. With [`AHEAD`], a small frame waits no more than 20 ms for the bulk before it.
const FRAME_TIME: Duration = Duration::from_millis(12);

/// Less data than this in a full frame would leave less than 90 % of the line for data.
const MIN_FULL: usize = 120;

/// How much later than usual an answer may come before it counts as lost, beside two full frames that it may have to wait for.
const MIN_VARIANCE: Duration = Duration::from_millis(20);

/// The round trip that is assumed before one was measured.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(250);

/// A line, as this side sees it.
#[derive(Debug)]
pub(super) struct Line {
    baud: Baud,
    /// When all bytes that were handed to the driver will have left.
    free_at: Duration,
    /// Smoothed, and its variance (RFC 6298).
    round_trip: Option<(Duration, Duration)>,
    pub(super) quality: Quality,
    /// How many pieces were sent.
    order: u64,
}

impl Line {
    pub(super) fn new(baud: Baud) -> Self {
        Self { baud, free_at: Duration::ZERO, round_trip: None, quality: Quality::default(), order: 0 }
    }

    /// How long so many bytes take.
    pub(super) fn time(&self, bytes: usize) -> Duration {
        Duration::from_nanos(bytes as u64 * BITS_PER_BYTE * 1_000_000_000 / u64::from(self.baud.get()))
    }

    /// How many bytes go over the line in `time`.
    fn bytes_in(&self, time: Duration) -> usize {
        (u64::from(self.baud.get()) * time.as_millis() as u64 / (BITS_PER_BYTE * 1000)) as usize
    }

    /// When the next frame may be handed to the driver.
    pub(super) fn next_turn(&self) -> Duration {
        self.free_at.saturating_sub(AHEAD)
    }

    /// Whether nothing was on the line just before `now`.
    pub(super) fn is_idle(&self, now: Duration) -> bool {
        self.free_at < now
    }

    /// When a frame of so many bytes that is sent now will have left.
    pub(super) fn leaves(&self, now: Duration, bytes: usize) -> Duration {
        self.free_at.max(now) + self.time(bytes)
    }

    /// So many bytes were handed to the driver.
    pub(super) fn occupy(&mut self, now: Duration, bytes: usize) {
        self.free_at = self.leaves(now, bytes);
    }

    /// The data in a full frame, in bytes, on a good line.
    fn full(&self) -> usize {
        self.bytes_in(FRAME_TIME).clamp(MIN_FULL, MAX_LINE_DATA)
    }

    /// The data in a full frame, in bytes, as the line is.
    pub(super) fn payload(&self) -> usize {
        self.quality.payload(self.full())
    }

    /// How much of a channel's data may be received and not read: a quarter of a second's worth, in powers of two.
    pub(super) fn window(&self) -> usize {
        let window = self.bytes_in(Duration::from_millis(250)).min(MAX_LINE_WINDOW).next_power_of_two();
        window.clamp(MIN_LINE_WINDOW, MAX_LINE_WINDOW)
    }

    /// [`Self::window`] as it stands in a hello.
    pub(super) fn window_bytes(&self) -> [u8; 3] {
        offset::low(self.window() as u64)
    }

    /// The number of the next piece.
    pub(super) fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// An answer took so long.
    pub(super) fn measured(&mut self, sample: Duration) {
        self.round_trip = Some(match self.round_trip {
            None => (sample, sample / 2),
            Some((mean, variance)) => ((mean * 7 + sample) / 8, (variance * 3 + mean.abs_diff(sample)) / 4),
        });
    }

    /// How long to wait for an answer after so many attempts without one.
    pub(super) fn retry(&self, attempts: u32) -> Duration {
        let (mean, variance) = self.round_trip.unwrap_or((FIRST_ROUND_TRIP, Duration::ZERO));
        let once = mean + (variance * 4).max(MIN_VARIANCE) + self.time(2 * (self.full() + OVERHEAD));
        (once * (1 << attempts.min(8))).min(MAX_LINE_RETRY.max(once))
    }
}
