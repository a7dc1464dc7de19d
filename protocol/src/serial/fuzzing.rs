//! The bodies of the fuzz targets `serial_link`, `serial_pair` and `serial_switch`.

use super::crc::Crc;
use super::frame;
use super::incarnation::{Incarnation, seed};
use super::testing::{Dice, Faults, Op, Pair, Side, channel};
use super::{Event, Link, MemberId, Opening, Switch, cobs};
use crate::limits::{MAX_LINE_WINDOW, MAX_MEMBER_BACKLOG};
use crate::options::Baud;
use alloc::vec::Vec;
use core::time::Duration;

/// Channels that are open in [`link`]; of the others one is used.
const OPEN: u8 = 2;

/// What one link gets from whoever is at the other end of the line: pieces of two bytes, how it is wrapped and how long it is, and
/// then its bytes.
///
/// # Panics
/// Where more is kept than may be, or a timer stands still.
pub fn link(mut data: &[u8]) {
    let baud = Baud::new(115_200).expect("a rate");
    let mut link = Link::new(baud, Duration::ZERO);
    let (mut dice, mut now) = (Dice(1), Duration::ZERO);
    // The link's first incarnations are these, so that the peer can know them.
    let mine: Vec<_> = (0..OPEN).map(|_| Incarnation::draw(&mut dice)).collect();
    dice = Dice(1);
    for (number, opening) in (0..OPEN).zip([Opening::Call, Opening::Answer]) {
        link.open(channel(number), opening, &mut dice).expect("it is new");
    }
    while let [how, length, rest @ ..] = data {
        let (body, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        now += Duration::from_millis(u64::from(*length) * u64::from(*length));
        let mut bytes = Vec::new();
        wrap(*how, &mine, body, &mut bytes);
        for piece in bytes.chunks(link.receive_buffer().len()) {
            link.receive_buffer()[..piece.len()].copy_from_slice(piece);
            link.received(piece.len(), now);
        }
        answer(&mut link, &mut dice, now);
    }
}

/// Makes frames with a good checksum out of most of it, for few would find one.
fn wrap(how: u8, mine: &[Incarnation], body: &[u8], out: &mut Vec<u8>) {
    let number = how & 3;
    let theirs = Incarnation::from_bytes([0, 0, 0, how >> 2 & 1 | 2]);
    let own = mine.get(usize::from(number)).copied();
    let known = |count: usize| [Incarnation::bytes(theirs), Incarnation::bytes(own)][..count].concat();
    match (how >> 3 & 3, body.split_first(), theirs, own) {
        (1, Some((&flags, body)), ..) => {
            let known = known(usize::from(flags & 3).min(2));
            frame::emit(channel(number), 0x10 | flags & 0xf, Crc::new(), out, |out| {
                out.extend([&known, body].concat());
            });
        }
        (2, Some((&flags, body)), ..) => {
            frame::emit(channel(number), 0x20 | flags & 0xf, Crc::new(), out, |out| {
                out.extend([&Incarnation::bytes(own), &Incarnation::bytes(theirs)[..], body].concat());
            });
        }
        (3, Some((&flags, body)), Some(theirs), Some(own)) => {
            frame::emit(channel(number), flags & 0xf, seed(theirs, own), out, |out| out.extend_from_slice(body));
        }
        _ => out.extend_from_slice(body),
    }
}

/// What some user does.
fn answer(link: &mut Link, dice: &mut Dice, now: Duration) {
    while let Some(event) = link.poll_event() {
        match event {
            Event::Readable(channel) => {
                let count = link.readable(channel).len();
                link.consumed(channel, count);
                link.send(channel, &[7; 1000]);
            }
            Event::Finished(channel) => link.finish(channel),
            Event::Reset { channel, .. } => {
                link.open(channel, Opening::Answer, dice).expect("its reset was told");
            }
            Event::Connected(_) | Event::Nobody(_) | Event::Writable(_) => {}
        }
    }
    assert!(link.allocated() <= 2 * usize::from(OPEN) * 3 * MAX_LINE_WINDOW);
    for _ in 0..8 {
        while !link.transmit(now).is_empty() {
            let count = link.transmit(now).len();
            link.transmitted(count, now);
        }
        if link.deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        link.handle_timeout(now);
    }
    panic!("a timer stands still");
}

/// What happens to two links, four bytes for each event.
///
/// # Panics
/// Where a byte is lost, doubled, changed or out of order, or comes in another life than it was sent in.
pub fn pair(data: &[u8]) {
    let Some((&rate, data)) = data.split_first() else { return };
    let mut pair = Pair::new(
        [9600, 115_200, 1_000_000, 4_000_000][usize::from(rate & 3)],
        Duration::from_millis((rate >> 2).into()),
        3,
    );
    for op in data.chunks_exact(4).take(200) {
        pair.apply(operation([op[0], op[1], op[2], op[3]]));
    }
    pair.settle();
}

/// The event that four bytes stand for.
pub(super) fn operation([what, which, high, low]: [u8; 4]) -> Op {
    let side = if what & 0x80 == 0 { Side::Left } else { Side::Right };
    let (number, amount) = (which % 3, u16::from_be_bytes([high, low]));
    match what % 16 {
        // A stream says with its first eight bytes whose it is.
        0..=4 => Op::Send(side, number, amount % 0x2000 + 8),
        5..=9 => Op::Wait(amount % 0x800),
        10 => Op::Finish(side, number),
        11 => Op::Reset(side, number),
        12 => Op::Read(side, number, high & 1 == 0),
        13 => Op::Restart(side),
        14 => Op::Faults(Faults {
            flipped_bits: u32::from(which) * 4,
            dropped_bytes: u32::from(high) * 40,
            doubled_bytes: u32::from(low) * 40,
            bursts: u32::from(what & 0x70) * 10,
        }),
        _ => Op::Cut(which & 1 == 0),
    }
}

/// Members of a switch in [`switch`].
const MEMBERS: u8 = 3;

/// What a switch gets from the line and from members of which none is ours: pieces of two bytes, who says it and how, and how long it is,
/// and then its bytes.
///
/// # Panics
/// Where more is kept than may be, or a timer stands still.
pub fn switch(mut data: &[u8]) {
    let baud = Baud::new(115_200).expect("a rate");
    let mut switch = Switch::new(baud, Duration::ZERO);
    let mut members: Vec<_> = (0..MEMBERS).filter_map(|_| switch.join()).collect();
    let ends: Vec<_> = (1..=MEMBERS).filter_map(|end| Incarnation::from_bytes([0, 0, 0, end])).collect();
    let mut now = Duration::ZERO;
    while let [how, length, rest @ ..] = data {
        let (body, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        now += Duration::from_millis(u64::from(*length) * 8);
        let who = usize::from(how >> 5 & 3) % members.len();
        let mut bytes = Vec::new();
        if how & 4 == 0 {
            wrap(*how, &ends, body, &mut bytes);
        } else {
            cobs::encode(&[&[0xff], body].concat(), &mut bytes);
            bytes.push(0);
        }
        if how & 0x80 == 0 {
            for piece in bytes.chunks(switch.receive_buffer().len()) {
                switch.receive_buffer()[..piece.len()].copy_from_slice(piece);
                switch.received(piece.len(), now);
            }
        } else if switch.member_received(members[who], &bytes, now).is_err() {
            switch.leave(members[who]);
            members[who] = switch.join().expect("one has left");
        }
        attend(&mut switch, &members, how & 2 == 0, now);
    }
}

/// What the owner of a port does, where the members read or not.
fn attend(switch: &mut Switch, members: &[MemberId], is_reading: bool, now: Duration) {
    for &id in members {
        let count = switch.member_transmit(id).len();
        assert!(count <= 3 * MAX_MEMBER_BACKLOG);
        if is_reading {
            switch.member_transmitted(id, count);
        }
    }
    for _ in 0..100 {
        while !switch.transmit(now).is_empty() {
            let count = switch.transmit(now).len();
            switch.transmitted(count, now);
        }
        if switch.deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
    }
    panic!("a timer stands still");
}
