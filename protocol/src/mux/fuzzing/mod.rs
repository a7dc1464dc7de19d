//! The body of the fuzz target `mux_ops`; the unit tests run it on random bytes.

mod app;
mod pair;

use super::{Channel, Code, Event, Kind, Mux, MuxError, Role};
use crate::limits::{MAX_CHANNEL_TEXT, MAX_SEND_BUFFER, MAX_WINDOWS};
use alloc::vec::Vec;
pub(super) use pair::Pair;

/// Two muxes that talk to each other, or one and a peer that says anything.
///
/// # Panics
/// Where bytes of a channel are lost, doubled or reach another life of its number, where something is left in the end, and
/// where a peer can make a mux hold more than it may.
pub fn mux_ops(data: &[u8]) {
    match data {
        [b'c', script @ ..] => hostile(Role::Client, script),
        [b's', script @ ..] => hostile(Role::Server, script),
        script => {
            let mut pair = Pair::new();
            for step in script.chunks_exact(3) {
                pair.step([step[0], step[1], step[2]]);
            }
            pair.settle();
        }
    }
}

/// A mux of which `script` is the peer.
fn hostile(role: Role, mut script: &[u8]) {
    let mut mux = Mux::new(role);
    for label in ["one", "two", "three"] {
        if let Ok(channel) = mux.open(Kind::Debug, label) {
            mux.send(channel, label.as_bytes());
        }
    }
    let mut frame = Vec::new();
    while let [length, rest @ ..] = script {
        frame.clear();
        script = match (length.checked_sub(0x80), rest) {
            // Much data in few bytes of script.
            (Some(size), [channel, rest @ ..]) => {
                frame.extend_from_slice(&[*channel, 4]);
                frame.resize(2 + 256 * (1 + usize::from(size)), b'x');
                rest
            }
            _ => {
                let (taken, rest) = rest.split_at(rest.len().min((*length).into()));
                frame.extend_from_slice(taken);
                rest
            }
        };
        if answer(&mut mux, &frame).is_err() {
            return;
        }
        assert!(mux.allocated() <= MAX_WINDOWS + Channel::COUNT * MAX_SEND_BUFFER);
    }
}

/// What some caller does with a frame of its peer; the empty frame stands for its reading and writing all there is.
fn answer(mux: &mut Mux, frame: &[u8]) -> Result<(), MuxError> {
    if !frame.is_empty() {
        return mux.received(frame);
    }
    let mut out = Vec::new();
    while mux.write_frame(&mut out) {
        out.clear();
    }
    while let Some(event) = mux.poll_event() {
        match event {
            Event::Opened { channel, kind: Kind::Debug, label } => {
                assert!(label.len() <= MAX_CHANNEL_TEXT);
                mux.accept(channel);
                mux.send(channel, b"hello");
            }
            Event::Opened { channel, .. } => mux.refuse(channel, Code::UnknownKind, "what is that"),
            Event::Readable(channel) => {
                let count = mux.readable(channel).len();
                mux.consumed(channel, count);
            }
            Event::Finished(channel) => mux.finish(channel),
            Event::Accepted(_) | Event::Refused { .. } | Event::Writable(_) | Event::Reset { .. } => {}
        }
    }
    Ok(())
}
