//! The test vectors of the specification.

use super::super::{Channel, Code, Kind, Mux, Role};
use super::{events, frame};
use crate::rsp::packet::hex;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

const VECTORS: &str = include_str!("../../../../docs/vectors/mux.txt");

fn from_hex(digits: &str) -> Vec<u8> {
    hex::decode_in_place(&mut Vec::from(digits)).expect(digits).to_vec()
}

/// The two sides of one scenario.
struct Scenario {
    client: Mux,
    server: Mux,
}

impl Scenario {
    fn new() -> Self {
        Self { client: Mux::new(Role::Client), server: Mux::new(Role::Server) }
    }

    /// Does what one line says.
    fn step(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let (from, to) = match words[0] {
            "client" => (&mut self.client, &mut self.server),
            "server" => (&mut self.server, &mut self.client),
            _ => panic!("{line}"),
        };
        match words[1..] {
            ["frame", digits] => {
                let bytes = frame(from).expect(line);
                assert_eq!(bytes, from_hex(digits), "{line}");
                to.received(&bytes).expect(line);
                events(to);
            }
            ["frames", count] => {
                for _ in 0..count.parse().expect(line) {
                    to.received(&frame(from).expect(line)).expect(line);
                }
            }
            ["silent"] => assert_eq!(frame(from), None, "{line}"),
            ["breaks", digits, ..] => {
                let error = to.received(&from_hex(digits)).expect_err(line);
                assert_eq!(error.to_string(), words[3..].join(" "), "{line}");
            }
            [call, channel, ..] => {
                let channel = Channel::new(channel.parse().expect(line)).expect(line);
                Self::call(from, call, channel, &words[3..]);
            }
            _ => panic!("{line}"),
        }
    }

    fn call(mux: &mut Mux, call: &str, channel: Channel, rest: &[&str]) {
        match (call, rest) {
            ("open", label) => assert_eq!(mux.open(Kind::Debug, &label.join(" ")), Ok(channel)),
            ("accept", []) => mux.accept(channel),
            ("refuse", text) => mux.refuse(channel, Code::Busy, &text.join(" ")),
            ("send", text) => assert!(mux.send(channel, text.join(" ").as_bytes()) > 0),
            ("fill", [count]) => {
                let bytes = vec![b'x'; count.parse().unwrap()];
                assert_eq!(mux.send(channel, &bytes), bytes.len());
            }
            ("read", [count]) => mux.consumed(channel, count.parse().unwrap()),
            ("finish", []) => mux.finish(channel),
            ("reset", text) => mux.reset(channel, Code::Cancelled, &text.join(" ")),
            _ => panic!("{call} {rest:?}"),
        }
        events(mux);
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
