//! Opening, ending, opening again.

use super::super::{Code, Event, Kind, Mux, NoChannel, Role};
use super::{Channel, carry, drain, events, exchange, frame, open_pair, pair};
use crate::limits::MAX_CHANNEL_TEXT;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

#[test]
fn data_follows_an_opening_at_once_and_is_read_after_it_is_accepted() {
    let (mut client, mut server) = pair();
    let channel = client.open(Kind::Debug, "gdb").unwrap();
    assert_eq!(client.send(channel, b"hello"), 5);
    client.finish(channel);
    assert_eq!(carry(&mut client, &mut server), 3);
    assert_eq!(events(&mut server), [Event::Opened { channel, kind: Kind::Debug, label: "gdb".into() }]);
    assert_eq!((server.send(channel, b"x"), server.writable(channel), server.readable(channel)), (0, 0, &b""[..]));

    server.accept(channel);
    assert_eq!(server.poll_event(), Some(Event::Readable(channel)));
    assert_eq!(drain(&mut server, channel), b"hello");
    assert_eq!(events(&mut server), [Event::Finished(channel)]);
    carry(&mut server, &mut client);
    assert_eq!(events(&mut client), [Event::Accepted(channel)]);
}

#[test]
fn the_control_channel_is_there_and_stays() {
    let (mut client, mut server) = pair();
    for mux in [&mut client, &mut server] {
        mux.finish(Channel::CONTROL);
        mux.reset(Channel::CONTROL, Code::Cancelled, "");
        mux.refuse(Channel::CONTROL, Code::Busy, "");
    }
    client.send(Channel::CONTROL, b"ask");
    server.send(Channel::CONTROL, b"answer");
    exchange(&mut client, &mut server);
    assert_eq!(drain(&mut server, Channel::CONTROL), b"ask");
    assert_eq!(drain(&mut client, Channel::CONTROL), b"answer");
}

#[test]
fn a_refused_channel_tells_why_and_its_number_is_free_again() {
    let (mut client, mut server) = pair();
    let channel = client.open(Kind::Unknown(9), "new").unwrap();
    client.send(channel, b"optimistic");
    carry(&mut client, &mut server);
    events(&mut server);
    server.refuse(channel, Code::UnknownKind, "no such kind");
    assert!(!server.is_open(channel));
    carry(&mut server, &mut client);
    let refused = Event::Refused { channel, code: Code::UnknownKind, text: "no such kind".into() };
    assert_eq!(events(&mut client), [refused]);
    exchange(&mut client, &mut server);
    assert!(client.is_idle() && server.is_idle());
}

#[test]
fn one_direction_goes_on_after_the_other_has_finished() {
    let (mut client, mut server, channels) = open_pair(1);
    let channel = channels[0];
    client.finish(channel);
    assert_eq!((client.send(channel, b"late"), client.writable(channel)), (0, 0));
    exchange(&mut client, &mut server);
    assert_eq!(events(&mut server), [Event::Finished(channel)]);
    server.send(channel, b"still here");
    server.finish(channel);
    exchange(&mut client, &mut server);
    assert_eq!(events(&mut client), [Event::Readable(channel)]);
    assert_eq!(drain(&mut client, channel), b"still here");
    assert_eq!(events(&mut client), [Event::Finished(channel)]);
    exchange(&mut client, &mut server);
    assert!(client.is_idle() && server.is_idle());
}

#[test]
fn a_reset_drops_what_is_unread_and_tells_why() {
    let (mut client, mut server, channels) = open_pair(1);
    let channel = channels[0];
    client.send(channel, b"lost");
    carry(&mut client, &mut server);
    client.reset(channel, Code::Other(77), "changed my mind");
    carry(&mut client, &mut server);
    assert_eq!(server.readable(channel), b"");
    let text = String::from("changed my mind");
    assert_eq!(events(&mut server), [Event::Reset { channel, code: Code::Other(77), text }]);
    exchange(&mut client, &mut server);
    assert!(client.is_idle() && server.is_idle());
}

#[test]
fn frames_under_way_at_a_reset_are_dropped_and_do_not_reach_the_numbers_next_life() {
    let (mut client, mut server, channels) = open_pair(254);
    let channel = channels[7];
    server.send(channel, b"stale");
    let stale = frame(&mut server).unwrap();
    client.reset(channel, Code::Cancelled, "");
    assert_eq!(client.open(Kind::Debug, ""), Err(NoChannel), "the server may still send on it");
    carry(&mut client, &mut server);
    client.received(&stale).unwrap();
    assert_eq!(client.open(Kind::Debug, ""), Err(NoChannel));

    assert!(matches!(events(&mut server)[..], [Event::Reset { .. }]));
    carry(&mut server, &mut client);
    assert_eq!(client.open(Kind::Debug, "again"), Ok(channel));
    assert!(client.readable(channel).is_empty());
    carry(&mut client, &mut server);
    assert_eq!(events(&mut server), [Event::Opened { channel, kind: Kind::Debug, label: "again".into() }]);
}

