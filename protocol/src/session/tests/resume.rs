//! Sessions whose connection does not hold.

use crate::session::testing::{Fixed, Meeting, Op, Pair, Side, plain, sealed, with_password};
use crate::session::{CloseCode, Handshake, HandshakeError, Progress, Rejected, Session, SessionError};
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

/// Messages both ways, some of them on their way already, others later.
fn talk(pair: &mut Pair) {
    for length in [0, 100, 5000] {
        pair.send(Side::Client, length);
        pair.send(Side::Server, length);
    }
}

/// Lets bytes arrive both ways, from `side` at most `limit`; true if all of them did.
fn settle_within(pair: &mut Pair, side: Side, mut limit: usize) -> bool {
    loop {
        let mut moved = pair.deliver(side.other(), usize::MAX);
        let count = pair.deliver(side, limit.min(64));
        limit -= count;
        moved += count;
        if moved == 0 {
            return pair.waiting(side) == 0;
        }
    }
}

#[test]
fn a_cut_at_any_byte_loses_and_doubles_nothing() {
    for configs in [plain(), with_password()] {
        for side in Side::BOTH {
            // Over the small messages and the handshake every byte, in the last one some.
            for limit in (0..900).chain((900..7000).step_by(97)) {
                let mut pair = Pair::new(configs.clone());
                talk(&mut pair);
                pair.cut(limit % 2 == 0);
                pair.resume();
                let is_done = settle_within(&mut pair, side, limit);
                pair.send(side, 3);
                pair.cut(limit % 3 == 0);
                pair.finish();
                talk(&mut pair);
                pair.finish();
                if is_done && limit > 1000 {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_cut_again_and_again_at_any_byte_strands_no_session() {
    let mut pair = Pair::new(with_password());
    for limit in 0..600 {
        pair.resume();
        settle_within(&mut pair, Side::BOTH[limit % 2], limit);
    }
    pair.finish();
}

/// How many messages come with these bytes.
fn hear(session: &mut Session, mut bytes: &[u8]) -> usize {
    let mut messages = 0;
    while !bytes.is_empty() {
        let room = session.receive_buffer();
        let count = bytes.len().min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        session.received(count, Duration::ZERO);
        bytes = &bytes[count..];
        while session.poll_message().unwrap().is_some() {
            messages += 1;
        }
    }
    messages
}

#[test]
fn what_arrives_while_the_client_comes_back_arrives_once() {
    let mut pair = Pair::new(sealed());
    talk(&mut pair);
    // The client gives up, but its bytes are still on the way and reach the server during the new handshake.
    let late = pair.session(Side::Client).transmit().to_vec();
    let client = pair.session(Side::Client);
    client.cut();
    let client = Handshake::resume(sealed().0, client, &mut Fixed(5));
    let mut meeting = Meeting::new(client, Handshake::server(sealed().1, &mut Fixed(6)));
    meeting.run(usize::MAX, Some(pair.session(Side::Server)));
    let mut established = meeting.of_server.unwrap().unwrap();
    let server = pair.session(Side::Server);
    let early = hear(server, &late[..3000]);
    assert_eq!(early, 2);
    let proof = core::mem::take(&mut established.unsent);
    server.resume(established, Duration::ZERO).unwrap();
    meeting.client.receive_buffer()[..proof.len()].copy_from_slice(&proof);
    meeting.client.received(proof.len());
    let Ok(Progress::Established(established)) = meeting.client.poll() else { panic!("the client is done") };
    let client = pair.session(Side::Client);
    client.resume(*established, Duration::ZERO).unwrap();
    let again = client.transmit().to_vec();
    let server = pair.session(Side::Server);
    let late = hear(server, &again);
    assert_eq!(late, 1, "only the third is new");
    // The client need not keep what came twice.
    server.handle_timeout(crate::limits::ACK_DELAY);
    let ack = server.transmit().to_vec();
    let client = pair.session(Side::Client);
    hear(client, &ack);
    assert!(client.is_acknowledged());
}

/// The bytes to the server of a client that resumes, and what the server makes of it.
fn resumed(pair: &mut Pair) -> (Vec<u8>, Meeting) {
    let client = pair.session(Side::Client);
    client.cut();
    let client = Handshake::resume(with_password().0, client, &mut Fixed(5));
    let mut meeting = Meeting::new(client, Handshake::server(with_password().1, &mut Fixed(6)));
    meeting.run(usize::MAX, Some(pair.session(Side::Server)));
    (meeting.to_server.clone(), meeting)
}

#[test]
fn a_recorded_resume_is_worth_nothing() {
    let mut pair = Pair::new(with_password());
    let (recorded, _) = resumed(&mut pair);
    for seed in [6, 7] {
        if seed == 6 {
            // The same random numbers, which no server draws: then the session must have gone on.
            pair.finish();
            pair.finish();
        }
        let mut server = Handshake::server(with_password().1, &mut Fixed(seed));
        let mut outcome = Ok(());
        for byte in &recorded {
            server.receive_buffer()[0] = *byte;
            server.received(1);
            match server.poll() {
                Ok(Progress::Resumes(_)) => server.resume_session(Some(pair.session(Side::Server))),
                Ok(Progress::Guesses | Progress::Pending) => {}
                Ok(Progress::Established(_)) => panic!("a recording came in"),
                Err(error) => outcome = Err(error),
            }
        }
        assert_eq!(outcome, Err(HandshakeError::WrongToken));
    }
}

#[test]
fn a_token_is_of_one_use_once_the_client_has_the_next() {
    let mut pair = Pair::new(with_password());
    let old = pair.session(Side::Client).tokens().clone();
    pair.finish();
    let new = pair.session(Side::Client).tokens().clone();
    assert_ne!(old.current.reveal(), new.current.reveal());
    let server = pair.session(Side::Server).tokens();
    assert_eq!(server.current.reveal(), new.current.reveal());
    assert!(server.next.is_none(), "the old one is gone");
}

#[test]
fn a_wrong_token_and_an_unknown_session_look_the_same_to_the_client() {
    let mut pair = Pair::new(with_password());
    let mut other = Pair::new({
        let mut configs = with_password();
        configs.1.facts.host.push('2');
        configs
    });
    // The same id, as the random numbers are the same; but the session has gone on with another token.
    other.finish();
    pair.session(Side::Client).cut();
    let mut outcomes = Vec::new();
    for known in [true, false] {
        let client = Handshake::resume(with_password().0, pair.session(Side::Client), &mut Fixed(5));
        let mut meeting = Meeting::new(client, Handshake::server(with_password().1, &mut Fixed(6)));
        meeting.run(usize::MAX, if known { Some(other.session(Side::Server)) } else { None });
        assert_eq!(meeting.of_server.unwrap().unwrap_err(), HandshakeError::WrongToken);
        outcomes.push(meeting.of_client.unwrap().unwrap_err());
    }
    assert!(matches!(&outcomes[0], HandshakeError::Rejected { reason: Rejected::UnknownSession, .. }));
    assert_eq!(outcomes[0], outcomes[1]);
}

#[test]
fn of_two_handshakes_for_one_session_the_first_to_end_wins() {
    let mut pair = Pair::new(with_password());
    let (_, first) = resumed(&mut pair);
    let (_, second) = resumed(&mut pair);
    let server = pair.session(Side::Server);
    let now = Duration::ZERO;
    assert_eq!(server.resume(second.of_server.unwrap().unwrap(), now), Ok(()));
    assert_eq!(server.resume(first.of_server.unwrap().unwrap(), now), Err(SessionError::Overtaken));
    pair.finish();
}

#[test]
fn a_closed_session_does_not_come_back() {
    let mut pair = Pair::new(plain());
    pair.cut(true);
    pair.session(Side::Server).close(CloseCode::Lost, "gone");
    let client = Handshake::resume(plain().0, pair.session(Side::Client), &mut Fixed(5));
    let mut meeting = Meeting::new(client, Handshake::server(plain().1, &mut Fixed(6)));
    meeting.run(usize::MAX, Some(pair.session(Side::Server)));
    assert!(matches!(
        meeting.of_client.unwrap().unwrap_err(),
        HandshakeError::Rejected { reason: Rejected::UnknownSession, .. }
    ));
}

fn op() -> impl Strategy<Value = Op> {
    let side = prop_oneof![Just(Side::Client), Just(Side::Server)];
    prop_oneof![
        4 => (side.clone(), prop_oneof![0..100_u16, 0..40_000_u16]).prop_map(|(side, length)| Op::Send(side, length)),
        6 => (side, prop_oneof![0..300_u16, Just(u16::MAX)]).prop_map(|(side, count)| Op::Deliver(side, count)),
        1 => any::<bool>().prop_map(Op::Cut),
        2 => Just(Op::Resume),
        1 => (0..50_u8).prop_map(Op::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_messages_arrive_in_order_and_once(ops in prop::collection::vec(op(), 0..120), which in 0..3_usize) {
        let mut pair = Pair::new([plain(), sealed(), with_password()][which].clone());
        for op in ops {
            pair.apply(op);
        }
        pair.finish();
    }
}
