//! Two links and what happens to them.

use super::super::{Event, Link, Opening};
use super::user::User;
use super::wire::{Faults, Wire};
use super::{Dice, channel};
use crate::limits::{LINE_KEEP_ALIVE, MAX_LINE_WINDOW};
use crate::options::Baud;
use crate::serial::Reason;
use alloc::collections::BTreeMap;
use core::time::Duration;

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::serial) enum Side {
    /// Calls.
    Left,
    /// Answers.
    Right,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub(in crate::serial) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// What can happen.
#[derive(Clone, Copy, Debug)]
pub(in crate::serial) enum Op {
    /// A user has so many bytes more to send.
    Send(Side, u8, u16),
    Finish(Side, u8),
    /// A user resets, and begins again.
    Reset(Side, u8),
    /// A user reads, or no longer does.
    Read(Side, u8, bool),
    /// A process ends and another begins.
    Restart(Side),
    /// So many milliseconds go by.
    Wait(u16),
    Faults(Faults),
    Cut(bool),
}

#[derive(Debug)]
struct End {
    link: Link,
    users: BTreeMap<u8, User>,
    dice: Dice,
}

/// Two links. What arrives is checked as it does.
#[derive(Debug)]
pub(in crate::serial) struct Pair {
    baud: Baud,
    ends: [End; 2],
    wires: [Wire; 2],
    pub(in crate::serial) now: Duration,
    /// Channels of both sides that were reset by the other.
    pub(in crate::serial) resets: usize,
    tags: u64,
}

impl Pair {
    /// Two links on a line of this rate, and so many channels open on both.
    pub(in crate::serial) fn new(baud: u32, latency: Duration, channels: u8) -> Self {
        let baud = Baud::new(baud).expect("a rate");
        let end = |seed| End { link: Link::new(baud, Duration::ZERO), users: BTreeMap::new(), dice: Dice(seed) };
        let wire = |seed| Wire::new(baud, latency, Dice(seed));
        let mut pair =
            Self { baud, ends: [end(1), end(2)], wires: [wire(3), wire(4)], now: Duration::ZERO, resets: 0, tags: 0 };
        for side in Side::BOTH {
            (0..channels).for_each(|number| pair.open(side, number));
        }
        pair
    }

    fn open(&mut self, side: Side, number: u8) {
        self.tags += 1;
        let is_reading = self.ends[side as usize].users.get(&number).is_none_or(|user| user.is_reading);
        let End { link, users, dice } = &mut self.ends[side as usize];
        let opening = if side == Side::Left { Opening::Call } else { Opening::Answer };
        link.open(channel(number), opening, dice).expect("its last life is over");
        users.insert(
            number,
            User::new(channel(number), self.tags << 8 | u64::from(number) << 1 | side as u64, is_reading),
        );
    }

    fn user(&mut self, side: Side, number: u8) -> Option<&mut User> {
        self.ends[side as usize].users.get_mut(&number)
    }

    /// How many bytes of the other's stream a user has read.
    #[cfg(test)]
    pub(in crate::serial) fn got(&mut self, side: Side, number: u8) -> usize {
        self.user(side, number).map_or(0, |user| user.got)
    }

    /// How many bytes a side has put on the line.
    #[cfg(test)]
    pub(in crate::serial) fn line_bytes(&self, side: Side) -> u64 {
        self.wires[side as usize].count
    }

    pub(in crate::serial) fn link(&mut self, side: Side) -> &mut Link {
        &mut self.ends[side as usize].link
    }

    pub(in crate::serial) fn apply(&mut self, op: Op) {
        match op {
            Op::Send(side, number, count) => self.send(side, number, count.into()),
            Op::Finish(side, number) => self.user(side, number).into_iter().for_each(|user| user.finishes = true),
            Op::Reset(side, number) => {
                if self.user(side, number).is_some() {
                    self.link(side).reset(channel(number));
                    self.open(side, number);
                }
            }
            Op::Read(side, number, reads) => {
                self.user(side, number).into_iter().for_each(|user| user.is_reading = reads);
            }
            Op::Restart(side) => self.restart(side),
            Op::Wait(milliseconds) => self.run(Duration::from_millis(milliseconds.into())),
            Op::Faults(faults) => self.wires.iter_mut().for_each(|wire| wire.faults = faults),
            Op::Cut(is_cut) => {
                for wire in &mut self.wires {
                    wire.is_cut = is_cut;
                    wire.clear();
                }
            }
        }
    }

    /// A user has so many bytes more to send.
    pub(in crate::serial) fn send(&mut self, side: Side, number: u8, count: usize) {
        if let Some(user) = self.user(side, number).filter(|user| !user.finishes) {
            user.to_send += count;
        }
    }

    fn restart(&mut self, side: Side) {
        let (baud, now) = (self.baud, self.now);
        let numbers = self.ends[side as usize].users.len() as u8;
        self.ends[side as usize].link = Link::new(baud, now);
        (0..numbers).for_each(|number| self.open(side, number));
    }

    /// Lets time go by.
    pub(in crate::serial) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(end, |_| false);
    }

    /// Lets time go by until something is so, at most so much. Whether it is.
    pub(in crate::serial) fn run_until(&mut self, end: Duration, mut is_done: impl FnMut(&mut Self) -> bool) -> bool {
        let mut at_once = 0;
        loop {
            for side in Side::BOTH {
                self.pump(side);
            }
            if is_done(self) {
                return true;
            }
            let deadlines = self.ends.iter().filter_map(|end| end.link.deadline());
            let next = deadlines.chain(self.wires.iter().filter_map(Wire::next)).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 10_000, "time stands still");
            self.now = self.now.max(next);
            for side in Side::BOTH {
                self.step(side);
            }
        }
    }

    /// Lets bytes arrive and timers run at one side.
    fn step(&mut self, side: Side) {
        let now = self.now;
        let link = &mut self.ends[side as usize].link;
        while let Some(bytes) = self.wires[1 - side as usize].pop(now) {
            for piece in bytes.chunks(link.receive_buffer().len()) {
                link.receive_buffer()[..piece.len()].copy_from_slice(piece);
                link.received(piece.len(), now);
            }
        }
        if link.deadline().is_some_and(|deadline| deadline <= now) {
            link.handle_timeout(now);
        }
    }

    /// Lets a side's users do what they want, and puts on the line what it takes.
    fn pump(&mut self, side: Side) {
        while let Some(event) = self.link(side).poll_event() {
            self.told(side, event);
        }
        for number in 0..self.ends[side as usize].users.len() as u8 {
            if !self.link(side).is_open(channel(number)) {
                self.open(side, number);
            }
        }
        let End { link, users, .. } = &mut self.ends[side as usize];
        for user in users.values_mut() {
            user.read(link);
            user.write(link);
        }
        while let Some(event) = self.link(side).poll_event() {
            self.told(side, event);
        }
        let Self { ends, wires, now, .. } = self;
        let link = &mut ends[side as usize].link;
        let most = 2 * (MAX_LINE_WINDOW + 2 * MAX_LINE_WINDOW) * ends[side as usize].users.len();
        assert!(link.allocated() <= most);
        while !link.transmit(*now).is_empty() {
            let bytes = link.transmit(*now);
            wires[side as usize].push(bytes, *now);
            let count = bytes.len();
            link.transmitted(count, *now);
        }
    }

    fn told(&mut self, side: Side, event: Event) {
        match event {
            Event::Finished(channel) => {
                let Some(user) = self.user(side, channel.get()) else { return };
                user.is_finished = true;
                let (tag, got) = (user.their_tag(), user.got);
                let other = self.user(side.other(), channel.get());
                if let Some(other) = other.filter(|other| Some(other.tag()) == tag) {
                    assert_eq!(got, other.sent, "all that was sent came before the end");
                }
            }
            Event::Reset { reason, .. } => {
                assert!(!matches!(reason, Reason::Broken(_)), "{reason}");
                self.resets += 1;
            }
            Event::Connected(_) | Event::Nobody(_) | Event::Readable(_) | Event::Writable(_) => {}
        }
    }

    /// The line becomes good, everybody reads, and what was sent arrives.
    pub(in crate::serial) fn settle(&mut self) {
        self.apply(Op::Cut(false));
        self.apply(Op::Faults(Faults::default()));
        let numbers = 0..self.ends[0].users.len() as u8;
        for side in Side::BOTH {
            for number in numbers.clone() {
                self.apply(Op::Read(side, number, true));
                // Whoever says something learns whether the other is still there.
                self.send(side, number, 16);
            }
        }
        let end = self.now + 4 * LINE_KEEP_ALIVE + Duration::from_mins(2);
        let is_settled = self.run_until(end, |pair| numbers.clone().all(|number| pair.is_settled(number)));
        assert!(is_settled, "{:#?}", self.ends.each_ref().map(|end| &end.users));
    }

    /// Whether each end of a channel has all that the other sent.
    fn is_settled(&self, number: u8) -> bool {
        let [left, right] = self.ends.each_ref().map(|end| &end.users[&number]);
        let has_all = |from: &User, to: &User| {
            from.sent == from.to_send
                && (from.sent == 0 || to.their_tag() == Some(from.tag()))
                && to.got == from.sent
                && (!from.finishes || to.is_finished || from.sent == 0)
        };
        has_all(left, right) && has_all(right, left)
    }
}
