//! Two muxes and a hostile peer under operations at random; see [`fuzzing`](super::super::fuzzing) for what is checked.

use super::super::fuzzing::{Pair, mux_ops};
use proptest::prelude::*;
use std::vec::Vec;

proptest! {
    #[test]
    fn bytes_arrive_in_order_once_and_in_their_own_life_whatever_is_done_when(
        steps in prop::collection::vec(any::<[u8; 3]>(), 0..600),
    ) {
        let mut pair = Pair::new();
        for step in steps {
            pair.step(step);
        }
        pair.settle();
    }

    #[test]
    fn no_peer_breaks_a_mux(role in prop::sample::select(&b"cs"[..]), frames: Vec<(u8, u8, Vec<u8>)>) {
        let mut script = Vec::from([role]);
        for (channel, kind, body) in frames {
            let frame = [&[channel % 5, kind % 11], &body[..]].concat();
            script.push((frame.len() % 0x80) as u8);
            script.extend(frame);
        }
        mux_ops(&script);
    }
}
