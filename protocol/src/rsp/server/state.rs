//! Everything of the machine but the receive buffer: replies borrow this while requests borrow that.

use alloc::format;
use alloc::vec::Vec;

use super::super::output::Output;
use super::super::request::{Malformed, Request};
use super::super::stop::Event;
use super::super::thread::{self, ThreadSelector, put_thread};
use super::super::{features, file, memory, packet, resume, settings, transfer};
use super::notify::Notifications;
use super::reply::{About, ErrorForm};
use super::select::Selection;
use super::{Capabilities, Exchange, Feature, Features, Reply, Violation};
use crate::ids::ThreadId;
use crate::limits::TRANSMIT_MARK;

/// `EINVAL`, for packets that are malformed.
const INVALID: u8 = 22;

/// `EMSGSIZE`, for packets that are too large.
const TOO_LARGE: u8 = 90;

/// What lldb-server answers where a thread's process is none of its own.
const NO_SUCH_PROCESS: u8 = 0xff;

/// What LLDB sends after it has given up an answer: what comes before the echo is the late one.
const ECHO: &[u8] = b"qEcho:";

/// How well the client is known: whether it is GDB, LLDB or another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Acquaintance {
    /// It has said nothing yet that tells.
    None,
    /// It has done as LLDB does, and has not said that it is another.
    Presumed,
    /// It has sent `qSupported`, or what only LLDB sends.
    Made,
}

/// The state of a conversation, and the bytes to send.
#[derive(Debug)]
pub(super) struct State {
    pub(super) packet_size: usize,
    pub(super) capabilities: Capabilities,
    pub(super) features: Features,
    acquaintance: Acquaintance,
    pub(super) selection: Selection,
    pub(super) output: Output,
    pub(super) notifications: Notifications,
    /// Threads for `qsThreadInfo`, the next one last.
    pub(super) unlisted: Vec<ThreadId>,
    pub(super) non_stop: bool,
    pub(super) stop_reply_due: bool,
    pub(super) violation: Option<Violation>,
}

impl State {
    pub(super) fn new(packet_size: usize, capabilities: Capabilities) -> Self {
        Self {
            packet_size,
            capabilities,
            features: Features::NONE,
            acquaintance: Acquaintance::None,
            selection: Selection::new(),
            output: Output::default(),
            notifications: Notifications::default(),
            unlisted: Vec::new(),
            non_stop: false,
            stop_reply_due: false,
            violation: None,
        }
    }

    /// Whether the client has to read before anything else is done for it, or nothing is.
    pub(super) fn is_stalled(&self) -> bool {
        self.violation.is_some() || self.output.pending().len() >= TRANSMIT_MARK
    }

    /// Whether the server does what `request` asks for.
    pub(super) fn offers(&self, request: &Request<'_>) -> bool {
        features::needed(request).is_none_or(|capability| self.capabilities.has(capability))
    }

    /// Answers `body` if that needs nobody else; whether it did.
    pub(super) fn answer(&mut self, body: &[u8]) -> bool {
        match body {
            _ if features::is_untold(body, self.capabilities) => self.output.packet(|_| {}),
            [b'H', _, id @ ..] if self.features.has(Feature::Lldb) && thread::is_of_no_process(id) => {
                let form = ErrorForm::unasked(self.features);
                self.output.packet(|out| form.emit(out, NO_SUCH_PROCESS, "the thread has to be one of one process"));
            }
            b"qsThreadInfo" => self.list_threads(),
            b"vCont?" => self.output.packet(|out| features::write_actions(out, self.capabilities)),
            b"vStopped" => self.notifications.confirm(&mut self.output),
            b"vMustReplyEmpty" => {
                self.features = self.features.with(Feature::Gdb);
                self.output.packet(|_| {});
            }
            b"QEnableErrorStrings" => {
                self.features = self.features.with(Feature::ErrorStrings);
                self.put_ok();
            }
            b"QThreadSuffixSupported" if self.capabilities.has(features::Capability::Lldb) => {
                self.speak_lldbs();
                self.put_ok();
            }
            b"QListThreadsInStopReply" if self.capabilities.has(features::Capability::Lldb) => {
                self.speak_lldbs();
                self.features = self.features.with(Feature::ThreadsInStops);
                self.put_ok();
            }
            b"qMemoryRegionInfo" | b"qVAttachOrWaitSupported" if self.capabilities.has(features::Capability::Lldb) => {
                self.put_ok();
            }
            b"QStartNoAckMode" if self.capabilities.has(features::Capability::NoAck) => self.start_no_ack(),
            _ => match body.strip_prefix(b"qSupported") {
                Some(announced @ ([] | [b':' | b';', ..])) => self.introduce(announced),
                _ if body.starts_with(ECHO) && self.capabilities.has(features::Capability::Lldb) => {
                    self.output.packet(|out| out.extend_from_slice(body));
                }
                _ => return false,
            },
        }
        true
    }

    /// `QStartNoAckMode`. GDB asks first what there is, and LLDB afterwards: on a platform's connection never, so that there
    /// is nothing else to know it by.
    fn start_no_ack(&mut self) {
        if self.acquaintance == Acquaintance::None && self.capabilities.has(features::Capability::Lldb) {
            self.features = self.features.with(Feature::Lldb);
            self.acquaintance = Acquaintance::Presumed;
        }
        self.put_ok();
        self.output.stop_acknowledging();
    }

    /// Takes the client for LLDB, by what nobody else sends.
    fn speak_lldbs(&mut self) {
        self.features = self.features.with(Feature::Lldb);
        self.acquaintance = Acquaintance::Made;
    }

