//! Servers that say something else than they should.

use std::string::String;
use std::vec::Vec;

use super::*;
use crate::limits::{MAX_LISTED_THREADS, MAX_RETRANSMISSIONS, MIN_CLIENT_PACKET, TRANSMIT_MARK};
use crate::rsp::packet::emit;
use crate::rsp::{query, registers, thread};

fn framed(body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    emit(&mut out, |out| out.extend_from_slice(body.as_bytes()));
    out
}

/// A client on a connection without acknowledgements.
fn ready() -> Client {
    let mut client = Client::new(Config::default());
    for body in ["PacketSize=1000;QStartNoAckMode+", "OK", "OK", "vCont;c"] {
        feed(&mut client, &framed(body));
        assert_eq!(client.poll(), None);
    }
    assert!(client.is_ready());
    sent(&mut client);
    client
}

fn violation(bytes: &[u8]) -> Option<Violation> {
    let mut client = ready();
    client.request(&thread::Request::List.into()).expect("nothing is under way");
    for piece in bytes.chunks(4096) {
        feed(&mut client, piece);
        while client.poll().is_some() {}
        sent(&mut client);
    }
    client.violation()
}

#[test]
fn the_greeting_is_what_gdbs_own_stub_understands() {
    let mut client = Client::new(Config::default());
    let greeting = String::from_utf8(sent(&mut client)).unwrap();
    assert!(greeting.starts_with("$qSupported:xmlRegisters=i386;vContSupported+;error-message+;"), "{greeting}");
    feed(&mut client, &framed("PacketSize=47ff;QStartNoAckMode+"));
    assert_eq!(client.poll(), None);
    assert_eq!(sent(&mut client), b"+$QStartNoAckMode#b0");
    feed(&mut client, &framed("OK"));
    assert_eq!(client.poll(), None);
    assert_eq!(sent(&mut client), b"+$!#21$vCont?#49");
}

#[test]
fn a_server_that_knows_nothing_is_spoken_to_with_acknowledgements() {
    let mut client = Client::new(Config::default());
    for said in [&b"+$!#21"[..], b"+$vCont?#49", b"+"] {
        sent(&mut client);
        feed(&mut client, b"+$#00");
        assert_eq!(client.poll(), None);
        assert_eq!(client.transmit(), said);
    }
    assert!(client.is_ready());
    assert_eq!(client.packet_size(), MIN_CLIENT_PACKET);
}

#[test]
fn a_damaged_packet_is_asked_for_again_and_a_rejected_one_sent_again() {
    let mut client = Client::new(Config::default());
    let greeting = sent(&mut client);
    feed(&mut client, b"+$#01");
    assert_eq!(client.poll(), None);
    assert_eq!(sent(&mut client), b"-");
    let mut rejected = Client::new(Config::default());
    for count in 1..=u32::from(MAX_RETRANSMISSIONS) + 1 {
        sent(&mut rejected);
        feed(&mut rejected, b"-");
        assert_eq!(rejected.poll(), None);
        assert_eq!(rejected.transmit(), greeting);
        let over = count > MAX_RETRANSMISSIONS.into();
        assert_eq!(rejected.violation(), over.then_some(Violation::Rejections));
    }
    assert_eq!(rejected.request(&thread::Request::Current.into()), Err(Refused::Ended));
}

#[test]
fn what_cannot_be_gone_on_after_ends_the_conversation() {
    assert_eq!(violation(b"$ml#00"), None);
    assert_eq!(violation(b"$l#00$OK#00"), Some(Violation::Unsolicited));
    assert_eq!(violation(b"$* #00"), Some(Violation::RunLength));
    let mut oversized = std::vec![b'a'; MAX_REPLY + 2];
    oversized[0] = b'$';
    oversized.push(b'#');
    assert_eq!(violation(&oversized), Some(Violation::Oversized));
    let mut list = std::vec![b'm'];
    list.extend(b"1,".repeat(100_000));
    list.pop();
    let packet = [b"$", &list[..], b"#00"].concat();
    assert_eq!(violation(&packet.repeat(MAX_LISTED_THREADS / 100_000)), None);
    assert_eq!(violation(&packet.repeat(MAX_LISTED_THREADS / 100_000 + 1)), Some(Violation::Threads));
}

#[test]
fn acknowledgements_that_nobody_reads_do_not_pile_up_without_end() {
    let mut client = Client::new(Config::default());
    sent(&mut client);
    while client.violation().is_none() {
        feed(&mut client, &b"$x#00".repeat(800));
        while client.poll().is_some() {}
        assert!(client.transmit().len() <= 2 * TRANSMIT_MARK + 1);
    }
    assert_eq!(client.violation(), Some(Violation::Flood));
}

#[test]
fn an_answer_that_makes_no_sense_leaves_the_conversation_as_it_was() {
    let mut client = ready();
    client.request(&registers::Request::ReadAll.into()).expect("nothing is under way");
    client.request(&thread::Request::Current.into()).expect("there are no acknowledgements");
    feed(&mut client, b"$hello#00%Stop:T05#00\x03$QC1f#00");
    assert!(matches!(client.poll(), Some(Output::Reply { reply: Reply::Malformed, .. })));
    let expected = Reply::Thread(id(0x1f, 0x1f));
    assert!(matches!(client.poll(), Some(Output::Reply { reply, .. }) if reply == expected));
}

#[test]
fn text_comes_before_the_answer_it_belongs_to() {
    let mut client = ready();
    client.request(&query::Request::Monitor(b"help").into()).expect("nothing is under way");
    feed(&mut client, b"$O6869#00$OK#00");
    assert_eq!(client.poll(), Some(Output::Console(b"hi")));
    assert!(matches!(client.poll(), Some(Output::Reply { reply: Reply::Text(b""), .. })));
}
