//! Everything of the machine but the received bytes: replies borrow from those while this goes on.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use super::super::features::{self, Capability, Features, Offer};
use super::super::memory::{self, Encoding};
use super::super::output::Output as Transmit;
use super::super::packet::hex;
use super::super::request::Request;
use super::super::thread::ThreadSelector;
use super::super::{process, settings};
use super::reply::{Kind, Reply};
use super::{Output, Refused, RequestId, Violation, event};
use crate::ids::{Pid, ThreadId};
use crate::limits::{MAX_LISTED_THREADS, MAX_PIPELINED, TRANSMIT_MARK};

/// The state of a conversation, and the bytes to send.
#[derive(Debug)]
pub(super) struct State {
    pub(super) output: Transmit,
    pub(super) offer: Offer,
    /// How memory is written: binary, until the server turns out not to know that.
    pub(super) writes: Encoding,
    /// What is under way, the oldest first.
    expected: VecDeque<Expected>,
    next: u64,
    greeted: bool,
    /// The process that a thread belongs to where the server names none.
    home: Option<Pid>,
    /// The list that is being told.
    threads: Vec<ThreadId>,
    violation: Option<Violation>,
}

/// A packet that has to be answered.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Greeting(Greeting),
    Reply(RequestId, Kind),
}

/// What the machine says before anybody else does.
#[derive(Clone, Copy, Debug)]
enum Greeting {
    /// `qSupported`.
    Features,
    /// `QStartNoAckMode`.
    NoAck,
    /// `!`.
    ExtendedMode,
    /// `vCont?`.
    Actions,
}

impl State {
    pub(super) fn new(features: Features) -> Self {
        let mut state = Self {
            output: Transmit::default(),
            offer: Offer::NONE,
            writes: Encoding::Binary,
            expected: VecDeque::from([Expected::Greeting(Greeting::Features)]),
            next: 0,
            greeted: false,
            home: None,
            threads: Vec::new(),
            violation: None,
        };
        state.output.packet(|out| features::announce(out, features));
        state
    }

