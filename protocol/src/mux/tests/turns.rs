//! Whose frame is next.

use super::super::Code;
use super::super::frame::{Frame, MAX_DATA};
use super::{Channel, carry, drain, events, exchange, frame, open_pair};
use crate::limits::{INITIAL_WINDOW, MAX_MESSAGE, MAX_SEND_BUFFER};
use std::vec;
use std::vec::Vec;

#[test]
fn channels_take_turns_frame_by_frame() {
    let (mut client, _, channels) = open_pair(3);
    for channel in &channels {
        client.send(*channel, &vec![1; 2 * MAX_DATA]);
    }
    // One that comes later with little waits for one frame of each of the others.
    let order: Vec<Channel> = (0..2).map(|_| channel_of(&frame(&mut client).unwrap())).collect();
    client.send(Channel::CONTROL, b"ask");
    let rest: Vec<Channel> = core::iter::from_fn(|| frame(&mut client)).map(|frame| channel_of(&frame)).collect();
    let [one, two, three] = channels[..] else { panic!("{channels:?}") };
    assert_eq!((order, rest), (vec![one, two], vec![three, one, two, Channel::CONTROL, three]));
}

fn channel_of(frame: &[u8]) -> Channel {
    assert!(frame.len() <= MAX_MESSAGE);
    Frame::parse(frame).unwrap().0
}

#[test]
fn frames_without_data_go_first() {
    let (mut client, mut server, channels) = open_pair(2);
    client.send(channels[0], &vec![1; MAX_SEND_BUFFER]);
    client.reset(channels[1], Code::Cancelled, "");
    let first = frame(&mut client).unwrap();
    assert_eq!(Frame::parse(&first).unwrap(), (channels[1], Frame::Reset { code: Code::Cancelled, text: "" }));
    server.received(&first).unwrap();
    exchange(&mut client, &mut server);
}

#[test]
fn a_finish_waits_for_its_data() {
    let (mut client, mut server, channels) = open_pair(1);
    client.send(channels[0], &vec![1; MAX_SEND_BUFFER]);
    client.finish(channels[0]);
    carry(&mut client, &mut server);
    assert_eq!(drain(&mut server, channels[0]).len(), MAX_SEND_BUFFER);
    assert!(events(&mut server).contains(&super::Event::Finished(channels[0])));
}

#[test]
fn one_channel_that_is_stalled_leaves_63_others_unharmed() {
    const ROUNDS: usize = 40;
    let (mut client, mut server, channels) = open_pair(64);
    let (stalled, others) = channels.split_first().unwrap();
    let mut received = vec![0; others.len()];
    for _ in 0..ROUNDS {
        client.send(*stalled, &vec![0; MAX_SEND_BUFFER]);
        for channel in others {
            assert_eq!(client.send(*channel, &vec![1; MAX_SEND_BUFFER / 4]), MAX_SEND_BUFFER / 4);
        }
        exchange(&mut client, &mut server);
        for (channel, received) in others.iter().zip(&mut received) {
            *received += drain(&mut server, *channel).len();
        }
        exchange(&mut client, &mut server);
    }
    assert!(received.iter().all(|received| *received == ROUNDS * MAX_SEND_BUFFER / 4));
    assert_eq!(drain(&mut server, *stalled).len(), INITIAL_WINDOW);
}
