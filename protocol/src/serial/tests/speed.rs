//! How much of the line is left for data, and how long a byte takes.

use super::super::testing::{Pair, Side};
use core::time::Duration;

const LATENCY: Duration = Duration::from_millis(2);

/// Bytes that a line of this rate carries in `time`.
fn line_bytes(baud: u32, time: Duration) -> usize {
    (u128::from(baud) / 10 * time.as_millis() / 1000) as usize
}

/// How long a line of this rate takes for so many bytes.
fn time_of(baud: u32, bytes: u64) -> Duration {
    Duration::from_millis(bytes * 10_000 / u64::from(baud))
}

/// The share of the line, in percent, that channel 0 gets from each side of `sides` to the other when all send all they can.
fn share(baud: u32, sides: &[Side]) -> usize {
    let mut pair = Pair::new(baud, LATENCY, 1);
    pair.run(Duration::from_secs(1));
    let time = time_of(baud, 200_000);
    for &side in sides {
        pair.send(side, 0, 2 * line_bytes(baud, time));
    }
    pair.run(time);
    let got = sides.iter().map(|side| pair.got(side.other(), 0)).min().expect("a side");
    100 * got / line_bytes(baud, time)
}

#[test]
fn bulk_one_way_gets_nine_tenths_of_a_clean_line_at_every_rate() {
    for baud in [9600, 19_200, 57_600, 115_200, 230_400, 460_800, 921_600, 4_000_000] {
        let share = share(baud, &[Side::Left]);
        assert!(share >= 90, "{share} % at {baud}");
    }
}

#[test]
fn bulk_both_ways_gets_nine_tenths_of_a_clean_line_each_at_every_rate() {
    for baud in [9600, 19_200, 57_600, 115_200, 230_400, 460_800, 921_600, 4_000_000] {
        let share = share(baud, &[Side::Left, Side::Right]);
        assert!(share >= 90, "{share} % at {baud}");
    }
}

#[test]
fn a_keystroke_waits_no_more_than_20_ms_for_the_bulk_of_others() {
    for baud in [115_200, 460_800, 4_000_000] {
        let mut pair = Pair::new(baud, Duration::ZERO, 5);
        pair.run(Duration::from_secs(1));
        for number in 0..4 {
            pair.send(Side::Left, number, baud as usize);
            pair.send(Side::Right, number, baud as usize);
        }
        for stroke in 1..30 {
            pair.run(Duration::from_micros(173_300));
            let sent_at = pair.now;
            pair.send(Side::Left, 4, 8);
            let came = pair.run_until(sent_at + Duration::from_secs(1), |pair| pair.got(Side::Right, 4) == 8 * stroke);
            // The keystroke's own frame takes time too.
            let own = Duration::from_micros(30 * 10_000_000 / u64::from(baud));
            let waited = pair.now.checked_sub(sent_at).unwrap();
            assert!(came && waited <= Duration::from_millis(20) + own, "{waited:?} at {baud}");
        }
    }
}

#[test]
fn channels_with_bulk_get_equal_shares() {
    let mut pair = Pair::new(115_200, LATENCY, 8);
    pair.run(Duration::from_secs(1));
    for number in 0..8 {
        pair.send(Side::Left, number, 1_000_000);
    }
    pair.run(Duration::from_secs(5));
    let got = [0, 1, 2, 3, 4, 5, 6, 7].map(|number| pair.got(Side::Right, number));
    let (least, most) = (got.iter().min().unwrap(), got.iter().max().unwrap());
    assert!(most - least <= 1000, "{got:?}");
}

#[test]
fn a_long_line_is_filled_too() {
    let mut pair = Pair::new(921_600, Duration::from_millis(100), 1);
    pair.run(Duration::from_secs(2));
    pair.send(Side::Left, 0, 1_000_000);
    pair.run(Duration::from_secs(5));
    // The first acknowledgement comes after 200 ms.
    assert!(pair.got(Side::Right, 0) > 90 * line_bytes(921_600, Duration::from_millis(4700)) / 100);
}

#[test]
fn an_idle_line_carries_a_sign_of_life_every_15_s_and_nothing_else() {
    let mut pair = Pair::new(115_200, LATENCY, 1);
    pair.send(Side::Left, 0, 1000);
    pair.send(Side::Right, 0, 1000);
    pair.run(Duration::from_secs(5));
    let before = pair.line_bytes(Side::Left) + pair.line_bytes(Side::Right);
    pair.run(Duration::from_mins(10));
    let bytes = pair.line_bytes(Side::Left) + pair.line_bytes(Side::Right) - before;
    assert!(bytes <= 40 * 80, "{bytes}");
    assert!(bytes > 0);
}
