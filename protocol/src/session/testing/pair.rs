//! Two sessions, and the connection between them as the test wants it.

use super::{Fixed, meet};
use crate::limits::MAX_MESSAGE;
use crate::session::{ClientConfig, Handshake, HandshakeError, Progress, ServerConfig, Session, State};
use alloc::vec::Vec;
use core::time::Duration;

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::session) enum Side {
    Client,
    Server,
}

impl Side {
    pub(in crate::session) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(in crate::session) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What can happen to two sessions.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) enum Op {
    /// A side sends a message with so many bytes besides its number.
    Send(Side, u16),
    /// So many bytes arrive from a side, if there are as many.
    Deliver(Side, u16),
    /// The connection is lost; the server notices, or does not.
    Cut(bool),
    /// The client comes back on a new connection. An old one is lost, unnoticed by the server.
    Resume,
    /// So many seconds go by.
    Wait(u8),
}

#[derive(Debug)]
struct End {
    session: Session,
    /// Of the connection that there is, until it is done.
    handshake: Option<Handshake>,
    /// Messages sent, and received of the other side's.
    sent: Vec<u16>,
    got: usize,
}

/// Two sessions that send numbered messages. What arrives is checked as it does.
#[derive(Debug)]
pub(in crate::session) struct Pair {
    configs: (ClientConfig, ServerConfig),
    client: End,
    server: End,
    now: Duration,
    random: Fixed,
    /// Whether bytes arrive.
    is_up: bool,
}

impl Pair {
    pub(in crate::session) fn new(configs: (ClientConfig, ServerConfig)) -> Self {
        let (client, server) = meet(configs.clone(), usize::MAX);
        let end = |established: Result<_, HandshakeError>| End {
            session: Session::new(established.expect("the configurations fit"), Duration::ZERO),
            handshake: None,
            sent: Vec::new(),
            got: 0,
        };
        let (client, server) = (end(client), end(server));
        Self { configs, client, server, now: Duration::ZERO, random: Fixed(3), is_up: true }
    }

    #[cfg(test)]
    pub(in crate::session) fn session(&mut self, side: Side) -> &mut Session {
        &mut self.end(side).session
    }

    /// Messages that `side` received.
    #[cfg(test)]
    pub(in crate::session) fn got(&mut self, side: Side) -> usize {
        self.end(side).got
    }

    pub(in crate::session) fn apply(&mut self, op: Op) {
        match op {
            Op::Send(side, length) => {
                self.send(side, length);
            }
            Op::Deliver(side, count) => {
                self.deliver(side, count.into());
            }
            Op::Cut(noticed) => self.cut(noticed),
            Op::Resume => self.resume(),
            Op::Wait(seconds) => self.wait(Duration::from_secs(seconds.into())),
        }
    }

    /// Whether the message was taken.
    pub(in crate::session) fn send(&mut self, side: Side, length: u16) -> bool {
        let length = length % (MAX_MESSAGE as u16 - 7);
        let end = self.end(side);
        let could = end.session.can_send();
        let message = message(end.sent.len(), length);
        let taken = end.session.send(|out| {
            out.extend_from_slice(&message);
            true
        });
        assert_eq!(taken, could);
        if taken {
            end.sent.push(length);
        }
        taken
    }

    /// Bytes that `side` wants to send.
    #[cfg(test)]
    pub(in crate::session) fn waiting(&mut self, side: Side) -> usize {
        let end = self.end(side);
        end.handshake.as_ref().map_or_else(|| end.session.transmit().len(), |handshake| handshake.transmit().len())
    }

    /// Lets at most `count` bytes arrive from `side`; returns how many did.
    pub(in crate::session) fn deliver(&mut self, side: Side, count: usize) -> usize {
        if !self.is_up {
            return 0;
        }
        let now = self.now;
        let room = self.end(side.other()).receive_buffer().len();
        let end = self.end(side);
        let bytes = match &mut end.handshake {
            Some(handshake) => take(handshake.transmit(), count.min(room)),
            None => take(end.session.transmit(), count.min(room)),
        };
        match &mut end.handshake {
            Some(handshake) => handshake.transmitted(bytes.len()),
            None => end.session.transmitted(bytes.len(), now),
        }
        if !bytes.is_empty() {
            self.receive(side.other(), &bytes);
        }
        bytes.len()
    }

