//! Peers that are something else, or mean ill.

use crate::limits::{MAX_HANDSHAKE, MAX_MESSAGE};
use crate::session::testing::{Fixed, Meeting, Pair, Side, plain, sealed, with_password};
use crate::session::{CloseCode, Handshake, HandshakeError, PREFACE, Session, SessionError, State};
use alloc::vec::Vec;
use core::time::Duration;

fn feed(handshake: &mut Handshake, bytes: &[u8]) -> Result<(), HandshakeError> {
    for chunk in bytes.chunks(11) {
        handshake.receive_buffer()[..chunk.len()].copy_from_slice(chunk);
        handshake.received(chunk.len());
        while let crate::session::Progress::Guesses = handshake.poll()? {}
    }
    Ok(())
}

#[test]
fn other_protocols_are_known_by_their_first_bytes() {
    for hello in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01",
        b"$qSupported#37",
        b"+",
        b"SSH-2.0-x",
        b"\x93DBGSRV\r\n",
    ] {
        let mut server = Handshake::server(plain().1, &mut Fixed(1));
        assert_eq!(feed(&mut server, hello), Err(HandshakeError::NotOurs));
        assert_eq!(server.transmit(), b"", "a stranger is told nothing");
        let mut client = Handshake::client(plain().0, &mut Fixed(1));
        assert_eq!(feed(&mut client, hello), Err(HandshakeError::NotOurs));
    }
}

#[test]
fn an_oversized_or_empty_message_is_refused_before_it_has_come() {
    for length in [0, 0xffff, MAX_HANDSHAKE as u16 - 1] {
        let mut server = Handshake::server(plain().1, &mut Fixed(1));
        let hello = [&PREFACE[..], &length.to_be_bytes(), &[1]].concat();
        assert!(matches!(feed(&mut server, &hello), Err(HandshakeError::Malformed(_))), "{length}");
        assert!(server.transmit().starts_with(&PREFACE), "one of ours is told why");
    }
}

/// Both sides' bytes of a handshake that succeeds.
fn recorded() -> (Vec<u8>, Vec<u8>) {
    let configs = with_password();
    let mut meeting =
        Meeting::new(Handshake::client(configs.0, &mut Fixed(1)), Handshake::server(configs.1, &mut Fixed(2)));
    meeting.run(usize::MAX, None);
    let proof = meeting.of_server.unwrap().unwrap().unsent;
    (meeting.to_server, [meeting.to_client, proof].concat())
}

#[test]
fn a_changed_byte_anywhere_ends_the_handshake() {
    let (to_server, to_client) = recorded();
    for at in 0..to_server.len() {
        let mut bytes = to_server.clone();
        bytes[at] ^= 0x40;
        let mut server = Handshake::server(with_password().1, &mut Fixed(2));
        let outcome = feed(&mut server, &bytes).and_then(|()| server.poll().map(|_| ()));
        let waits = outcome.is_ok() && !server.receive_buffer().is_empty() && at >= 8;
        assert!(outcome.is_err() || waits, "byte {at} to the server");
        assert!(!matches!(server.poll(), Ok(crate::session::Progress::Established(_))), "byte {at}");
    }
    for at in 0..to_client.len() {
        let mut bytes = to_client.clone();
        bytes[at] ^= 0x40;
        let mut client = Handshake::client(with_password().0, &mut Fixed(1));
        let _ = feed(&mut client, &bytes);
        assert!(!matches!(client.poll(), Ok(crate::session::Progress::Established(_))), "byte {at} to the client");
    }
}

#[test]
fn a_recorded_client_is_nobody_to_another_handshake() {
    let (to_server, _) = recorded();
    let mut server = Handshake::server(with_password().1, &mut Fixed(77));
    assert_eq!(feed(&mut server, &to_server), Err(HandshakeError::WrongPassword));
}

/// A pair whose client has sent three messages that are on their way as records.
fn three_records(pair: &mut Pair) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for _ in 0..3 {
        assert!(pair.send(Side::Client, 20));
        let session = pair.session(Side::Client);
        records.push(session.transmit().to_vec());
        let count = session.transmit().len();
        session.transmitted(count, Duration::ZERO);
    }
    records
}

/// How far the server's session comes with these bytes.
fn give(session: &mut Session, bytes: &[u8]) -> Result<usize, SessionError> {
    let buffer = session.receive_buffer();
    buffer[..bytes.len()].copy_from_slice(bytes);
    session.received(bytes.len(), Duration::ZERO);
    let mut messages = 0;
    while session.poll_message()?.is_some() {
        messages += 1;
    }
    Ok(messages)
}

#[test]
fn a_sealed_record_that_is_changed_repeated_left_out_or_shortened_ends_the_session() {
    for configs in [sealed(), with_password()] {
        type Attack = fn(&mut Vec<Vec<u8>>);
        let attacks: [Attack; 5] = [
            |records| records[1][9] ^= 1,
            |records| records[2] = records[1].clone(),
            |records| records.swap(0, 1),
            |records| drop(records.remove(0)),
            |records| {
                records[0][1] -= 1;
                records[0].pop();
            },
        ];
        for attack in attacks {
            let mut pair = Pair::new(configs.clone());
            let mut records = three_records(&mut pair);
            attack(&mut records);
            let server = pair.session(Side::Server);
            assert_eq!(give(server, &records.concat()), Err(SessionError::Seal));
            assert!(matches!(server.state(), State::Closed { here: true, code: CloseCode::Protocol, .. }));
            assert!(!server.transmit().is_empty(), "the client is told");
            assert!(!server.send(|_| true) && server.receive_buffer().is_empty() && server.deadline().is_none());
        }
    }
}

#[test]
fn malformed_records_end_the_session() {
    let cases: [&[u8]; 6] =
        [b"\0\0", b"\0\x01\x09", b"\0\x02\x02x", b"\0\x08\x01\0\0\0\0\0\0\0", b"\xff\xff", b"\0\x03\x04\0\xff"];
    for case in cases {
        let mut pair = Pair::new(plain());
        let outcome = give(pair.session(Side::Server), case);
        assert!(matches!(outcome, Err(SessionError::Malformed(_))), "{case:?}: {outcome:?}");
    }
    let mut pair = Pair::new(plain());
    let server = pair.session(Side::Server);
    let mut long = (MAX_MESSAGE as u16 + 2).to_be_bytes().to_vec();
    long.resize(long.len() + MAX_MESSAGE + 2, 0);
    let outcome = long.chunks(4000).try_for_each(|chunk| give(server, chunk).map(|_| ()));
    assert!(matches!(outcome, Err(SessionError::Malformed(_))));
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_ends_the_session() {
    let mut pair = Pair::new(plain());
    assert_eq!(give(pair.session(Side::Server), b"\0\x09\x01\0\0\0\0\0\0\0\x01"), Err(SessionError::Sequence));
}

#[test]
fn a_peer_that_pings_and_never_reads_costs_no_memory() {
    let mut pair = Pair::new(plain());
    let server = pair.session(Side::Server);
    for _ in 0..100_000 {
        give(server, b"\0\x01\x02").unwrap();
    }
    assert!(server.transmit().len() < 0x1_0010, "{}", server.transmit().len());
}
