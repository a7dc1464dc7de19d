//! Bytes that come in pieces, damaged, too many, or not at all.

use std::string::String;
use std::vec;

use super::*;
use crate::limits::{MAX_RETRANSMISSIONS, SMALL_BUFFER, TRANSMIT_MARK};
use crate::rsp::packet;

#[test]
fn a_damaged_packet_is_asked_for_again_and_a_lost_reply_sent_again() {
    let mut server = Server::new(Config::default());
    feed(&mut server, b"$qC#b5");
    assert!(server.poll_request().is_none());
    assert_eq!(sent(&mut server), "-");
    feed(&mut server, b"$qC#b4");
    server.poll_request().unwrap().reply.current_thread(THREAD);
    assert_eq!(sent(&mut server), "+$QC1f#2b");
    feed(&mut server, b"-");
    assert!(server.poll_request().is_none());
    assert_eq!(sent(&mut server), "$QC1f#2b");
    feed(&mut server, b"+-");
    assert!(server.poll_request().is_none());
    assert_eq!(sent(&mut server), "");
    assert_eq!(ask(&mut server, "QEnableErrorStrings"), "+$OK#9a");
    feed(&mut server, &vec![b'-'; usize::from(MAX_RETRANSMISSIONS) + 1]);
    assert!(server.poll_request().is_none());
    assert_eq!(server.violation(), Some(Violation::Rejections));
}

#[test]
fn without_acknowledgements_checksums_do_not_count() {
    let mut server = connected();
    feed(&mut server, b"+$?#zz-");
    server.poll_request().unwrap().reply.ok();
    assert!(server.poll_request().is_none());
    assert_eq!(sent(&mut server), "$OK#9a");
    assert!(server.is_no_ack());
}

#[test]
fn a_conversation_survives_any_split() {
    let mut whole = framed("qSupported:multiprocess+");
    for body in ["QStartNoAckMode", "Hgp10.1f", "X1000,3:a}\u{3}b", "vCont;s:p10.1f", "qC", "m1000,8"] {
        whole.extend(framed(body));
    }
    let run = |size: usize| {
        let mut server = Server::new(Config::default());
        let (mut requests, mut answers) = (Vec::new(), String::new());
        for piece in whole.chunks(size) {
            feed(&mut server, piece);
            while let Some(it) = server.poll_request() {
                requests.push(std::format!("{:?} {:?}", it.thread, it.request));
                it.reply.ok();
            }
            answers += &sent(&mut server);
        }
        assert_eq!(requests.len(), 5);
        (requests, answers)
    };
    for size in 1..=whole.len() {
        assert_eq!(run(size), run(whole.len()), "in pieces of {size}");
    }
}

#[test]
fn an_oversized_packet_gets_an_error_and_costs_no_memory() {
    let mut server = Server::new(Config { packet_size: 2000, ..Config::default() });
    let mut answers = String::new();
    feed(&mut server, b"$X0,1:");
    for _ in 0..1000 {
        feed(&mut server, &[b'a'; 1000]);
        assert!(server.poll_request().is_none());
    }
    feed(&mut server, b"#00");
    feed(&mut server, &framed("vMustReplyEmpty"));
    assert!(server.poll_request().is_none());
    answers += &sent(&mut server);
    assert_eq!(answers, "+$E5a#db+$#00");
    assert!(server.receive_buffer().len() <= SMALL_BUFFER + packet::FRAMING);
}

#[test]
fn a_client_that_floods_and_does_not_read_is_stopped() {
    let mut server = connected();
    let requests = framed("m0,20000").repeat(1000);
    let memory = vec![0; 0x2_0000];
    while server.violation().is_none() {
        let buffer = server.receive_buffer();
        let count = buffer.len().min(requests.len());
        buffer[..count].copy_from_slice(&requests[..count]);
        server.received(count);
        while let Some(it) = server.poll_request() {
            it.reply.memory(&memory);
        }
        assert!(server.transmit().len() <= TRANSMIT_MARK + 2 * MAX_PACKET);
    }
    assert_eq!(server.violation(), Some(Violation::Flood));
    assert!(server.receive_buffer().is_empty());
}

#[test]
fn requests_go_on_when_a_slow_client_has_read() {
    let mut server = connected();
    feed(&mut server, &framed("m0,20000").repeat(10));
    let memory = vec![0; 0x2_0000];
    let mut answered = 0;
    while answered < 10 {
        while let Some(it) = server.poll_request() {
            it.reply.memory(&memory);
            answered += 1;
        }
        assert!(!server.transmit().is_empty());
        sent(&mut server);
    }
    assert_eq!(server.violation(), None);
}