    pub(in crate::session) fn cut(&mut self, noticed: bool) {
        self.is_up = false;
        self.client.handshake = None;
        self.client.session.cut();
        self.server.handshake = None;
        if noticed {
            self.server.session.cut();
        }
    }

    /// The client comes back: handshakes begin.
    pub(in crate::session) fn resume(&mut self) {
        self.cut(false);
        if matches!(self.client.session.state(), State::Closed { .. }) {
            return;
        }
        self.is_up = true;
        let client = Handshake::resume(self.configs.0.clone(), &self.client.session, &mut self.random);
        self.client.handshake = Some(client);
        self.server.handshake = Some(Handshake::server(self.configs.1.clone(), &mut self.random));
    }

    /// Both sides' timers run as they should.
    pub(in crate::session) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        for session in [&mut self.client.session, &mut self.server.session] {
            while let Some(deadline) = session.deadline().filter(|deadline| *deadline <= end) {
                session.handle_timeout(deadline.max(self.now));
                assert!(session.deadline() > Some(deadline) || *session.state() == State::Cut, "a timer stands still");
            }
        }
        self.now = end;
        // Who gave the connection up has closed it.
        if self.client.session.state() == &State::Cut && self.client.handshake.is_none() {
            self.is_up = false;
        }
        if self.server.session.state() == &State::Cut && self.server.handshake.is_none() {
            self.is_up = false;
        }
    }

    /// Lets everything arrive that wants to.
    pub(in crate::session) fn settle(&mut self) {
        while Side::BOTH.map(|side| self.deliver(side, usize::MAX)) != [0, 0] {}
    }

    /// Comes back and lets everything arrive: nothing may be missing then.
    pub(in crate::session) fn finish(&mut self) {
        self.resume();
        self.settle();
        assert_eq!((self.client.session.state(), self.server.session.state()), (&State::Connected, &State::Connected));
        assert_eq!((self.client.got, self.server.got), (self.server.sent.len(), self.client.sent.len()));
    }

    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn receive(&mut self, side: Side, bytes: &[u8]) {
        let now = self.now;
        let end = self.end(side);
        let buffer = end.receive_buffer();
        buffer[..bytes.len()].copy_from_slice(bytes);
        match &mut end.handshake {
            None => end.session.received(bytes.len(), now),
            Some(handshake) => {
                handshake.received(bytes.len());
                end.shake(now);
            }
        }
        let sent = self.end(side.other()).sent.clone();
        let end = self.end(side);
        while let Some(received) = end.session.poll_message().expect("nobody meddles with the connection") {
            assert_eq!(received, message(end.got, sent[end.got]), "message {}", end.got);
            end.got += 1;
        }
    }
}

impl End {
    fn receive_buffer(&mut self) -> &mut [u8] {
        match &mut self.handshake {
            Some(handshake) => handshake.receive_buffer(),
            None => self.session.receive_buffer(),
        }
    }

    fn shake(&mut self, now: Duration) {
        while let Some(handshake) = &mut self.handshake {
            match handshake.poll().expect("both are who they were") {
                Progress::Guesses => {}
                Progress::Pending => return,
                Progress::Resumes(_) => handshake.resume_session(Some(&self.session)),
                Progress::Established(established) => {
                    self.handshake = None;
                    self.session.resume(*established, now).expect("both know what was received");
                }
            }
        }
    }
}

fn take(bytes: &[u8], count: usize) -> Vec<u8> {
    bytes[..bytes.len().min(count)].to_vec()
}

/// A message that tells which it is.
fn message(number: usize, length: u16) -> Vec<u8> {
    let mut message = (number as u64).to_be_bytes().to_vec();
    message.resize(8 + usize::from(length), number as u8);
    message
}
