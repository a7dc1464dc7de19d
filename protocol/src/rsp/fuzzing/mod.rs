//! Bodies of fuzz targets; the unit tests run them on a few inputs, the fuzzer on many.

mod answer;
mod client;
mod ledger;
mod script;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

pub use self::client::client;

use self::answer::{answer, event};
use self::ledger::Ledger;
use self::script::{Action, script};
use super::packet::{Deframer, Frame, escape, hex, run_length};
use super::request::Request;
use super::server::{Config, Exchange, Server};
use crate::limits::{MAX_PACKET, MIN_PACKET, TRANSMIT_MARK};

/// `data` as what a peer sends: the frames in it are the same whatever pieces it comes in, and so are the requests in
/// those and in `data` itself once they have been emitted and parsed again.
///
/// # Panics
/// If they are not, or if a decoder is not the inverse of its encoder.
pub fn packet(data: &[u8]) {
    let frames = frames(data, usize::MAX);
    for size in [1, 7] {
        assert_eq!(self::frames(data, size), frames, "in pieces of {size}");
    }
    for (_, body) in &frames {
        parse(body);
    }
    parse(data);
    let mut text = Vec::new();
    escape::encode(&mut text, data);
    assert_eq!(escape::decode_in_place(&mut text).as_deref(), Some(data));
    text.clear();
    run_length::encode_hex(&mut text, data);
    let mut digits = Vec::new();
    assert!(run_length::expand(&mut digits, &text, 2 * data.len()));
    assert_eq!(hex::decode_in_place(&mut digits).as_deref(), Some(data));
}

/// The frames in `data`, received in pieces of `size`: the first byte of each, or what stands for it, and its body.
fn frames(data: &[u8], size: usize) -> Vec<(u8, Vec<u8>)> {
    let mut deframer = Deframer::new(MIN_PACKET);
    let mut seen = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        let buffer = deframer.receive_buffer();
        let count = rest.len().min(size).min(buffer.len());
        assert!(count > 0, "no room for more");
        buffer[..count].copy_from_slice(&rest[..count]);
        deframer.received(count);
        rest = &rest[count..];
        seen.extend(deframer.frames().map(|frame| match frame {
            Frame::Ack => (b'+', Vec::new()),
            Frame::Interrupt => (0x03, Vec::new()),
            Frame::Nack => (b'-', Vec::new()),
            Frame::Notification { body } => (b'%', body.to_vec()),
            Frame::Oversized => (b'!', Vec::new()),
            Frame::Packet { body, .. } => (b'$', body.to_vec()),
        }));
    }
    seen
}

fn parse(body: &[u8]) {
    let mut body = body.to_vec();
    if let Ok(Some(request)) = Request::parse(&mut body) {
        walk(&request);
        let mut emitted = Vec::new();
        request.emit(&mut emitted);
        assert_eq!(Request::parse(&mut emitted), Ok(Some(request)));
    }
}

/// Goes through the lists in a request.
fn walk(request: &Request<'_>) {
    use super::{breakpoint, memory, process, resume, settings, trace};
    match request {
        Request::Breakpoint(breakpoint::Request::Insert { conditions, commands, .. }) => {
            conditions.iter().chain(commands.iter()).for_each(drop);
        }
        Request::Memory(memory::Request::ReadRanges(ranges)) => assert!(ranges.iter().next().is_some()),
        Request::Process(process::Request::Launch { arguments, .. } | process::Request::Run { arguments, .. }) => {
            arguments.iter().for_each(drop);
        }
        Request::Resume(resume::Request::Resume { actions, .. }) => assert!(actions.iter().next().is_some()),
        Request::Setting(settings::Request::CatchSyscalls(Some(list))) => list.iter().for_each(drop),
        Request::Trace(trace::Request::AddActions { actions, .. }) => actions.iter().for_each(drop),
        Request::Trace(trace::Request::ReadOnly(ranges)) => ranges.iter().for_each(drop),
        Request::Setting(settings::Request::PassSignals(list)) => list.iter().for_each(drop),
        _ => {}
    }
}

/// A conversation: `data` is what the client sends, with the bytes between that [`script`] takes for actions. Without
/// any, every request is answered, and the client reads when it has sent all.
///
/// # Panics
/// If what the server sends is no sequence of packets and acknowledgements, if a request is not answered exactly once,
/// or if a buffer grows without bound.
pub fn server(data: &[u8]) {
    let mut conversation = Conversation::new();
    for action in script(data) {
        match action {
            Action::Receive(bytes) => conversation.receive(&bytes),
            Action::Event(choice) => conversation.server.handle_event(&event(choice)),
            Action::Push(choice) if conversation.server.is_non_stop() => {
                conversation.server.push_event(&event(choice));
            }
            Action::Push(choice) => conversation.server.console(&[choice; 3]),
            Action::Transmit(count) => conversation.transmit(count),
        }
        conversation.answer();
        if conversation.server.violation().is_some() {
            return;
        }
    }
    while !conversation.server.transmit().is_empty() {
        conversation.transmit(usize::MAX);
        conversation.answer();
    }
    if conversation.server.violation().is_none() {
        conversation.ledger.assert_balanced(conversation.server.is_stop_reply_due());
    }
}

/// Both ends of a conversation.
struct Conversation {
    server: Server,
    client: Deframer,
    ledger: Ledger,
    /// What the next answer is.
    choice: u8,
    /// Events and console texts, of which each may take up some bytes on its way out.
    told: usize,
}

impl Conversation {
    fn new() -> Self {
        let server = Server::new(Config { packet_size: MIN_PACKET, ..Config::default() });
        Self { server, client: Deframer::new(4 * MAX_PACKET), ledger: Ledger::new(), choice: 0, told: 0 }
    }

    /// The server receives `bytes`, as many at a time as it has room for, until it takes no more.
    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let buffer = self.server.receive_buffer();
            let count = bytes.len().min(buffer.len());
            if count == 0 {
                assert!(self.server.violation().is_some(), "no room for more");
                return;
            }
            buffer[..count].copy_from_slice(&bytes[..count]);
            self.server.received(count);
            self.ledger.received(&bytes[..count]);
            bytes = &bytes[count..];
            self.answer();
        }
    }

    /// The server answers what it can.
    fn answer(&mut self) {
        loop {
            let due = self.server.is_stop_reply_due();
            let Some(Exchange { request, reply, .. }) = self.server.poll_request() else { break };
            walk(&request);
            self.ledger.answered(&request, reply.features());
            answer(reply, &request, self.choice, due);
            self.choice = self.choice.wrapping_add(1);
        }
        self.told += 1;
        assert!(self.server.transmit().len() <= TRANSMIT_MARK + answer::MOST + 256 * self.told);
    }

    /// The server sends up to `count` bytes, and the client looks at them.
    fn transmit(&mut self, count: usize) {
        let mut left = count.min(self.server.transmit().len());
        while left > 0 {
            let buffer = self.client.receive_buffer();
            let part = left.min(buffer.len());
            buffer[..part].copy_from_slice(&self.server.transmit()[..part]);
            self.client.received(part);
            self.server.transmitted(part);
            left -= part;
            self.client.frames().for_each(|frame| self.ledger.sent(&frame));
        }
    }
}