    pub(super) fn is_ready(&self) -> bool {
        self.greeted && self.violation.is_none()
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.expected.is_empty()
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.expected.back(), Some(Expected::Reply(_, Kind::Event)))
    }

    pub(super) fn violation(&self) -> Option<Violation> {
        self.violation
    }

    pub(super) fn violate(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    pub(super) fn request(&mut self, request: &Request<'_>) -> Result<RequestId, Refused> {
        self.admit(request)?;
        let limit = self.offer.packet_size;
        let writes = self.writes;
        let written = self.output.packet_within(limit, |out| match *request {
            Request::Memory(memory::Request::Write { address, data }) if writes == Encoding::Hex => {
                memory::put_hex_write(out, address, data);
            }
            _ => request.emit(out),
        });
        written.map_err(|length| Refused::TooLarge { length, limit })?;
        match request {
            Request::Process(process::Request::Attach(pid)) => self.home = Some(*pid),
            Request::Process(process::Request::Run { .. }) => self.home = None,
            _ => {}
        }
        let id = RequestId(self.next);
        self.next += 1;
        if let Some(kind) = Kind::new(request) {
            self.expected.push_back(Expected::Reply(id, kind));
        }
        Ok(id)
    }

    /// Whether `request` may be made now.
    fn admit(&self, request: &Request<'_>) -> Result<(), Refused> {
        let listing = matches!(self.expected.back(), Some(Expected::Reply(_, Kind::Threads)));
        let most = if self.output.is_no_ack() { MAX_PIPELINED } else { 1 };
        if self.violation.is_some() {
            Err(Refused::Ended)
        } else if self.is_running() {
            Err(Refused::Running)
        } else if matches!(request, Request::Setting(settings::Request::NonStop(true))) {
            Err(Refused::NonStop)
        } else if !self.greeted
            || listing
            || self.expected.len() >= most
            || self.output.pending().len() >= TRANSMIT_MARK
        {
            Err(Refused::Busy)
        } else {
            Ok(())
        }
    }

    pub(super) fn interrupt(&mut self) -> Result<(), Refused> {
        if self.violation.is_some() {
            return Err(Refused::Ended);
        }
        self.output.interrupt();
        self.check_flood();
        Ok(())
    }

    /// Acknowledges a packet, if that is done at all; whether it is to be processed.
    pub(super) fn accept(&mut self, body: &[u8], checksum: [u8; 2]) -> bool {
        let accepted = self.output.accept(body, checksum);
        self.check_flood();
        accepted
    }

    pub(super) fn retransmit(&mut self) {
        if !self.output.retransmit() {
            self.violate(Violation::Rejections);
        }
        self.check_flood();
    }

    /// Requests stop at the mark; what is far beyond it is the server's doing.
    fn check_flood(&mut self) {
        if self.output.pending().len() > 2 * TRANSMIT_MARK {
            self.violate(Violation::Flood);
        }
    }

    /// Deals with a packet that only concerns the machine; whether it was one.
    pub(super) fn consume(&mut self, body: &[u8]) -> bool {
        match self.expected.front() {
            Some(Expected::Greeting(greeting)) if !is_console(body) => {
                let greeting = *greeting;
                self.expected.pop_front();
                self.greet(greeting, body);
                true
            }
            Some(Expected::Reply(_, Kind::Threads)) => match body {
                [b'm', list @ ..] => self.take_threads(list),
                _ => false,
            },
            _ => false,
        }
    }

    /// Takes note of the answer to one step of the greeting, and goes on to the next.
    fn greet(&mut self, answered: Greeting, body: &[u8]) {
        match answered {
            Greeting::Features => {
                self.offer = Offer::read(body);
                let no_ack = self.offer.capabilities.has(Capability::NoAck);
                self.say(if no_ack { Greeting::NoAck } else { Greeting::ExtendedMode });
            }
            Greeting::NoAck => {
                if body == b"OK" {
                    self.output.stop_acknowledging();
                }
                self.say(Greeting::ExtendedMode);
                if self.output.is_no_ack() {
                    self.say(Greeting::Actions);
                }
            }
            Greeting::ExtendedMode if self.output.is_no_ack() => {}
            Greeting::ExtendedMode => self.say(Greeting::Actions),
            Greeting::Actions => {
                self.offer.capabilities = features::read_actions(body, self.offer.capabilities);
                self.greeted = true;
            }
        }
    }

    fn say(&mut self, greeting: Greeting) {
        let body: &[u8] = match greeting {
            // Said already by `State::new`.
            Greeting::Features => return,
            Greeting::NoAck => b"QStartNoAckMode",
            Greeting::ExtendedMode => b"!",
            Greeting::Actions => b"vCont?",
        };
        self.expected.push_back(Expected::Greeting(greeting));
        self.output.packet(|out| out.extend_from_slice(body));
    }

    /// Takes in a part of the list of threads, and asks for the next. `false` if it has something that is no thread.
    fn take_threads(&mut self, list: &[u8]) -> bool {
        for item in list.split(|byte| *byte == b',') {
            let thread = ThreadSelector::whole(item).and_then(|thread| event::complete(thread, self.home));
            let Some(thread) = thread else { return false };
            if self.threads.len() == MAX_LISTED_THREADS {
                self.violate(Violation::Threads);
                return true;
            }
            self.threads.push(thread);
        }
        self.output.packet(|out| out.extend_from_slice(b"qsThreadInfo"));
        true
    }

    /// What `body` is to whoever uses the machine.
    pub(super) fn deliver<'a>(&mut self, body: &'a mut [u8]) -> Option<Output<'a>> {
        if is_console(body) {
            return hex::decode_in_place(&mut body[1..]).map(|text| Output::Console(text));
        }
        let Some(Expected::Reply(request, kind)) = self.expected.pop_front() else {
            self.violate(Violation::Unsolicited);
            return None;
        };
        // Whatever the answer is, a list that has begun is over.
        let told = mem::take(&mut self.threads);
        let mut reply = Reply::parse(kind, body, self.home);
        match &mut reply {
            Reply::Event(event) => self.home = event.process().or(self.home),
            Reply::Threads(threads) => *threads = told,
            Reply::Unsupported if kind == Kind::MemoryWrite => self.writes = Encoding::Hex,
            _ => {}
        }
        Some(Output::Reply { request, reply })
    }
}

/// Whether `body` is text for the user: `O` and hex, which `OK` is not.
fn is_console(body: &[u8]) -> bool {
    match body {
        [b'O', text @ ..] => !text.is_empty() && text.len().is_multiple_of(2) && text.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    }
}