    /// `qSupported`, with what the client understands.
    fn introduce(&mut self, announced: &[u8]) {
        // Whoever announces anything in the usual form says who it is; LLDB's own tests of its servers have other forms.
        if announced.starts_with(b":") && self.acquaintance == Acquaintance::Presumed {
            self.features = self.features.without(Feature::Lldb);
        }
        self.acquaintance = Acquaintance::Made;
        self.features = features::read(announced, self.capabilities, self.features);
        let Self { packet_size, capabilities, features, .. } = *self;
        self.output.packet(|out| features::write(out, packet_size, capabilities, features));
    }

    /// `body` without the thread that it ends with, where the client is one that puts it there.
    pub(super) fn split_thread<'b>(&self, body: &'b mut [u8]) -> (&'b mut [u8], Option<ThreadSelector>) {
        if self.features.has(Feature::Lldb) { thread::split_suffix(body) } else { (body, None) }
    }

    /// `request`, and the means to answer it; `thread` if the packet names the one that it concerns.
    pub(super) fn exchange<'a>(&'a mut self, mut request: Request<'a>, thread: Option<ThreadSelector>) -> Exchange<'a> {
        self.bound(&mut request);
        let about = About::new(self.features, &request);
        let form = ErrorForm::new(self.features, &request);
        let thread = thread.unwrap_or(self.selection.general);
        Exchange { thread, request, reply: Reply::new(self, about, form) }
    }

    /// The byte 0x03.
    pub(super) fn interrupt(&mut self) -> Exchange<'_> {
        let request = Request::Resume(resume::Request::Interrupt);
        let thread = self.selection.general;
        Exchange { thread, request, reply: Reply::new(self, About::Silent, ErrorForm::Code) }
    }

    /// Lowers what a request asks for to what a reply can hold, and fills in what only the conversation knows.
    fn bound(&self, request: &mut Request<'_>) {
        let most = self.packet_size as u64;
        match request {
            Request::Memory(memory::Request::Read { length, encoding: memory::Encoding::Hex, .. }) => {
                *length = (*length).min(most / 2);
            }
            Request::Memory(memory::Request::Read { length, .. })
            | Request::Transfer(transfer::Request::Read { length, .. })
            | Request::File(file::Request::Pread { count: length, .. }) => {
                *length = (*length).min(most - packet::FRAMING as u64);
            }
            Request::Resume(resume::Request::Resume { actions, .. }) => {
                *actions = actions.bind(self.selection.resume, self.selection.general, self.features);
            }
            Request::Setting(settings::Request::PassSignals(signals) | settings::Request::ProgramSignals(signals)) => {
                *signals = signals.numbered(self.features.numbering());
            }
            _ => {}
        }
    }

    pub(super) fn retransmit(&mut self) {
        if !self.output.retransmit() {
            self.violation = Some(Violation::Rejections);
        }
    }

    pub(super) fn refuse_oversized(&mut self) {
        self.output.accept_unread();
        let form = ErrorForm::unasked(self.features);
        self.output.packet(|out| form.emit(out, TOO_LARGE, "packet larger than PacketSize"));
    }

    pub(super) fn refuse_malformed(&mut self, malformed: Malformed) {
        let form = ErrorForm::unasked(self.features);
        self.output.packet(|out| form.emit(out, INVALID, &format!("{malformed}")));
    }

    pub(super) fn put_ok(&mut self) {
        self.output.packet(|out| out.extend_from_slice(b"OK"));
    }

    /// Writes the first packet of the list of threads.
    pub(super) fn list_first_threads(&mut self) {
        // LLDB makes a thread up where an empty list has its usual form.
        if self.unlisted.is_empty() && self.features.has(Feature::Lldb) { self.put_ok() } else { self.list_threads() }
    }

    /// Writes as many of the unlisted threads as a packet holds.
    pub(super) fn list_threads(&mut self) {
        let Self { packet_size, features, unlisted, output, .. } = self;
        let multiprocess = features.names_processes();
        output.packet(|out| {
            let start = out.len();
            out.push(if unlisted.is_empty() { b'l' } else { b'm' });
            // The longest thread-id has 19 characters, with a comma before it 20.
            while out.len() - start + 20 <= *packet_size {
                let Some(thread) = unlisted.pop() else { break };
                if out.len() - start > 1 {
                    out.push(b',');
                }
                put_thread(out, thread, multiprocess);
            }
        });
        if unlisted.is_empty() {
            *unlisted = Vec::new();
        }
    }

    /// Writes a stop reply; the client then takes the thread for the chosen one.
    pub(super) fn put_event(&mut self, event: &Event<'_>) {
        self.selection.follow(event);
        let (features, capabilities) = (self.features, self.capabilities);
        self.output.packet(|out| event.emit_within(out, features, capabilities));
    }

    pub(super) fn handle_event(&mut self, event: &Event<'_>) {
        let unheard_of = *event == Event::NoResumed && !self.features.has(Feature::NoResumed);
        if self.stop_reply_due && !unheard_of {
            self.stop_reply_due = false;
            self.put_event(event);
        }
    }

    pub(super) fn handle_error(&mut self, errno: u8, text: &str) {
        if core::mem::take(&mut self.stop_reply_due) {
            let form = ErrorForm::unasked(self.features);
            self.output.packet(|out| form.emit(out, errno, text));
        }
    }

    pub(super) fn push_event(&mut self, event: &Event<'_>) {
        if !self.notifications.push(event, self.features, &mut self.output) {
            self.violation = Some(Violation::UnfetchedStops);
        }
    }

    pub(super) fn console(&mut self, text: &[u8]) {
        for part in text.chunks(self.packet_size / 2 - 1) {
            self.output.packet(|out| {
                out.push(b'O');
                packet::hex::encode(out, part);
            });
        }
    }
}
