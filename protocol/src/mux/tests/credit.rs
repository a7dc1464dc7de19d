//! Windows, and the memory they bound.

use super::super::frame::Frame;
use super::super::{Channel, Mux};
use super::{carry, drain, events, exchange, frame, open_pair};
use crate::limits::{INITIAL_WINDOW, MAX_SEND_BUFFER, MAX_WINDOW, MAX_WINDOWS, SMALL_BUFFER};
use std::vec;
use std::vec::Vec;

/// Sends until nothing more is taken and nothing more may be sent; returns how much the other side was given.
fn flood(from: &mut Mux, to: &mut Mux, channel: Channel) -> usize {
    let bytes = vec![7; MAX_SEND_BUFFER];
    let waits = |mux: &Mux| MAX_SEND_BUFFER - mux.writable(channel);
    let mut given = waits(from);
    loop {
        carry(from, to);
        let count = from.send(channel, &bytes);
        if count == 0 {
            return given - waits(from);
        }
        given += count;
    }
}

/// The kinds of the frames that a mux would send, as they are named.
fn names(mux: &mut Mux) -> Vec<&'static str> {
    core::iter::from_fn(|| frame(mux)).map(|frame| Frame::parse(&frame).unwrap().1.name()).collect()
}

#[test]
fn a_consumer_that_reads_nothing_gets_one_window() {
    let (mut client, mut server, channels) = open_pair(1);
    assert_eq!(flood(&mut client, &mut server, channels[0]), INITIAL_WINDOW);
    exchange(&mut client, &mut server);
    assert_eq!(flood(&mut client, &mut server, channels[0]), 0);
    assert_eq!(client.writable(channels[0]), 0);
    let read = drain(&mut server, channels[0]);
    assert_eq!(read.len(), INITIAL_WINDOW);
}

#[test]
fn small_traffic_to_and_fro_sends_no_credit() {
    let (mut client, mut server, channels) = open_pair(1);
    for _ in 0..INITIAL_WINDOW / 2 / 100 {
        client.send(channels[0], &[b'q'; 100]);
        assert_eq!(carry(&mut client, &mut server), 1);
        drain(&mut server, channels[0]);
        server.send(channels[0], &[b'a'; 100]);
        assert_eq!(carry(&mut server, &mut client), 1);
        drain(&mut client, channels[0]);
    }
    client.send(channels[0], &[b'q'; 100]);
    carry(&mut client, &mut server);
    drain(&mut server, channels[0]);
    assert_eq!(names(&mut server), ["credit"]);
}

#[test]
fn the_window_doubles_where_the_sender_waits_although_all_was_read_and_no_further_than_allowed() {
    let (mut client, mut server, channels) = open_pair(1);
    let mut window = INITIAL_WINDOW;
    loop {
        assert_eq!(flood(&mut client, &mut server, channels[0]), window);
        // All is under way before anything is read: as on a long way.
        drain(&mut server, channels[0]);
        carry(&mut server, &mut client);
        if window == MAX_WINDOW {
            break;
        }
        window *= 2;
    }
    assert_eq!(flood(&mut client, &mut server, channels[0]), MAX_WINDOW);
}

#[test]
fn the_window_stays_where_it_is_when_the_consumer_is_slower_than_the_sender() {
    let (mut client, mut server, channels) = open_pair(1);
    for _ in 0..100 {
        flood(&mut client, &mut server, channels[0]);
        let half = server.readable(channels[0]).len().min(INITIAL_WINDOW / 2);
        server.consumed(channels[0], half);
        carry(&mut server, &mut client);
    }
    flood(&mut client, &mut server, channels[0]);
    assert!(drain(&mut server, channels[0]).len() <= INITIAL_WINDOW);
}

#[test]
fn all_windows_together_stay_within_their_limit() {
    let (mut client, mut server, channels) = open_pair(254);
    for _ in 0..5 {
        for channel in &channels {
            flood(&mut client, &mut server, *channel);
            drain(&mut server, *channel);
        }
        carry(&mut server, &mut client);
    }
    for channel in &channels {
        flood(&mut client, &mut server, *channel);
    }
    let held: usize = channels.iter().map(|channel| drain(&mut server, *channel).len()).sum();
    assert!(held > channels.len() * INITIAL_WINDOW);
    assert!(held <= MAX_WINDOWS - INITIAL_WINDOW, "the control channel has its window still");
}

#[test]
fn the_memory_of_channels_is_what_their_windows_allow_and_comes_back_when_they_are_quiet() {
    let (mut client, mut server, channels) = open_pair(1);
    assert_eq!(server.allocated(), 0);
    flood(&mut client, &mut server, channels[0]);
    assert_eq!((client.allocated(), server.allocated()), (MAX_SEND_BUFFER, INITIAL_WINDOW));
    drain(&mut server, channels[0]);
    exchange(&mut client, &mut server);
    drain(&mut server, channels[0]);
    exchange(&mut client, &mut server);
    for _ in 0..20 {
        client.send(channels[0], b"$m1,8#00");
        exchange(&mut client, &mut server);
        drain(&mut server, channels[0]);
    }
    assert_eq!((client.allocated(), server.allocated()), (SMALL_BUFFER, SMALL_BUFFER));
}

#[test]
fn a_sender_that_was_left_with_bytes_is_told_of_room_when_it_is_worth_it() {
    let (mut client, mut server, channels) = open_pair(1);
    flood(&mut client, &mut server, channels[0]);
    events(&mut client);
    assert_eq!(client.send(channels[0], b"more"), 0);
    let half = INITIAL_WINDOW / 2;
    server.consumed(channels[0], half.min(server.readable(channels[0]).len()));
    assert_eq!(events(&mut client), []);
    exchange(&mut client, &mut server);
    assert_eq!(events(&mut client), [super::Event::Writable(channels[0])]);
}
