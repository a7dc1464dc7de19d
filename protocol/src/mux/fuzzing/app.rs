//! A caller of one mux, and what it knows of its channels.

use super::super::{Channel, Code, Event, Kind, Mux, Role};
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

/// What both callers did in one life, by the side that sends (client, server).
#[derive(Debug, Default)]
pub(crate) struct Record {
    sent: [usize; 2],
    received: [usize; 2],
    finished: [bool; 2],
    told: [bool; 2],
    /// Somebody gave it up: bytes may be lost.
    broken: bool,
}

impl Record {
    /// All that was sent has come, where nobody gave the channel up.
    pub(super) fn assert_complete(&self) {
        if !self.broken {
            assert_eq!(self.sent, self.received);
            assert_eq!(self.finished, self.told);
        }
    }
}

/// What one side knows of an open channel.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Index of its record.
    life: usize,
    /// Whether it waits for this side's answer.
    undecided: bool,
    /// Room was announced or never denied.
    writable: bool,
}

/// A mux and its caller.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) mux: Mux,
    /// 0 for the client, 1 for the server.
    side: usize,
    channels: BTreeMap<Channel, Known>,
}

impl App {
    pub(super) fn new(role: Role) -> Self {
        let control = Known { life: 0, undecided: false, writable: true };
        Self {
            mux: Mux::new(role),
            side: usize::from(role == Role::Server),
            channels: BTreeMap::from([(Channel::CONTROL, control)]),
        }
    }

    /// One of its channels.
    pub(super) fn pick(&self, choice: u8) -> Channel {
        *self.channels.keys().nth(usize::from(choice) % self.channels.len()).expect("control is always there")
    }

    pub(super) fn channels(&self) -> Vec<Channel> {
        self.channels.keys().copied().collect()
    }

    pub(super) fn open(&mut self, records: &mut Vec<Record>) {
        let life = records.len();
        match self.mux.open(Kind::Debug, &life.to_string()) {
            Ok(channel) => {
                records.push(Record::default());
                let known = Known { life, undecided: false, writable: true };
                assert!(self.channels.insert(channel, known).is_none(), "{channel} is open already");
            }
            Err(_) => assert!(self.side == 1 || !self.mux.is_idle()),
        }
    }

    pub(super) fn decide(&mut self, channel: Channel, accept: bool, records: &mut [Record]) {
        let known = self.channels.get_mut(&channel).expect("picked");
        if !known.undecided {
            return;
        }
        known.undecided = false;
        if accept {
            self.mux.accept(channel);
        } else {
            records[known.life].broken = true;
            self.mux.refuse(channel, Code::Busy, "no room");
            self.channels.remove(&channel);
        }
    }

    pub(super) fn send(&mut self, channel: Channel, count: usize, records: &mut [Record]) {
        let known = self.channels.get_mut(&channel).expect("picked");
        let record = &mut records[known.life];
        let at = record.sent[self.side];
        let bytes: Vec<u8> = (at..at + count).map(|at| pattern(known.life, self.side, at)).collect();
        let room = self.mux.writable(channel);
        let taken = self.mux.send(channel, &bytes);
        assert_eq!(taken, count.min(room));
        assert!(taken == 0 || !(record.finished[self.side] || known.undecided));
        record.sent[self.side] += taken;
        known.writable = taken == count;
    }

    pub(super) fn consume(&mut self, channel: Channel, most: usize, records: &mut [Record]) -> bool {
        let life = self.channels[&channel].life;
        let record = &mut records[life];
        let at = &mut record.received[1 - self.side];
        let readable = self.mux.readable(channel);
        let count = readable.len().min(most);
        for byte in &readable[..count] {
            assert_eq!(*byte, pattern(life, 1 - self.side, *at), "byte {at} of life {life}");
            *at += 1;
        }
        self.mux.consumed(channel, count);
        count > 0
    }

    pub(super) fn finish(&mut self, channel: Channel, records: &mut [Record]) {
        let Known { life, undecided, .. } = self.channels[&channel];
        if channel != Channel::CONTROL && !undecided {
            records[life].finished[self.side] = true;
            self.mux.finish(channel);
            self.forget_if_over(channel, records);
        }
    }

    pub(super) fn reset(&mut self, channel: Channel, records: &mut [Record]) {
        if channel != Channel::CONTROL {
            records[self.channels[&channel].life].broken = true;
            self.mux.reset(channel, Code::Cancelled, "enough");
            self.channels.remove(&channel);
            assert!(!self.mux.is_open(channel));
        }
    }

    /// Takes one event.
    pub(super) fn poll(&mut self, records: &mut [Record]) -> bool {
        let Some(event) = self.mux.poll_event() else {
            return false;
        };
        match event {
            Event::Opened { channel, kind, label } => {
                assert_eq!((kind, self.side), (Kind::Debug, 1));
                let life = label.parse().expect("a life's index");
                let known = Known { life, undecided: true, writable: true };
                assert!(self.channels.insert(channel, known).is_none(), "{channel} is open already");
            }
            Event::Accepted(channel) => assert!(self.side == 0 && self.channels.contains_key(&channel)),
            Event::Readable(channel) => {
                assert!(self.channels.contains_key(&channel) && !self.mux.readable(channel).is_empty());
            }
            Event::Writable(channel) => {
                let known = self.channels.get_mut(&channel).expect("open");
                assert!(!known.writable && self.mux.writable(channel) > 0);
                known.writable = true;
            }
            Event::Finished(channel) => {
                let record = &mut records[self.channels[&channel].life];
                assert!(record.broken || record.received[1 - self.side] == record.sent[1 - self.side]);
                record.told[1 - self.side] = true;
                self.forget_if_over(channel, records);
            }
            Event::Refused { channel, .. } | Event::Reset { channel, .. } => {
                // It may be over for this caller, with data of it still under way.
                if let Some(known) = self.channels.remove(&channel) {
                    assert!(records[known.life].broken);
                }
            }
        }
        true
    }

    fn forget_if_over(&mut self, channel: Channel, records: &[Record]) {
        let record = &records[self.channels[&channel].life];
        if record.finished[self.side] && record.told[1 - self.side] {
            self.channels.remove(&channel);
        }
    }
}

/// The byte at a place of a life's stream, which is not to be mistaken for any other's.
fn pattern(life: usize, side: usize, at: usize) -> u8 {
    (life.wrapping_mul(31) ^ side.wrapping_mul(127) ^ at ^ (at >> 8)) as u8
}
