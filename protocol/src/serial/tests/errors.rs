//! Bad lines.

use super::super::testing::{Faults, Op, Pair, Side};
use core::time::Duration;

const LATENCY: Duration = Duration::from_millis(2);

/// One bit in 10,000 is flipped and one byte in 1,000 lost.
const BAD: Faults = Faults { flipped_bits: 100, dropped_bytes: 1000, doubled_bytes: 0, bursts: 0 };

/// How many percent of the line are left for data, when both sides send all they can.
fn goodput(baud: u32, faults: Faults) -> usize {
    let mut pair = Pair::new(baud, LATENCY, 1);
    pair.run(Duration::from_secs(1));
    pair.apply(Op::Faults(faults));
    pair.send(Side::Left, 0, 100_000_000);
    pair.send(Side::Right, 0, 100_000_000);
    let milliseconds = 200_000 * 10_000 / u64::from(baud);
    pair.run(Duration::from_millis(milliseconds));
    let got = pair.got(Side::Left, 0).min(pair.got(Side::Right, 0));
    assert_eq!(pair.resets, 0);
    100 * got / 200_000
}

#[test]
fn at_a_bit_error_rate_of_1e_4_with_one_byte_in_1000_lost_the_line_is_still_of_use() {
    // At the highest rate it is over before frames have become short.
    for (baud, least) in [(9600, 60), (115_200, 60), (921_600, 60), (4_000_000, 45)] {
        let goodput = goodput(baud, BAD);
        assert!(goodput >= least, "{goodput} % at {baud}");
    }
}

#[test]
fn doubled_bytes_and_bursts_of_garbage_do_no_more_than_slow_it_down() {
    let goodput = goodput(115_200, Faults { doubled_bytes: 500, bursts: 300, ..BAD });
    assert!(goodput >= 20, "{goodput} %");
}

#[test]
fn what_is_sent_arrives_even_where_most_frames_do_not() {
    let mut pair = Pair::new(115_200, LATENCY, 1);
    pair.apply(Op::Faults(Faults { flipped_bits: 2000, dropped_bytes: 5000, ..BAD }));
    pair.send(Side::Left, 0, 5000);
    pair.send(Side::Right, 0, 5000);
    pair.apply(Op::Finish(Side::Left, 0));
    let end = Duration::from_mins(5);
    assert!(pair.run_until(end, |pair| pair.got(Side::Left, 0) == 5000 && pair.got(Side::Right, 0) == 5000));
}

#[test]
fn a_long_cut_is_waited_out_and_then_it_goes_on_within_seconds() {
    let mut pair = Pair::new(115_200, LATENCY, 2);
    pair.run(Duration::from_secs(1));
    pair.send(Side::Left, 0, 100_000);
    pair.run(Duration::from_secs(1));
    pair.apply(Op::Cut(true));
    pair.run(Duration::from_hours(24));
    let (got, bytes) = (pair.got(Side::Right, 0), pair.line_bytes(Side::Left));
    pair.apply(Op::Cut(false));
    let end = pair.now + Duration::from_secs(5);
    assert!(pair.run_until(end, |pair| pair.got(Side::Right, 0) > got));
    // The attempts to get through in a day were small.
    assert!(bytes < 2_000_000, "{bytes}");
    let end = pair.now + Duration::from_secs(12);
    assert!(pair.run_until(end, |pair| pair.got(Side::Right, 0) == 100_000));
    assert_eq!(pair.resets, 0);
}