#[test]
fn resets_of_both_sides_that_cross_answer_each_other() {
    let (mut client, mut server, channels) = open_pair(1);
    client.reset(channels[0], Code::Cancelled, "");
    server.reset(channels[0], Code::ServerEnds, "");
    exchange(&mut client, &mut server);
    assert!(client.is_idle() && server.is_idle());
    assert_eq!((events(&mut client), events(&mut server)), (vec![], vec![]));
}

#[test]
fn a_number_is_not_free_before_the_caller_knows_of_its_end() {
    let (mut client, mut server, channels) = open_pair(1);
    client.reset(channels[0], Code::Cancelled, "");
    carry(&mut client, &mut server);
    assert_eq!(frame(&mut server), None);
    events(&mut server);
    assert_eq!(carry(&mut server, &mut client), 1);
}

#[test]
fn a_channel_that_is_reset_before_anybody_heard_of_it_leaves_no_trace() {
    let (mut client, mut server) = pair();
    let channel = client.open(Kind::Debug, "").unwrap();
    client.reset(channel, Code::Cancelled, "");
    assert_eq!(frame(&mut client), None);
    assert!(client.is_idle());

    let channel = client.open(Kind::Debug, "").unwrap();
    carry(&mut client, &mut server);
    client.reset(channel, Code::Cancelled, "");
    exchange(&mut client, &mut server);
    assert_eq!(events(&mut server), []);
    assert!(client.is_idle() && server.is_idle());
}

#[test]
fn the_254_numbers_are_given_out_and_no_more() {
    let (mut client, _, channels) = open_pair(254);
    assert_eq!(client.open(Kind::Debug, ""), Err(NoChannel));
    let numbers: Vec<u8> = channels.iter().map(|channel| channel.number()).collect();
    assert!(numbers.iter().copied().eq(1..=254));
    assert_eq!(Mux::new(Role::Server).open(Kind::Debug, ""), Err(NoChannel));
}

#[test]
fn ten_thousand_channels_opened_and_closed_leave_nothing() {
    let (mut client, mut server) = pair();
    let data = vec![1; 20_000];
    for round in 0..10_000 {
        let channel = client.open(Kind::Debug, "short").unwrap();
        client.send(channel, &data);
        exchange(&mut client, &mut server);
        events(&mut server);
        match round % 3 {
            0 => server.refuse(channel, Code::Busy, "later"),
            1 => client.reset(channel, Code::Cancelled, ""),
            _ => {
                server.accept(channel);
                client.finish(channel);
                server.finish(channel);
                exchange(&mut client, &mut server);
                drain(&mut server, channel);
            }
        }
        exchange(&mut client, &mut server);
        events(&mut client);
        events(&mut server);
        exchange(&mut client, &mut server);
        assert!(client.is_idle() && server.is_idle(), "round {round}");
    }
    assert_eq!((client.allocated(), server.allocated()), (0, 0));
}

#[test]
fn long_texts_are_cut_between_characters() {
    let (mut client, mut server) = pair();
    // An odd number of bytes before two-byte characters: the limit falls into one.
    let label = format!("x{}", "ä".repeat(MAX_CHANNEL_TEXT));
    client.open(Kind::Debug, &label).unwrap();
    carry(&mut client, &mut server);
    let Some(Event::Opened { label: cut, .. }) = server.poll_event() else { panic!("not opened") };
    assert_eq!(cut, label[..MAX_CHANNEL_TEXT - 1]);
}

#[test]
fn calls_on_a_channel_that_is_not_there_do_nothing() {
    let (mut client, _) = pair();
    let channel = Channel::new(9).unwrap();
    client.accept(channel);
    client.refuse(channel, Code::Busy, "");
    client.finish(channel);
    client.reset(channel, Code::Busy, "");
    client.consumed(channel, 5);
    assert_eq!((client.send(channel, b"x"), client.writable(channel), client.readable(channel)), (0, 0, &b""[..]));
    assert!(!client.is_open(channel) && client.is_idle());
    assert_eq!((frame(&mut client), client.poll_event()), (None, None));
}
