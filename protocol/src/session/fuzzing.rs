//! The bodies of the fuzz targets `session_server`, `session_client` and `session_pair`.

use super::testing::{Fixed, Op, Pair, Side, in_tls, plain, sealed, with_password};
use super::{ClientConfig, Established, Handshake, Progress, ServerConfig, Session};
use crate::limits::{MAX_HANDSHAKE, MAX_UNSENT};
use core::time::Duration;

/// The first byte of `data` says what the server wants; the rest comes from whoever is at the other end.
///
/// # Panics
/// Where the server wants to send more than it may, or does not take what comes.
pub fn server(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let mut session = Session::new(established(plain()).1, Duration::ZERO);
    let handshake = Handshake::server(configs(which).1, &mut Fixed(1));
    converse(handshake, &mut session, data);
}

/// As [`server`], of a client; where the first byte is odd, it wants to continue a session.
///
/// # Panics
/// As [`server`] does.
pub fn client(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let configs = configs(which >> 1).0;
    let mut session = Session::new(established(plain()).0, Duration::ZERO);
    session.cut();
    let handshake = if which & 1 == 1 {
        Handshake::resume(configs, &session, &mut Fixed(1))
    } else {
        Handshake::client(configs, &mut Fixed(1))
    };
    converse(handshake, &mut session, data);
}

/// What happens to two sessions, four bytes for each event.
///
/// # Panics
/// Where a message is lost, doubled, changed or out of order.
pub fn pair(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let mut pair = Pair::new(configs(which));
    for op in data.chunks_exact(4) {
        let side = if op[0] & 0x80 == 0 { Side::Client } else { Side::Server };
        let count = u16::from_be_bytes([op[2], op[3]]);
        pair.apply(match op[0] % 8 {
            0..=2 => Op::Send(side, count),
            3..=4 => Op::Deliver(side, count),
            5 => Op::Cut(op[1] & 1 == 0),
            6 => Op::Resume,
            _ => Op::Wait(op[1]),
        });
    }
    pair.finish();
}

fn configs(which: u8) -> (ClientConfig, ServerConfig) {
    match which % 4 {
        0 => plain(),
        1 => sealed(),
        2 => with_password(),
        _ => in_tls(),
    }
}

fn established(configs: (ClientConfig, ServerConfig)) -> (Established, Established) {
    let (client, server) = super::testing::meet(configs, usize::MAX);
    (client.expect("the configurations fit"), server.expect("the configurations fit"))
}

/// Lets `data` arrive in pieces whose length varies with what they hold.
fn converse(mut handshake: Handshake, existing: &mut Session, mut data: &[u8]) {
    let mut session = None;
    while session.is_none() {
        let room = handshake.receive_buffer();
        assert!(!room.is_empty());
        let Some((piece, rest)) = split(data, room.len()) else { return };
        room[..piece.len()].copy_from_slice(piece);
        handshake.received(piece.len());
        data = rest;
        loop {
            let progress = handshake.poll();
            assert!(handshake.transmit().len() <= 3 * MAX_HANDSHAKE);
            match progress {
                Ok(Progress::Guesses) => {}
                Ok(Progress::Pending) => break,
                Ok(Progress::Resumes(_)) => handshake.resume_session(Some(existing)),
                Ok(Progress::Established(established)) => {
                    session = Some(Session::new(*established, Duration::ZERO));
                    break;
                }
                Err(_) => return,
            }
        }
    }
    if let Some(session) = session {
        listen(session, data);
    }
}

fn listen(mut session: Session, mut data: &[u8]) {
    let mut now = Duration::ZERO;
    loop {
        loop {
            match session.poll_message() {
                Ok(Some(message)) => now += Duration::from_millis(message.len() as u64),
                Ok(None) => break,
                Err(_) => return,
            }
            session.send(|out| {
                out.push(1);
                true
            });
            assert!(session.transmit().len() <= MAX_UNSENT + 2 * MAX_HANDSHAKE, "{}", session.transmit().len());
        }
        let room = session.receive_buffer();
        let Some((piece, rest)) = split(data, room.len()) else { return };
        room[..piece.len()].copy_from_slice(piece);
        let count = piece.len();
        session.received(count, now);
        data = rest;
        if session.deadline().is_some_and(|deadline| deadline <= now) {
            session.handle_timeout(now);
        }
    }
}

/// The next piece, as long as its first byte says, and what is left. `None` at the end, or where there is no room.
fn split(data: &[u8], room: usize) -> Option<(&[u8], &[u8])> {
    let length = usize::from(*data.first()?).max(1).min(data.len()).min(room);
    if length == 0 { None } else { Some(data.split_at(length)) }
}
