//! Two ports with those who share them, and the line between.

use super::super::{Member, MemberEvent, MemberId, Opening, Reason, Switch};
use super::wire::{Faults, Wire};
use super::{Dice, Side, channel};
use crate::options::Baud;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

/// The byte of a side's stream at a position.
fn byte(side: Side, position: usize) -> u8 {
    (position as u8).wrapping_mul(31).wrapping_add((position >> 8) as u8).wrapping_add(side as u8 * 7)
}

/// A member, its user, and where it sits.
#[derive(Debug)]
struct Seat {
    member: Member,
    id: MemberId,
    to_send: usize,
    sent: usize,
    got: usize,
    /// What comes is no stream of a test's, but is kept as it comes.
    is_text: bool,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Desk {
    switch: Switch,
    seats: BTreeMap<u8, Seat>,
    dice: Dice,
}

/// Two ports. What arrives is checked as it does.
#[derive(Debug)]
pub(in crate::serial) struct Net {
    baud: Baud,
    desks: [Desk; 2],
    wires: [Wire; 2],
    pub(in crate::serial) now: Duration,
    /// What members were told, beside data.
    pub(in crate::serial) events: Vec<(Side, u8, MemberEvent)>,
}

impl Net {
    pub(in crate::serial) fn new(baud: u32, latency: Duration) -> Self {
        let baud = Baud::new(baud).expect("a rate");
        let desk = |seed| Desk { switch: Switch::new(baud, Duration::ZERO), seats: BTreeMap::new(), dice: Dice(seed) };
        let wire = |seed| Wire::new(baud, latency, Dice(seed));
        Self { baud, desks: [desk(1), desk(2)], wires: [wire(3), wire(4)], now: Duration::ZERO, events: Vec::new() }
    }

    /// Somebody wants a channel: the left side calls, the right one answers.
    pub(in crate::serial) fn join(&mut self, side: Side, number: u8) {
        let (baud, now) = (self.baud, self.now);
        let Desk { switch, seats, dice } = &mut self.desks[side as usize];
        let opening = if side == Side::Left { Opening::Call } else { Opening::Answer };
        let mut member = Member::new(channel(number), baud, opening, now);
        member.open(dice).expect("it is new");
        member.attached(now);
        let id = switch.join().expect("there is room");
        seats.insert(number, Seat { member, id, to_send: 0, sent: 0, got: 0, is_text: false, text: Vec::new() });
    }

    /// A member's process dies.
    pub(in crate::serial) fn kill(&mut self, side: Side, number: u8) {
        let Desk { switch, seats, .. } = &mut self.desks[side as usize];
        if let Some(seat) = seats.remove(&number) {
            switch.leave(seat.id);
        }
    }

    /// The process with a side's port dies, and another of those there opens it.
    pub(in crate::serial) fn kill_switch(&mut self, side: Side) {
        let Desk { switch, seats, .. } = &mut self.desks[side as usize];
        *switch = Switch::new(self.baud, self.now);
        for seat in seats.values_mut() {
            seat.member.detached();
            seat.member.attached(self.now);
            seat.id = switch.join().expect("there is room");
        }
        // What was in the driver, either way.
        self.wires.iter_mut().for_each(Wire::clear);
    }

    pub(in crate::serial) fn send(&mut self, side: Side, number: u8, count: usize) {
        self.seat(side, number).to_send += count;
    }

    pub(in crate::serial) fn member(&mut self, side: Side, number: u8) -> &mut Member {
        &mut self.seat(side, number).member
    }

    fn seat(&mut self, side: Side, number: u8) -> &mut Seat {
        self.desks[side as usize].seats.get_mut(&number).expect("somebody there")
    }

    /// How many bytes of the other side's stream were read.
    pub(in crate::serial) fn got(&mut self, side: Side, number: u8) -> usize {
        self.seat(side, number).got
    }

    /// Has a user say something of its own.
    pub(in crate::serial) fn say(&mut self, side: Side, number: u8, bytes: &[u8]) {
        self.seat(side.other(), number).is_text = true;
        assert_eq!(self.seat(side, number).member.send(bytes), bytes.len());
    }

    /// What a plain debugger, or such a user, has said to a member, taken.
    pub(in crate::serial) fn heard(&mut self, side: Side, number: u8) -> Vec<u8> {
        core::mem::take(&mut self.seat(side, number).text)
    }

    pub(in crate::serial) fn switch(&mut self, side: Side) -> &mut Switch {
        &mut self.desks[side as usize].switch
    }

    pub(in crate::serial) fn faults(&mut self, faults: Faults) {
        self.wires.iter_mut().for_each(|wire| wire.faults = faults);
    }

