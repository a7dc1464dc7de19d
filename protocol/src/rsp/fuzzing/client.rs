//! A client whose server says anything.

use alloc::vec::Vec;

use super::super::client::{Client, Config, Event, Output, Reply, RequestId};
use super::super::memory::Encoding;
use super::super::request::Request;
use super::super::server::{Feature, Features};
use super::super::thread::{Scope, ThreadSelector};
use super::super::transfer::Object;
use super::super::{breakpoint, file, memory, process, query, registers, resume, settings, thread, transfer};
use super::script::{Action, script};
use crate::limits::{MAX_EXPEDITED_REGISTERS, MAX_PACKET, TRANSMIT_MARK};

/// Most bytes that wait to be sent: where the machine ends the conversation, and one request on top.
const MOST: usize = 2 * TRANSMIT_MARK + 2 * MAX_PACKET;

/// A conversation: `data` is what the server sends, with the bytes between that [`script`] takes for actions: where a
/// server's event would be the client makes a request, and where there would be text it interrupts.
///
/// # Panics
/// If a request is answered twice, or not in its turn, or a buffer grows without bound.
pub fn client(data: &[u8]) {
    let mut conversation = Conversation { client: Client::new(Config::default()), asked: Vec::new() };
    for action in script(data) {
        match action {
            Action::Receive(bytes) => conversation.receive(&bytes),
            Action::Event(choice) => conversation.request(choice),
            // A conversation that has ended can't be interrupted.
            Action::Push(_) => drop(conversation.client.interrupt()),
            Action::Transmit(count) => {
                let count = count.min(conversation.client.transmit().len());
                conversation.client.transmitted(count);
            }
        }
        conversation.drain();
        if conversation.client.violation().is_some() {
            return;
        }
    }
}

struct Conversation {
    client: Client,
    /// What was asked and has to be answered, the oldest first.
    asked: Vec<RequestId>,
}

impl Conversation {
    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.client.violation().is_none() {
            let buffer = self.client.receive_buffer();
            let count = bytes.len().min(buffer.len());
            assert!(count > 0, "no room for more");
            buffer[..count].copy_from_slice(&bytes[..count]);
            self.client.received(count);
            bytes = &bytes[count..];
            self.drain();
        }
    }

    fn request(&mut self, choice: u8) {
        let request = request(choice);
        let silent = matches!(request, Request::Process(process::Request::KillAll));
        // Refused: there is too much under way already.
        if let Ok(id) = self.client.request(&request)
            && !silent
        {
            self.asked.push(id);
        }
    }

    /// Takes out what has come.
    fn drain(&mut self) {
        while let Some(output) = self.client.poll() {
            let Output::Reply { request, reply } = output else { continue };
            assert_eq!(self.asked.first(), Some(&request), "an answer to something else");
            self.asked.remove(0);
            walk(&reply);
        }
        assert_eq!(
            self.client.is_waiting() && self.client.is_ready(),
            !self.asked.is_empty() && self.client.is_ready()
        );
        assert!(self.client.transmit().len() <= MOST);
    }
}

/// Goes through what is in a reply.
fn walk(reply: &Reply<'_>) {
    match reply {
        Reply::Event(event) => {
            if let Event::Stopped(stop) = event {
                assert!(stop.registers.len() <= MAX_EXPEDITED_REGISTERS);
            }
            let mut body = Vec::new();
            event.lend(|event| event.emit(&mut body, Features::ALL.without(Feature::Lldb)));
            assert!(!body.is_empty());
        }
        Reply::Registers(registers) => {
            registers.parts().for_each(drop);
            assert_eq!(registers.get(0..registers.len()).is_some(), registers.gaps().is_empty());
        }
        _ => {}
    }
}

/// Some request.
fn request(choice: u8) -> Request<'static> {
    let actions = || resume::Actions::parse(b"s:p1.1;c").expect("they are actions");
    match choice % 16 {
        0 => resume::Request::Resume { actions: actions(), address: None }.into(),
        1 => memory::Request::Read { address: 16, length: 16, encoding: Encoding::Hex }.into(),
        2 => memory::Request::Read { address: 16, length: 16, encoding: Encoding::Binary }.into(),
        3 => memory::Request::Write { address: 16, data: b"}#$*" }.into(),
        4 => registers::Request::ReadAll.into(),
        5 => thread::Request::List.into(),
        6 => thread::Request::Current.into(),
        7 => query::Request::Monitor(b"help").into(),
        8 => file::Request::Pread { fd: 1, count: 16, offset: 0 }.into(),
        9 => process::Request::Status.into(),
        10 => process::Request::KillAll.into(),
        11 => memory::Request::Search { address: 0, length: 16, pattern: b"a" }.into(),
        12 => transfer::Request::Read { object: Object::Features, annex: b"target.xml", offset: 0, length: 99 }.into(),
        13 => settings::Request::WorkingDirectory(b"/").into(),
        14 => breakpoint::Request::Remove { kind: breakpoint::Kind::Software, address: 1, size: 1 }.into(),
        _ => thread::Request::Select { scope: Scope::General, thread: ThreadSelector::ANY }.into(),
    }
}
