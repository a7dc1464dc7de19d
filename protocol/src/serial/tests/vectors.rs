//! The test vectors of the specification.

use super::super::testing::channel;
use super::super::{Event, Link, Opening};
use crate::options::{Baud, Channel};
use crate::rsp::packet::hex;
use crate::session::Random;
use core::time::Duration;
use std::format;
use std::string::String;
use std::vec::Vec;

const VECTORS: &str = include_str!("../../../../docs/vectors/serial.txt");

/// Every second number.
struct Counter(u32);

impl Random for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.to_be_bytes());
        self.0 += 2;
    }
}

struct End {
    link: Link,
    random: Counter,
}

/// The two sides of one scenario.
struct Scenario {
    left: End,
    right: End,
    now: Duration,
}

impl Scenario {
    fn new() -> Self {
        let end = |first| End { link: Link::new(Baud::new(115_200).unwrap(), Duration::ZERO), random: Counter(first) };
        Self { left: end(1), right: end(2), now: Duration::ZERO }
    }

    /// Does what one line says.
    fn step(&mut self, line: &str) {
        // So that the line is idle before each frame.
        self.now += Duration::from_millis(20);
        let now = self.now;
        let words: Vec<&str> = line.split(' ').collect();
        let (from, to) = match words[0] {
            "left" => (&mut self.left, &mut self.right),
            "right" => (&mut self.right, &mut self.left),
            _ => panic!("{line}"),
        };
        match words[1..] {
            ["sends", digits] => take(&mut to.link, &sends(&mut from.link, digits, now), now),
            ["loses", digits] => _ = sends(&mut from.link, digits, now),
            ["takes", digits] => take(&mut from.link, &from_hex(digits), now),
            ["silent"] => assert_eq!(from.link.transmit(now), b"", "{line}"),
            ["told", ..] => assert_eq!(told(from.link.poll_event().expect(line)), words[2..].join(" "), "{line}"),
            [call, number, ref rest @ ..] => from.call(call, channel(number.parse().expect(line)), &rest.join(" ")),
            _ => panic!("{line}"),
        }
    }
}

impl End {
    fn call(&mut self, call: &str, channel: Channel, rest: &str) {
        let Self { link, random } = self;
        match call {
            "call" => link.open(channel, Opening::Call, random).unwrap(),
            "answer" => link.open(channel, Opening::Answer, random).unwrap(),
            "send" => assert_eq!(link.send(channel, rest.as_bytes()), rest.len()),
            "read" => link.consumed(channel, rest.parse().unwrap()),
            "finish" => link.finish(channel),
            "reset" => link.reset(channel),
            _ => panic!("{call}"),
        }
    }
}

fn from_hex(digits: &str) -> Vec<u8> {
    hex::decode_in_place(&mut Vec::from(digits)).expect(digits).to_vec()
}

fn sends(link: &mut Link, digits: &str, now: Duration) -> Vec<u8> {
    let bytes = link.transmit(now).to_vec();
    link.transmitted(bytes.len(), now);
    assert_eq!(bytes, from_hex(digits));
    bytes
}

fn take(link: &mut Link, bytes: &[u8], now: Duration) {
    link.receive_buffer()[..bytes.len()].copy_from_slice(bytes);
    link.received(bytes.len(), now);
}

fn told(event: Event) -> String {
    match event {
        Event::Connected(channel) => format!("connected {channel}"),
        Event::Nobody(channel) => format!("nobody {channel}"),
        Event::Readable(channel) => format!("readable {channel}"),
        Event::Writable(channel) => format!("writable {channel}"),
        Event::Finished(channel) => format!("finished {channel}"),
        Event::Reset { channel, reason } => format!("reset {channel} {reason}"),
    }
}

#[test]
fn the_vectors_of_the_specification_hold() {
    let mut scenario = Scenario::new();
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        if line.is_empty() {
            scenario = Scenario::new();
        } else {
            scenario.step(line);
        }
    }
}