    /// Puts bytes of nobody's on a side's way out.
    pub(in crate::serial) fn inject(&mut self, side: Side, bytes: &[u8]) {
        self.wires[side as usize].push(bytes, self.now);
    }

    /// How many bytes a side has put on the line.
    pub(in crate::serial) fn line_bytes(&self, side: Side) -> u64 {
        self.wires[side as usize].count
    }

    pub(in crate::serial) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(end, |_| false);
    }

    /// Lets time go by until something is so, at most so much. Whether it is.
    pub(in crate::serial) fn run_until(&mut self, end: Duration, mut is_done: impl FnMut(&mut Self) -> bool) -> bool {
        let mut at_once = 0;
        loop {
            for side in [Side::Left, Side::Right] {
                while self.pump(side) {}
            }
            if is_done(self) {
                return true;
            }
            let next = self.deadlines().min().filter(|next| *next <= end);
            let Some(next) = next else {
                self.now = end;
                return false;
            };
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 10_000, "time stands still");
            self.now = self.now.max(next);
            for side in [Side::Left, Side::Right] {
                self.step(side);
            }
        }
    }

    fn deadlines(&self) -> impl Iterator<Item = Duration> {
        let members = self.desks.iter().flat_map(|desk| desk.seats.values().filter_map(|seat| seat.member.deadline()));
        let switches = self.desks.iter().filter_map(|desk| desk.switch.deadline());
        members.chain(switches).chain(self.wires.iter().filter_map(Wire::next))
    }

    /// Lets bytes arrive and timers run at one side.
    fn step(&mut self, side: Side) {
        let now = self.now;
        let Desk { switch, seats, .. } = &mut self.desks[side as usize];
        while let Some(bytes) = self.wires[1 - side as usize].pop(now) {
            for piece in bytes.chunks(switch.receive_buffer().len()) {
                switch.receive_buffer()[..piece.len()].copy_from_slice(piece);
                switch.received(piece.len(), now);
            }
        }
        for seat in seats.values_mut() {
            if seat.member.deadline().is_some_and(|deadline| deadline <= now) {
                seat.member.handle_timeout(now);
            }
        }
    }

    /// Moves bytes between members, switch and line. Whether any moved.
    fn pump(&mut self, side: Side) -> bool {
        let now = self.now;
        let mut has_moved = false;
        let Self { desks, wires, events, .. } = self;
        let Desk { switch, seats, dice } = &mut desks[side as usize];
        for (number, seat) in seats.iter_mut() {
            seat.live(side, *number, dice, events);
            let bytes = seat.member.transmit(now).to_vec();
            seat.member.transmitted(bytes.len());
            switch.member_received(seat.id, &bytes, now).expect("our members behave");
            let answer = switch.member_transmit(seat.id).to_vec();
            switch.member_transmitted(seat.id, answer.len());
            for piece in answer.chunks(1000) {
                seat.member.receive_buffer()[..piece.len()].copy_from_slice(piece);
                seat.member.received(piece.len(), now);
            }
            has_moved |= !bytes.is_empty() || !answer.is_empty();
        }
        let bytes = switch.transmit(now).to_vec();
        switch.transmitted(bytes.len(), now);
        wires[side as usize].push(&bytes, now);
        has_moved || !bytes.is_empty()
    }
}

impl Seat {
    /// The user does what it can.
    fn live(&mut self, side: Side, number: u8, dice: &mut Dice, events: &mut Vec<(Side, u8, MemberEvent)>) {
        while let Some(event) = self.member.poll_event() {
            match event {
                MemberEvent::Readable | MemberEvent::Writable => continue,
                MemberEvent::Begun => (self.sent, self.got) = (0, 0),
                MemberEvent::Over(reason) => assert!(!matches!(reason, Some(Reason::Broken(_))), "{reason:?}"),
                _ => {}
            }
            events.push((side, number, event));
        }
        if !self.member.is_open() {
            self.member.open(dice).expect("it is over");
        }
        while !self.member.readable().is_empty() {
            self.read(side);
        }
        let bytes: Vec<u8> = (self.sent..self.to_send.min(self.sent + 4096)).map(|at| byte(side, at)).collect();
        self.sent += self.member.send(&bytes);
    }

    fn read(&mut self, side: Side) {
        let bytes = self.member.readable();
        let count = bytes.len();
        if self.is_text || self.member.is_plain() {
            self.text.extend_from_slice(bytes);
        } else {
            for (at, came) in bytes.iter().enumerate() {
                assert_eq!(*came, byte(side.other(), self.got + at), "position {}", self.got + at);
            }
            self.got += count;
        }
        self.member.consumed(count);
    }
}
