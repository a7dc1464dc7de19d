//! Ports that processes share.

use super::super::testing::{Faults, Net, Side, channel};
use super::super::{Member, MemberEvent, Misuse, Opening, Reason, Refusal, Switch};
use crate::limits::{MAX_LINE_MEMBERS, MAX_MEMBER_FRAMES};
use crate::options::Baud;
use core::time::Duration;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

const LATENCY: Duration = Duration::from_millis(2);

/// Both sides of so many channels, met.
fn met(baud: u32, channels: u8) -> Net {
    let mut net = Net::new(baud, LATENCY);
    for number in 0..channels {
        net.join(Side::Right, number);
        net.join(Side::Left, number);
    }
    net.run(Duration::from_secs(2));
    let begun = net.events.iter().filter(|(.., event)| *event == MemberEvent::Begun).count();
    assert_eq!(begun, 2 * usize::from(channels), "{:?}", net.events);
    net.events.clear();
    net
}

fn told(net: &Net, event: MemberEvent) -> bool {
    net.events.iter().any(|(.., other)| *other == event)
}

#[test]
fn a_shared_line_still_carries_nine_tenths_of_its_rate_each_way() {
    for baud in [9600, 115_200, 921_600] {
        let mut net = met(baud, 2);
        let line = 200_000;
        for (side, number) in [(Side::Left, 0), (Side::Left, 1), (Side::Right, 0), (Side::Right, 1)] {
            net.send(side, number, line);
        }
        net.run(Duration::from_millis(line as u64 * 10_000 / u64::from(baud)));
        for side in [Side::Left, Side::Right] {
            let got = [net.got(side, 0), net.got(side, 1)];
            assert!(got[0] + got[1] >= 90 * line / 100, "{got:?} at {baud}");
            assert!(got[0].abs_diff(got[1]) <= line / 20, "{got:?} at {baud}");
        }
    }
}

#[test]
fn whoever_has_the_port_may_die_in_the_middle_and_nothing_is_lost() {
    for milliseconds in (0..900).step_by(61) {
        let mut net = met(115_200, 3);
        for number in 0..3 {
            net.send(Side::Left, number, 20_000);
            net.send(Side::Right, number, 20_000);
        }
        net.run(Duration::from_millis(milliseconds));
        net.kill_switch(Side::Left);
        net.run(Duration::from_millis(100));
        net.kill_switch(Side::Right);
        let all = |net: &mut Net| (0..3).all(|n| net.got(Side::Left, n) == 20_000 && net.got(Side::Right, n) == 20_000);
        let end = net.now + Duration::from_secs(30);
        assert!(net.run_until(end, all), "{milliseconds} ms");
        assert!(!net.events.iter().any(|(.., event)| matches!(event, MemberEvent::Over(_))), "{:?}", net.events);
    }
}

#[test]
fn a_bad_line_is_shared_too() {
    let mut net = met(115_200, 2);
    net.faults(Faults { flipped_bits: 100, dropped_bytes: 1000, doubled_bytes: 100, bursts: 100 });
    for number in 0..2 {
        net.send(Side::Left, number, 20_000);
        net.send(Side::Right, number, 20_000);
    }
    let all = |net: &mut Net| (0..2).all(|n| net.got(Side::Left, n) == 20_000 && net.got(Side::Right, n) == 20_000);
    assert!(net.run_until(Duration::from_mins(2), all));
}

#[test]
fn a_channel_that_nobody_has_is_answered_for() {
    let mut net = Net::new(115_200, LATENCY);
    net.join(Side::Right, 1);
    net.join(Side::Left, 2);
    net.run(Duration::from_secs(1));
    assert_eq!(net.events.iter().filter(|(.., event)| *event == MemberEvent::Nobody).count(), 1);
    // It is called on, and answered when somebody comes.
    net.join(Side::Right, 2);
    assert!(net.run_until(Duration::from_secs(10), |net| told(net, MemberEvent::Begun)));
}

#[test]
fn a_process_that_dies_is_missed_at_once_at_the_other_side() {
    for (side, other) in [(Side::Left, Side::Right), (Side::Right, Side::Left)] {
        let mut net = met(115_200, 2);
        net.send(Side::Left, 0, 100);
        net.run(Duration::from_secs(1));
        net.kill(side, 0);
        let gone = (other, 0, MemberEvent::Over(Some(Reason::Gone)));
        assert!(
            net.run_until(net.now + Duration::from_millis(200), |net| net.events.contains(&gone)),
            "{:?}",
            net.events
        );
        assert_eq!(net.events.iter().filter(|(_, number, _)| *number == 1).count(), 0);
    }
}

#[test]
fn a_channel_is_had_once_and_a_line_has_one_rate() {
    let mut net = met(115_200, 1);
    let now = net.now;
    let baud = |rate| Baud::new(rate).unwrap();
    for (number, rate, refusal) in [(0, 115_200, Refusal::InUse), (1, 9600, Refusal::OtherRate(baud(115_200)))] {
        let mut member = Member::new(channel(number), baud(rate), Opening::Call, now);
        member.attached(now);
        let bytes = member.transmit(now).to_vec();
        let switch = net.switch(Side::Left);
        let id = switch.join().unwrap();
        switch.member_received(id, &bytes, now).unwrap();
        let answer = switch.member_transmit(id).to_vec();
        member.receive_buffer()[..answer.len()].copy_from_slice(&answer);
        member.received(answer.len(), now);
        assert_eq!(member.poll_event(), Some(MemberEvent::Refused(refusal)));
    }
}

