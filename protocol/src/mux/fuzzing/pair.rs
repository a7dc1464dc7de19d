//! A client's and a server's mux with queues between them that deliver when they are told to.

use super::super::Role;
use super::app::{App, Record};
use crate::limits::{MAX_MESSAGE, MAX_SEND_BUFFER, MAX_WINDOWS};
use crate::mux::Channel;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Both sides, and the frames under way from each.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) apps: [App; 2],
    wires: [VecDeque<Vec<u8>>; 2],
    records: Vec<Record>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let apps = [App::new(Role::Client), App::new(Role::Server)];
        Self { apps, wires: [VecDeque::new(), VecDeque::new()], records: Vec::from([Record::default()]) }
    }

    /// Does what three bytes say: what and on which side, on which channel, how much.
    pub(crate) fn step(&mut self, [what, which, amount]: [u8; 3]) {
        let side = usize::from(what & 1);
        let amount = usize::from(amount);
        let Self { apps, records, .. } = self;
        let app = &mut apps[side];
        let channel = app.pick(which);
        match what / 2 % 10 {
            0 => app.open(records),
            1 => app.decide(channel, amount < 0xc0, records),
            2 => app.send(channel, 4 * amount * amount, records),
            3 => app.send(channel, amount, records),
            4 => _ = app.consume(channel, 4 * amount * amount, records),
            5 => app.finish(channel, records),
            6 => app.reset(channel, records),
            7 => _ = (0..amount).all(|_| app.poll(records)),
            8 => _ = (0..=amount).all(|_| self.transmit(side)),
            _ => _ = (0..=amount).all(|_| self.deliver(side)),
        }
        self.assert_bounded();
    }

    /// Puts one frame of `side` on its way.
    pub(crate) fn transmit(&mut self, side: usize) -> bool {
        let mut frame = Vec::new();
        let written = self.apps[side].mux.write_frame(&mut frame);
        if written {
            assert!((2..=MAX_MESSAGE).contains(&frame.len()));
            self.wires[side].push_back(frame);
        }
        written
    }

    /// Hands one frame of `side` to the other.
    pub(crate) fn deliver(&mut self, side: usize) -> bool {
        let Some(frame) = self.wires[side].pop_front() else {
            return false;
        };
        self.apps[1 - side].mux.received(&frame).expect("no side breaks the protocol");
        true
    }

    /// Lets everything come to rest, with callers that accept and read everything.
    fn rest(&mut self) {
        let mut busy = true;
        while busy {
            busy = false;
            for side in [0, 1] {
                while self.transmit(side) || self.deliver(side) {
                    busy = true;
                }
                let app = &mut self.apps[side];
                while app.poll(&mut self.records) {
                    busy = true;
                }
                for channel in app.channels() {
                    app.decide(channel, true, &mut self.records);
                    busy |= app.consume(channel, usize::MAX, &mut self.records);
                }
            }
        }
    }

    /// Ends all channels in good order.
    ///
    /// # Panics
    /// If something was lost or is left.
    pub(crate) fn settle(&mut self) {
        self.rest();
        for app in &mut self.apps {
            for channel in app.channels() {
                app.finish(channel, &mut self.records);
            }
        }
        self.rest();
        self.records.iter().for_each(Record::assert_complete);
        for app in &self.apps {
            assert_eq!(app.channels(), [Channel::CONTROL]);
            assert!(app.mux.is_idle(), "{:?}", app.mux);
        }
    }

    fn assert_bounded(&self) {
        for app in &self.apps {
            assert!(app.mux.allocated() <= MAX_WINDOWS + Channel::COUNT * MAX_SEND_BUFFER);
        }
    }
}
