//! Beginnings and ends.

use super::super::testing::{Op, Pair, Side};
use core::time::Duration;

const LATENCY: Duration = Duration::from_millis(2);

#[test]
fn a_new_process_at_either_side_resets_the_others_end_and_is_served() {
    for side in [Side::Left, Side::Right] {
        // At every moment of a conversation.
        for milliseconds in (0..500).step_by(7) {
            let mut pair = Pair::new(115_200, LATENCY, 1);
            pair.send(Side::Left, 0, 3000);
            pair.send(Side::Right, 0, 3000);
            pair.run(Duration::from_millis(milliseconds));
            pair.apply(Op::Restart(side));
            pair.send(side, 0, 500);
            pair.settle();
        }
    }
}

#[test]
fn a_silent_end_learns_of_a_new_process_by_the_sign_of_life() {
    let mut pair = Pair::new(115_200, LATENCY, 1);
    pair.run(Duration::from_secs(1));
    pair.apply(Op::Restart(Side::Right));
    assert!(pair.run_until(Duration::from_secs(20), |pair| pair.resets == 1));
}

#[test]
fn both_ends_finish_in_good_order_and_the_channel_can_be_used_again() {
    let mut pair = Pair::new(115_200, LATENCY, 1);
    for round in 0..5 {
        pair.send(Side::Left, 0, 3000);
        pair.send(Side::Right, 0, 100 * round);
        pair.apply(Op::Finish(Side::Left, 0));
        pair.run(Duration::from_secs(1));
        pair.apply(Op::Finish(Side::Right, 0));
        pair.run(Duration::from_secs(2));
    }
    assert_eq!(pair.resets, 0);
    pair.settle();
}

#[test]
fn a_lost_last_acknowledgement_resets_nobody() {
    // The line is cut at some moment of the farewell.
    for milliseconds in 0..40 {
        let mut pair = Pair::new(115_200, LATENCY, 1);
        pair.send(Side::Left, 0, 30);
        pair.run(Duration::from_secs(1));
        pair.apply(Op::Finish(Side::Left, 0));
        pair.apply(Op::Finish(Side::Right, 0));
        pair.run(Duration::from_millis(milliseconds));
        pair.apply(Op::Cut(true));
        pair.run(Duration::from_secs(1));
        pair.apply(Op::Cut(false));
        pair.run(Duration::from_secs(30));
        assert_eq!(pair.resets, 0, "{milliseconds}");
    }
}

#[test]
fn a_reset_reaches_the_other_end() {
    let mut pair = Pair::new(115_200, LATENCY, 2);
    pair.run(Duration::from_secs(1));
    pair.apply(Op::Reset(Side::Left, 1));
    assert!(pair.run_until(Duration::from_secs(2), |pair| pair.resets == 1));
    pair.settle();
}
