//! Both machines back to back in memory, and a client whose server says whatever it likes.

mod hostile;
mod replies;
mod session;

use std::vec::Vec;

use super::*;
use crate::ids::{Pid, ThreadId, Tid};
use crate::rsp::server::{self, Exchange, Server};

pub(super) const THREAD: ThreadId = id(0x10, 0x1f);

pub(super) const fn id(pid: i32, tid: i32) -> ThreadId {
    ThreadId { pid: Pid::new(pid).expect("positive"), tid: Tid::new(tid).expect("positive") }
}

/// A client and a server, and how many bytes travel at a time between them.
pub(super) struct Pair {
    pub(super) client: Client,
    pub(super) server: Server,
    piece: usize,
}

impl Pair {
    /// Two machines that have introduced themselves to each other.
    pub(super) fn connected(capabilities: server::Capabilities, piece: usize) -> Self {
        let config = server::Config { capabilities, ..server::Config::default() };
        let mut pair = Self { client: Client::new(Config::default()), server: Server::new(config), piece };
        assert_eq!(
            pair.client.request(&Request::Registers(crate::rsp::registers::Request::ReadAll)),
            Err(Refused::Busy)
        );
        pair.carry(|exchange| {
            assert_eq!(exchange.request, Request::Process(crate::rsp::process::Request::ExtendedMode));
            exchange.reply.ok();
        });
        assert!(pair.client.poll().is_none());
        assert!(pair.client.is_ready());
        pair
    }

    /// Carries bytes to and fro until nothing is left that moves, or the client has something to say.
    pub(super) fn carry(&mut self, mut answer: impl FnMut(Exchange<'_>)) {
        loop {
            let to_server = copy(self.client.transmit(), self.server.receive_buffer(), self.piece);
            self.client.transmitted(to_server);
            self.server.received(to_server);
            while let Some(exchange) = self.server.poll_request() {
                answer(exchange);
            }
            let to_client = copy(self.server.transmit(), self.client.receive_buffer(), self.piece);
            self.server.transmitted(to_client);
            self.client.received(to_client);
            assert_eq!(self.server.violation(), None);
            assert_eq!(self.client.violation(), None);
            if to_client == 0 && to_server == 0 {
                return;
            }
            if !self.client.is_ready() {
                assert!(self.client.poll().is_none());
            }
        }
    }

    /// Makes a request, has it answered, and shows the reply.
    pub(super) fn ask(
        &mut self,
        request: &Request<'_>,
        answer: impl FnOnce(Exchange<'_>),
        check: impl FnOnce(Reply<'_>),
    ) {
        let id = self.client.request(request).expect("nothing else is under way");
        let mut answer = Some(answer);
        loop {
            self.carry(|exchange| answer.take().expect("there is one request")(exchange));
            match self.client.poll() {
                Some(Output::Reply { request, reply }) => {
                    assert_eq!(request, id);
                    return check(reply);
                }
                // More of a list is to come.
                None if answer.is_none() => assert!(self.client.is_waiting() && !self.client.transmit().is_empty()),
                other => panic!("{request:?} is answered with {other:?}"),
            }
        }
    }
}

fn copy(from: &[u8], to: &mut [u8], most: usize) -> usize {
    let count = from.len().min(to.len()).min(most);
    to[..count].copy_from_slice(&from[..count]);
    count
}

/// Gives the client bytes as a server might send them.
pub(super) fn feed(client: &mut Client, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let count = copy(bytes, client.receive_buffer(), usize::MAX);
        assert!(count > 0, "no room for more");
        client.received(count);
        bytes = &bytes[count..];
    }
}

/// Everything that the client has to send, which is thereby sent.
pub(super) fn sent(client: &mut Client) -> Vec<u8> {
    let bytes = client.transmit().to_vec();
    client.transmitted(bytes.len());
    bytes
}
