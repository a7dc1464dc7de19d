//! Sessions whose connection holds.

use crate::limits::{ACK_DELAY, DEAD_AFTER, MAX_MESSAGE, MAX_UNACKNOWLEDGED, PING_AFTER};
use crate::session::testing::{Pair, Side, in_tls, plain, sealed, with_password};
use crate::session::{CloseCode, State};
use alloc::string::ToString;
use core::time::Duration;

#[test]
fn messages_split_at_every_byte_arrive_whole_and_in_order() {
    for configs in [plain(), sealed(), with_password(), in_tls()] {
        for step in 1..60 {
            let mut pair = Pair::new(configs.clone());
            for length in [0, 1, 30] {
                pair.send(Side::Client, length);
                pair.send(Side::Server, length);
            }
            while pair.deliver(Side::Client, step) + pair.deliver(Side::Server, step) > 0 {}
            assert_eq!((pair.got(Side::Client), pair.got(Side::Server)), (3, 3), "pieces of {step}");
        }
    }
}

#[test]
fn bulk_goes_through_records_of_the_largest_size_and_many_keys() {
    let mut pair = Pair::new(sealed());
    let mut sent = 0;
    for number in 0..40_000 {
        let length = if number % 2000 == 0 { MAX_MESSAGE as u16 - 8 } else { 3 };
        while !pair.send(Side::Server, length) {
            pair.settle();
        }
        sent += 1;
    }
    pair.settle();
    assert_eq!(pair.got(Side::Client), sent);
}

#[test]
fn a_side_that_acknowledges_nothing_is_sent_only_so_much() {
    let mut pair = Pair::new(plain());
    let mut sent = 0;
    let client = pair.session(Side::Client);
    while client.send(|out| {
        out.resize(out.len() + MAX_MESSAGE, 0);
        true
    }) {
        sent += MAX_MESSAGE;
        let count = client.transmit().len();
        client.transmitted(count, Duration::ZERO);
    }
    assert!((MAX_UNACKNOWLEDGED - MAX_MESSAGE..MAX_UNACKNOWLEDGED + MAX_MESSAGE).contains(&sent), "{sent}");
}

#[test]
fn in_an_exchange_of_messages_acknowledgements_ride_along() {
    let mut pair = Pair::new(sealed());
    for _ in 0..200 {
        pair.send(Side::Client, 10);
        pair.deliver(Side::Client, usize::MAX);
        assert_eq!(pair.waiting(Side::Server), 0, "the answer is the first thing that the server sends");
        pair.send(Side::Server, 10);
        pair.deliver(Side::Server, usize::MAX);
        assert_eq!(pair.waiting(Side::Client), 0);
    }
}

#[test]
fn a_message_is_acknowledged_after_a_while_and_then_there_is_silence() {
    let mut pair = Pair::new(plain());
    pair.send(Side::Client, 10);
    pair.settle();
    assert_eq!(pair.session(Side::Server).deadline(), Some(ACK_DELAY));
    pair.wait(ACK_DELAY);
    assert_eq!(pair.deliver(Side::Server, usize::MAX), 11);
    assert_eq!(pair.session(Side::Server).deadline(), Some(PING_AFTER));
}

#[test]
fn silence_is_broken_by_pings_and_a_dead_peer_is_given_up() {
    let mut pair = Pair::new(sealed());
    for _ in 0..10 {
        pair.wait(PING_AFTER);
        pair.settle();
    }
    assert_eq!(pair.session(Side::Client).state(), &State::Connected);
    pair.wait(DEAD_AFTER);
    assert_eq!(pair.session(Side::Client).state(), &State::Cut);
    assert_eq!(pair.session(Side::Client).deadline(), None);
    pair.finish();
}

#[test]
fn bulk_so_slow_that_a_record_takes_longer_than_silence_may_last_keeps_the_session() {
    // Two minutes for a record at 240 bytes a second, as of a line of 2,400 baud.
    for (from, rate) in [(Side::Server, 960), (Side::Server, 240), (Side::Client, 240)] {
        let mut pair = Pair::new(sealed());
        while pair.send(from, MAX_MESSAGE as u16 - 8) {}
        let mut seconds = 0;
        while pair.got(from.other()) < 2 {
            seconds += 1;
            pair.wait(Duration::from_secs(1));
            pair.deliver(from, rate);
            pair.deliver(from.other(), usize::MAX);
            let states = Side::BOTH.map(|side| pair.session(side).state().clone());
            assert_eq!(states, [State::Connected, State::Connected], "after {seconds} s");
        }
        assert!(seconds > DEAD_AFTER.as_secs(), "{seconds}");
    }
}

#[test]
fn closing_comes_after_all_that_was_sent_and_says_why() {
    let mut pair = Pair::new(with_password());
    let mut sent = 0;
    while pair.send(Side::Server, 30_000) {
        sent += 1;
    }
    pair.session(Side::Server).close(CloseCode::Ended, &"é".repeat(1000));
    pair.session(Side::Server).close(CloseCode::Done, "only the first time counts");
    pair.settle();
    assert_eq!(pair.got(Side::Client), sent);
    let state = pair.session(Side::Client).state().clone();
    assert_eq!(state, State::Closed { here: false, code: CloseCode::Ended, text: "é".repeat(128) });
    assert_eq!(pair.waiting(Side::Server), 0);
    assert!(!pair.send(Side::Client, 1));
}

#[test]
fn closing_while_cut_is_known_here_alone() {
    let mut pair = Pair::new(plain());
    pair.cut(true);
    pair.session(Side::Server).close(CloseCode::Lost, "gone");
    let state = State::Closed { here: true, code: CloseCode::Lost, text: "gone".to_string() };
    assert_eq!(pair.session(Side::Server).state(), &state);
    assert_eq!(pair.waiting(Side::Server), 0);
}