#[test]
fn a_member_that_does_what_it_must_not_is_found_out() {
    let baud = Baud::new(115_200).unwrap();
    let now = Duration::ZERO;
    let mut switch = Switch::new(baud, now);
    let join = |number| {
        let mut member = Member::new(channel(number), baud, Opening::Call, now);
        member.attached(now);
        member.transmit(now).to_vec()
    };
    // Hello of channel 9, from the test vectors' kind: emitted by a link.
    let frame = |number| {
        let mut link = super::super::Link::new(baud, now);
        link.open(channel(number), Opening::Call, &mut super::super::testing::Dice(1)).unwrap();
        link.transmit(Duration::from_secs(1)).to_vec()
    };
    let cases = [
        (vec![frame(1)], Misuse::NotJoined),
        (vec![join(1), join(2)], Misuse::JoinedTwice),
        (vec![join(3), frame(4)], Misuse::ForeignFrame),
        (vec![join(5), b"\x03ab\0".to_vec()], Misuse::ForeignFrame),
        ([vec![join(6)], vec![frame(6); MAX_MEMBER_FRAMES + 1]].concat(), Misuse::Flood),
    ];
    for (said, misuse) in cases {
        let id = switch.join().unwrap();
        assert_eq!(switch.member_received(id, &said.concat(), now), Err(misuse));
        switch.leave(id);
    }
    let members = core::iter::from_fn(|| switch.join()).count();
    assert_eq!(members, MAX_LINE_MEMBERS);
}

fn packet(body: &str) -> String {
    format!("+${body}#{:02x}", body.bytes().fold(0_u8, u8::wrapping_add))
}

#[test]
fn a_plain_debugger_is_served_by_the_lowest_channel_until_somebody_calls() {
    let mut net = Net::new(115_200, LATENCY);
    net.join(Side::Right, 7);
    net.join(Side::Right, 3);
    net.run(Duration::from_secs(1));
    assert_eq!(net.line_bytes(Side::Right), 0, "who answers is silent");
    net.events.clear();
    let question = packet("qSupported:xmlRegisters=i386");
    net.inject(Side::Left, question.as_bytes());
    net.run(Duration::from_millis(100));
    assert_eq!(net.heard(Side::Right, 3), question.as_bytes());
    assert_eq!(net.events, [(Side::Right, 3, MemberEvent::Begun)]);
    assert_eq!(net.member(Side::Right, 3).send(b"+$PacketSize=1000#00"), 20);
    net.run(Duration::from_millis(100));
    assert_eq!(net.line_bytes(Side::Right), 20, "the answer and nothing else");
    // The next one begins anew.
    net.inject(Side::Left, format!("{}{question}", packet("?")).as_bytes());
    net.run(Duration::from_millis(100));
    assert_eq!(net.events[1..], [(Side::Right, 3, MemberEvent::Over(None)), (Side::Right, 3, MemberEvent::Begun)]);
    assert_eq!(net.heard(Side::Right, 3), format!("{}{question}", packet("?")).as_bytes());
    // One with frames calls: the line is theirs again.
    net.join(Side::Left, 7);
    let begun = (Side::Right, 7, MemberEvent::Begun);
    assert!(net.run_until(net.now + Duration::from_secs(5), |net| net.events.contains(&begun)));
    assert!(net.events.contains(&(Side::Right, 3, MemberEvent::Over(None))));
    net.send(Side::Left, 7, 1000);
    assert!(net.run_until(net.now + Duration::from_secs(5), |net| net.got(Side::Right, 7) == 1000));
}

#[test]
fn a_plain_debugger_stays_when_another_process_takes_the_port() {
    let mut net = Net::new(115_200, LATENCY);
    net.join(Side::Right, 3);
    net.inject(Side::Left, packet("qSupported").as_bytes());
    net.run(Duration::from_millis(100));
    net.kill_switch(Side::Right);
    net.run(Duration::from_millis(100));
    net.inject(Side::Left, packet("vCont;s").as_bytes());
    net.run(Duration::from_millis(100));
    assert_eq!(net.heard(Side::Right, 3), [packet("qSupported"), packet("vCont;s")].concat().as_bytes());
    assert_eq!(net.events.iter().filter(|(.., event)| *event == MemberEvent::Begun).count(), 1);
}

#[test]
fn what_looks_like_a_debugger_within_frames_is_none() {
    let mut net = met(115_200, 1);
    let said: Vec<u8> = ["qSupported", "g", "?", "vCont;c"].iter().flat_map(|body| packet(body).into_bytes()).collect();
    for &byte in &said {
        net.say(Side::Left, 0, &[byte]);
        net.run(Duration::from_millis(30));
    }
    net.say(Side::Left, 0, &said);
    net.run(Duration::from_millis(100));
    assert_eq!(net.heard(Side::Right, 0), [said.clone(), said].concat());
    assert!(net.events.is_empty(), "{:?}", net.events);
}
