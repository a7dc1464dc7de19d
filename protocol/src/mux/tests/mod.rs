//! The mux: lives of channels, credit, turns, breaches.

mod breach;
mod credit;
mod life;
mod model;
mod turns;
mod vectors;

use super::{Channel, Event, Kind, Mux, Role};
use std::vec::Vec;

/// A client and a server.
fn pair() -> (Mux, Mux) {
    (Mux::new(Role::Client), Mux::new(Role::Server))
}

/// A client and a server, and `count` channels that are open on both.
fn open_pair(count: usize) -> (Mux, Mux, Vec<Channel>) {
    let (mut client, mut server) = pair();
    let channels = (0..count).map(|_| client.open(Kind::Debug, "test").unwrap()).collect();
    carry(&mut client, &mut server);
    for event in events(&mut server) {
        let Event::Opened { channel, .. } = event else { panic!("{event:?}") };
        server.accept(channel);
    }
    carry(&mut server, &mut client);
    assert_eq!(events(&mut client).len(), count);
    (client, server, channels)
}

/// The next frame.
fn frame(mux: &mut Mux) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    mux.write_frame(&mut out).then_some(out)
}

/// Hands all frames of one over to the other, and says how many there were.
fn carry(from: &mut Mux, to: &mut Mux) -> usize {
    let mut count = 0;
    while let Some(frame) = frame(from) {
        to.received(&frame).unwrap();
        count += 1;
    }
    count
}

/// Hands frames to and fro until there are none.
fn exchange(one: &mut Mux, other: &mut Mux) {
    while carry(one, other) + carry(other, one) > 0 {}
}

fn events(mux: &mut Mux) -> Vec<Event> {
    core::iter::from_fn(|| mux.poll_event()).collect()
}

/// Reads all there is.
fn drain(mux: &mut Mux, channel: Channel) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !mux.readable(channel).is_empty() {
        let piece = mux.readable(channel).to_vec();
        mux.consumed(channel, piece.len());
        bytes.extend(piece);
    }
    bytes
}
