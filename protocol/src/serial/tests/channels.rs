//! What channels do to each other: nothing.

use super::super::testing::{Dice, Op, Pair, Side, channel};
use super::super::{Event, InUse, Link, Opening};
use crate::options::Baud;
use core::time::Duration;
use std::vec::Vec;

#[test]
fn a_channel_that_nobody_reads_delays_no_other() {
    let mut pair = Pair::new(115_200, Duration::from_millis(2), 3);
    pair.apply(Op::Read(Side::Right, 0, false));
    pair.apply(Op::Read(Side::Right, 1, false));
    pair.run(Duration::from_secs(1));
    for number in 0..3 {
        pair.send(Side::Left, number, 200_000);
    }
    pair.run(Duration::from_secs(10));
    // The windows of the others came first.
    assert!(pair.got(Side::Right, 2) > 90 * 115_200 / 100 - 2 * 0x1000, "{}", pair.got(Side::Right, 2));
    assert_eq!(pair.got(Side::Right, 0), 0);
    pair.apply(Op::Read(Side::Right, 0, true));
    let end = pair.now + Duration::from_mins(1);
    assert!(pair.run_until(end, |pair| pair.got(Side::Right, 0) == 200_000));
}

#[test]
fn a_reader_that_comes_back_after_an_hour_is_served_at_once() {
    let mut pair = Pair::new(115_200, Duration::from_millis(2), 1);
    pair.apply(Op::Read(Side::Right, 0, false));
    pair.send(Side::Left, 0, 20_000);
    pair.run(Duration::from_hours(1));
    pair.apply(Op::Read(Side::Right, 0, true));
    let end = pair.now + Duration::from_secs(3);
    assert!(pair.run_until(end, |pair| pair.got(Side::Right, 0) == 20_000));
}

#[test]
fn all_255_channels_carry_at_once() {
    let mut pair = Pair::new(921_600, Duration::from_millis(2), 255);
    for number in 0..255 {
        pair.send(Side::Left, number, 1000);
        pair.send(Side::Right, number, 1000);
    }
    let all = |pair: &mut Pair| (0..255).all(|n| pair.got(Side::Left, n) == 1000 && pair.got(Side::Right, n) == 1000);
    assert!(pair.run_until(Duration::from_secs(10), all));
}

/// A link alone.
fn link() -> Link {
    Link::new(Baud::new(115_200).unwrap(), Duration::ZERO)
}

/// What a link puts on the line within `time`.
fn output(link: &mut Link, time: Duration) -> Vec<u8> {
    let mut out = Vec::new();
    let mut now = Duration::ZERO;
    loop {
        let bytes = link.transmit(now).to_vec();
        link.transmitted(bytes.len(), now);
        let is_done = bytes.is_empty();
        out.extend(bytes);
        if is_done {
            let Some(deadline) = link.deadline().filter(|deadline| *deadline <= time) else { return out };
            now = deadline;
            link.handle_timeout(now);
        }
    }
}

#[test]
fn who_answers_keeps_silent_until_called() {
    let mut link = link();
    link.open(channel(3), Opening::Answer, &mut Dice(1)).unwrap();
    assert_eq!(link.send(channel(3), b"hello"), 5);
    assert_eq!(output(&mut link, Duration::from_hours(1)), b"");
}

#[test]
fn a_channel_is_opened_once() {
    let mut link = link();
    link.open(channel(3), Opening::Call, &mut Dice(1)).unwrap();
    assert_eq!(link.open(channel(3), Opening::Answer, &mut Dice(1)), Err(InUse(channel(3))));
    link.reset(channel(3));
    link.open(channel(3), Opening::Answer, &mut Dice(1)).unwrap();
}

#[test]
fn no_more_is_taken_than_there_is_room_for_and_no_more_sent_than_the_line_carries() {
    let mut link = link();
    link.open(channel(0), Opening::Call, &mut Dice(1)).unwrap();
    let room = link.writable(channel(0));
    assert_eq!(link.send(channel(0), &std::vec![0; 100_000]), room);
    assert_eq!(link.writable(channel(0)), 0);
    // Calls only, as long as nobody answers.
    assert!(output(&mut link, Duration::from_mins(1)).len() < 20 * 60);
}

#[test]
fn a_call_that_finds_nobody_is_told_so_once_and_answered_later() {
    let (mut caller, mut answerer) = (link(), link());
    caller.open(channel(9), Opening::Call, &mut Dice(1)).unwrap();
    let mut events = Vec::new();
    for second in 0..60 {
        let now = Duration::from_secs(second);
        caller.handle_timeout(now);
        if second == 20 {
            answerer.open(channel(9), Opening::Answer, &mut Dice(2)).unwrap();
        }
        for _ in 0..4 {
            hand_over(&mut caller, &mut answerer, now);
            hand_over(&mut answerer, &mut caller, now);
        }
        events.extend(core::iter::from_fn(|| caller.poll_event()).map(|event| (second, event)));
    }
    assert_eq!(events[0], (0, Event::Nobody(channel(9))));
    assert!(matches!(events[1], (20..=24, Event::Connected(_))), "{events:?}");
    assert_eq!(events.len(), 2);
}

/// Hands one frame over.
fn hand_over(from: &mut Link, to: &mut Link, now: Duration) {
    let bytes = from.transmit(now).to_vec();
    from.transmitted(bytes.len(), now);
    to.receive_buffer()[..bytes.len()].copy_from_slice(&bytes);
    to.received(bytes.len(), now);
}
