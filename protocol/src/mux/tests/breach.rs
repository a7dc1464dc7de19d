//! What no session goes on after.

use super::super::frame::{Frame, MAX_DATA};
use super::super::{Code, Kind, Mux, MuxError, Role};
use super::{Channel, carry, events, open_pair, pair};
use crate::limits::{INITIAL_WINDOW, MAX_CHANNEL_TEXT, MAX_MESSAGE, MAX_WINDOW};
use std::vec;
use std::vec::Vec;

fn bytes(channel: Channel, frame: Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frame.emit(channel, &mut out);
    out
}

fn tell(mux: &mut Mux, channel: Channel, frame: Frame<'_>) -> Result<(), MuxError> {
    mux.received(&bytes(channel, frame))
}

const OPEN: Frame<'_> = Frame::Open { kind: Kind::Debug, label: "" };
const RESET: Frame<'_> = Frame::Reset { code: Code::Cancelled, text: "" };
const REFUSE: Frame<'_> = Frame::Refuse { code: Code::Busy, text: "" };
const ANY: [Frame<'_>; 9] = [
    OPEN,
    Frame::Accept,
    REFUSE,
    Frame::Data(b"x"),
    Frame::Credit(1),
    Frame::Blocked,
    Frame::Finish,
    RESET,
    Frame::Close,
];

fn out_of_turn(channel: Channel, frame: Frame<'_>) -> Result<(), MuxError> {
    Err(MuxError::OutOfTurn { channel: channel.number(), frame: frame.name() })
}

#[test]
fn frames_for_channels_that_were_never_opened() {
    let channel = Channel::new(5).unwrap();
    for frame in &ANY[1..] {
        for role in [Role::Client, Role::Server] {
            assert_eq!(tell(&mut Mux::new(role), channel, *frame), Err(MuxError::NotOpen(5)), "{frame:?}");
        }
        let none = &[&[255], &bytes(channel, *frame)[1..]].concat();
        assert_eq!(Mux::new(Role::Server).received(none), Err(MuxError::NotOpen(255)));
    }
}

#[test]
fn frames_for_a_channel_whose_opening_is_still_to_be_written() {
    for frame in &ANY[1..] {
        let mut client = Mux::new(Role::Client);
        let channel = client.open(Kind::Debug, "").unwrap();
        assert_eq!(tell(&mut client, channel, *frame), Err(MuxError::NotOpen(1)), "{frame:?}");
    }
}

#[test]
fn frames_after_the_senders_last_one() {
    for frame in &ANY[1..] {
        let (mut client, mut server, channels) = open_pair(1);
        client.reset(channels[0], Code::Cancelled, "");
        carry(&mut client, &mut server);
        assert_eq!(tell(&mut server, channels[0], *frame), Err(MuxError::NotOpen(1)), "{frame:?}");
        assert_eq!(tell(&mut server, channels[0], OPEN), Err(MuxError::Open(1)));
    }
}

#[test]
fn openings_of_what_is_open_and_by_the_server() {
    let (mut client, mut server, channels) = open_pair(1);
    assert_eq!(tell(&mut server, channels[0], OPEN), Err(MuxError::Open(1)));
    assert_eq!(tell(&mut server, Channel::CONTROL, OPEN), Err(MuxError::Open(0)));
    assert_eq!(tell(&mut client, Channel::new(9).unwrap(), OPEN), Err(MuxError::Open(9)));
}

#[test]
fn answers_to_no_opening() {
    let (mut client, mut server, channels) = open_pair(1);
    for frame in [Frame::Accept, REFUSE] {
        for mux in [&mut client, &mut server] {
            assert_eq!(tell(mux, channels[0], frame), out_of_turn(channels[0], frame));
            assert_eq!(tell(mux, Channel::CONTROL, frame), out_of_turn(Channel::CONTROL, frame));
        }
    }
    server.reset(channels[0], Code::Failed, "");
    assert_eq!(tell(&mut server, channels[0], Frame::Accept), out_of_turn(channels[0], Frame::Accept));
}

