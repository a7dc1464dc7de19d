//! Two links under operations at random; see [`testing`](super::super::testing) for what is checked.

use super::super::fuzzing::{link, operation, switch};
use super::super::testing::Pair;
use core::time::Duration;
use proptest::prelude::*;
use std::vec::Vec;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn streams_arrive_whole_and_in_their_own_life_whatever_happens_when(
        baud in prop::sample::select(&[9600_u32, 115_200, 4_000_000][..]),
        latency in 0_u64..200,
        steps in prop::collection::vec(any::<[u8; 4]>(), 0..60),
    ) {
        let mut pair = Pair::new(baud, Duration::from_millis(latency), 3);
        for step in steps {
            pair.apply(operation(step));
        }
        pair.settle();
    }

    #[test]
    fn no_peer_breaks_a_link(pieces: Vec<(u8, Vec<u8>)>) {
        let mut script = Vec::new();
        for (how, body) in pieces {
            script.extend([how, body.len() as u8]);
            script.extend(body);
        }
        link(&script);
    }

    #[test]
    fn no_member_and_no_line_breaks_a_switch(pieces: Vec<(u8, Vec<u8>)>) {
        let mut script = Vec::new();
        for (how, body) in pieces {
            script.extend([how, body.len() as u8]);
            script.extend(body);
        }
        switch(&script);
    }
}