#[test]
fn frames_of_a_server_that_has_not_accepted() {
    for frame in [Frame::Data(b"x"), Frame::Credit(1), Frame::Blocked, Frame::Finish, Frame::Close] {
        let (mut client, mut server) = pair();
        let channel = client.open(Kind::Debug, "").unwrap();
        carry(&mut client, &mut server);
        assert_eq!(tell(&mut client, channel, frame), out_of_turn(channel, frame));
    }
}

#[test]
fn data_after_the_end_of_data() {
    for frame in [Frame::Data(b"x"), Frame::Blocked, Frame::Finish] {
        let (_, mut server, channels) = open_pair(1);
        tell(&mut server, channels[0], Frame::Finish).unwrap();
        assert_eq!(tell(&mut server, channels[0], frame), out_of_turn(channels[0], frame));
    }
}

#[test]
fn a_close_before_both_have_finished() {
    let (mut client, mut server, channels) = open_pair(1);
    assert_eq!(tell(&mut server, channels[0], Frame::Close), out_of_turn(channels[0], Frame::Close));
    tell(&mut server, channels[0], Frame::Finish).unwrap();
    assert_eq!(tell(&mut server, channels[0], Frame::Close), out_of_turn(channels[0], Frame::Close));
    server.finish(channels[0]);
    carry(&mut server, &mut client);
    assert_eq!(tell(&mut server, channels[0], Frame::Close), Ok(()));
}

#[test]
fn an_end_of_the_control_channel() {
    for frame in [Frame::Finish, RESET, REFUSE, Frame::Close] {
        let (mut client, mut server) = pair();
        assert_eq!(tell(&mut server, Channel::CONTROL, frame), out_of_turn(Channel::CONTROL, frame));
        assert_eq!(tell(&mut client, Channel::CONTROL, frame), out_of_turn(Channel::CONTROL, frame));
    }
}

#[test]
fn one_byte_more_than_the_credit() {
    let (_, mut server, channels) = open_pair(1);
    let data = vec![0; MAX_DATA];
    let mut left = INITIAL_WINDOW;
    while left > 0 {
        let count = left.min(MAX_DATA);
        tell(&mut server, channels[0], Frame::Data(&data[..count])).unwrap();
        left -= count;
    }
    assert_eq!(tell(&mut server, channels[0], Frame::Data(b"x")), Err(MuxError::Overrun(1)));
}

#[test]
fn credit_beyond_the_largest_window() {
    let (_, mut server, channels) = open_pair(1);
    tell(&mut server, channels[0], Frame::Credit((MAX_WINDOW - INITIAL_WINDOW) as u32)).unwrap();
    assert_eq!(tell(&mut server, channels[0], Frame::Credit(1)), Err(MuxError::Credit(1)));
    assert_eq!(tell(&mut server, channels[0], Frame::Credit(u32::MAX)), Err(MuxError::Credit(1)));
}

#[test]
fn frames_that_are_none() {
    let long = [&[1, 1, 1][..], &[b'x'; MAX_CHANNEL_TEXT + 1]].concat();
    let cases: [(&[u8], &str); 12] = [
        (&[], "shorter than its header"),
        (&[1], "shorter than its header"),
        (&vec![0; MAX_MESSAGE + 1], "too long"),
        (&[1, 0], "unknown kind"),
        (&[1, 10], "unknown kind"),
        (&[0, 4], "no data"),
        (&[0, 5, 0, 0, 1], "credit of wrong length"),
        (&[0, 5, 0, 0, 0, 0], "no credit"),
        (&[0, 6, 0], "bytes after its end"),
        (&[1, 1], "no code"),
        (&[1, 1, 1, 0xff], "text is not UTF-8"),
        (&long, "text too long"),
    ];
    for (frame, what) in cases {
        assert_eq!(Mux::new(Role::Server).received(frame), Err(MuxError::Malformed(what)));
    }
}

#[test]
fn a_peer_that_opens_and_resets_without_end_piles_nothing_up() {
    let mut server = Mux::new(Role::Server);
    let channel = Channel::new(1).unwrap();
    tell(&mut server, channel, OPEN).unwrap();
    assert_eq!(events(&mut server).len(), 1);
    tell(&mut server, channel, RESET).unwrap();
    // Until the caller knows, the number is not free.
    assert_eq!(tell(&mut server, channel, OPEN), Err(MuxError::Open(1)));
}
