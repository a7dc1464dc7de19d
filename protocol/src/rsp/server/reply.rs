//! Answers.

mod error;
mod lldb;
mod platform;
mod trace;

use alloc::vec::Vec;

pub(super) use self::error::ErrorForm;
use self::error::put_file_error;
use super::super::packet::{escape, hex, run_length};
use super::super::request::Request;
use super::super::stop::Event;
use super::super::thread::{Scope, ThreadSelector, put_thread};
use super::super::{field, memory, process, query, resume, settings, thread, transfer};
use super::select::Selection;
use super::state::State;
use super::{Feature, Features, Violation};
use crate::ids::{Pid, ThreadId};

/// `ESRCH`, where LLDB asks for what there can't be without a process.
const NO_PROCESS: u8 = 3;

/// Answers one request; each method but [`Reply::console`] consumes it.
///
/// Requests that have no answer (the byte 0x03, `k`, `R`) are answered like all others, and nothing is written.
#[must_use = "the client waits for an answer"]
#[derive(Debug)]
pub struct Reply<'a> {
    state: &'a mut State,
    about: About,
    form: ErrorForm,
}

/// A piece of an answer to `g` or `p`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RegisterPart<'a> {
    /// Registers' values, in target order.
    Known(&'a [u8]),
    /// So many bytes of registers that cannot be read.
    Unavailable(usize),
}

/// What an answer depends on.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    /// Detaching from or killing a process.
    End(Option<Pid>),
    File,
    /// Killing everything, of which LLDB awaits the news.
    KillAll,
    Memory(memory::Encoding),
    Monitor,
    NonStop(bool),
    Other,
    Resume,
    Select(Scope, ThreadSelector),
    /// There is no answer.
    Silent,
    Transfer {
        offset: u64,
        length: u64,
    },
}

impl About {
    pub(super) fn new(features: Features, request: &Request<'_>) -> Self {
        match *request {
            Request::File(_) => Self::File,
            Request::Memory(memory::Request::Read { encoding, .. }) => Self::Memory(encoding),
            Request::Process(process::Request::Detach(pid)) => Self::End(pid),
            Request::Process(process::Request::DetachStopped(pid) | process::Request::Kill(pid)) => {
                Self::End(Some(pid))
            }
            Request::Process(process::Request::KillAll) if features.has(Feature::Lldb) => Self::KillAll,
            Request::Process(process::Request::KillAll | process::Request::Restart) => Self::Silent,
            Request::Query(query::Request::Monitor(_)) => Self::Monitor,
            Request::Resume(resume::Request::Resume { .. }) => Self::Resume,
            Request::Setting(settings::Request::NonStop(on)) => Self::NonStop(on),
            Request::Thread(thread::Request::Select { scope, thread }) => Self::Select(scope, thread),
            Request::Transfer(transfer::Request::Read { offset, length, .. }) => Self::Transfer { offset, length },
            _ => Self::Other,
        }
    }
}

impl<'a> Reply<'a> {
    pub(super) fn new(state: &'a mut State, about: About, form: ErrorForm) -> Self {
        Self { state, about, form }
    }

    /// What the client understands.
    #[must_use]
    pub fn features(&self) -> Features {
        self.state.features
    }

    fn send(self, write: impl FnOnce(&mut Vec<u8>)) {
        if !matches!(self.about, About::Silent) {
            self.state.output.packet(write);
        }
    }

    /// Whether the client takes thread-ids that name their process (`multiprocess`), for objects that hold such ids.
    #[must_use]
    pub fn is_multiprocess(&self) -> bool {
        self.state.features.names_processes()
    }

    /// Whether a stop that concerns `thread`, or by which the client learns of it, has not been fetched yet (non-stop mode).
    #[must_use]
    pub fn is_untold(&self, thread: ThreadId) -> bool {
        self.state.notifications.name(thread)
    }

    /// Done. Selects the thread, switches the mode or forgets the process that the request was about.
    pub fn ok(self) {
        match self.about {
            About::End(Some(pid)) => {
                self.state.selection.forget(pid);
                self.state.notifications.forget(pid);
            }
            About::End(None) => self.state.selection = Selection::new(),
            About::KillAll => {
                self.state.selection = Selection::new();
                return self.send(|out| out.extend_from_slice(b"X09"));
            }
            About::NonStop(on) => self.state.non_stop = on,
            About::Select(scope, thread) => self.state.selection.choose(scope, thread),
            _ => {}
        }
        self.send(|out| out.extend_from_slice(b"OK"));
    }

    /// Done with `H`, which meant `thread`.
    pub fn selected(self, thread: ThreadId) {
        if let About::Select(scope, _) = self.about {
            self.state.selection.choose(scope, thread.into());
        }
        self.send(|out| out.extend_from_slice(b"OK"));
    }

    /// The server does not know the packet.
    pub fn unsupported(self) {
        self.send(|_| {});
    }

    /// It failed. `errno` is 1 to 255 and, in answer to [`Request::File`], the protocol's own number; `text` is a
    /// sentence for the user, who sees it if the client has a way to show it. At most
    /// [`MAX_ERROR_TEXT`](crate::limits::MAX_ERROR_TEXT) bytes count.
    pub fn error(mut self, errno: u8, text: &str) {
        let form = self.form;
        if form == ErrorForm::Code && matches!(self.about, About::Monitor) {
            // The one request that lets text come before an error.
            self.console(text.as_bytes());
            self.console(b"\n");
        }
        if matches!(form, ErrorForm::Refusal(_)) {
            return self.state.output.notification(|out| form.emit(out, errno, text));
        }
        self.send(|out| form.emit(out, errno, text));
    }

    /// Memory's content, in the encoding that the request asked for.
    pub fn memory(self, bytes: &[u8]) {
        let lldb = self.features().has(Feature::Lldb);
        match self.about {
            // How LLDB finds out whether there are binary reads.
            About::Memory(memory::Encoding::Binary) if lldb && bytes.is_empty() => self.ok(),
            About::Memory(memory::Encoding::Binary) => self.send(|out| {
                if !lldb {
                    out.push(b'b');
                }
                escape::encode(out, bytes);
            }),
            _ => self.send(|out| hex::encode(out, bytes)),
        }
    }

    /// The content of the registers, or of the one asked for.
    pub fn registers(self, values: &[u8]) {
        self.register_parts([RegisterPart::Known(values)]);
    }

    /// The same where some cannot be read.
    pub fn register_parts<'p>(self, parts: impl IntoIterator<Item = RegisterPart<'p>>) {
        // LLDB could expand runs, but its own tests expect digits as from lldb-server.
        let plain = self.features().has(Feature::Lldb);
        self.send(|out| {
            for part in parts {
                match part {
                    RegisterPart::Known(values) if plain => hex::encode(out, values),
                    RegisterPart::Known(values) => run_length::encode_hex(out, values),
                    RegisterPart::Unavailable(count) => out.resize(out.len() + 2 * count, b'x'),
                }
            }
        });
    }

    /// A resume, attach or run goes on; its answer comes with [`super::Server::handle_event`]. In non-stop mode it is
    /// OK, and stops come with [`super::Server::push_event`].
    pub fn defer(self) {
        if self.state.non_stop {
            self.ok();
        } else if !matches!(self.about, About::Silent) {
            self.state.stop_reply_due = true;
        }
    }

    /// A stop reply at once, in answer to `?`, `vAttach` or `vRun`. The thread that stopped becomes the chosen one.
    pub fn event(self, event: &Event<'_>) {
        self.state.put_event(event);
    }

    /// In answer to `?`: all that have stopped and not been resumed. All-stop mode tells the first of them only; that
    /// there is none is told as the end of a process, to LLDB as an error.
    pub fn events<'e>(self, events: impl IntoIterator<Item = Event<'e>>) {
        let mut events = events.into_iter().peekable();
        if events.peek().is_none() && self.features().has(Feature::Lldb) {
            return self.error(NO_PROCESS, "there is no process");
        }
        let state = self.state;
        if state.non_stop {
            if !state.notifications.restart(events, state.features, &mut state.output) {
                state.violation = Some(Violation::UnfetchedStops);
            }
        } else if let Some(event) = events.next() {
            state.put_event(&event);
        } else {
            state.output.packet(|out| out.extend_from_slice(b"W00"));
        }
    }

    /// In answer to `?`: there is no process.
    pub fn exited(self) {
        self.events([]);
    }

    /// The list of all threads. What one packet cannot hold is given out by `qsThreadInfo`.
    pub fn threads(self, threads: impl IntoIterator<Item = ThreadId>) {
        self.state.unlisted.clear();
        self.state.unlisted.extend(threads);
        self.state.unlisted.reverse();
        self.state.list_first_threads();
    }

    /// Text: what a `monitor` command has to say, or what there is to know about a thread.
    pub fn text(self, text: &str) {
        self.hex(text.as_bytes());
    }

    /// The same as bytes.
    pub fn hex(self, text: &[u8]) {
        if text.is_empty() && matches!(self.about, About::Monitor) {
            // An empty answer would mean that there are no monitor commands.
            self.ok();
        } else {
            self.send(|out| hex::encode(out, text));
        }
    }

    /// Shows text while a `monitor` command goes on; an answer has to follow.
    pub fn console(&mut self, text: &[u8]) {
        self.state.console(text);
    }

    /// An object, all of it: what the request asked for is cut out.
    pub fn object(self, object: &[u8]) {
        let About::Transfer { offset, length } = self.about else { return self.unsupported() };
        let rest = usize::try_from(offset).ok().and_then(|offset| object.get(offset..)).unwrap_or_default();
        let part = &rest[..usize::try_from(length).map_or(rest.len(), |length| length.min(rest.len()))];
        self.object_part(part, part.len() == rest.len());
    }

    /// A part of an object, just the one that the request asked for; `last` if nothing comes after it.
    pub fn object_part(self, part: &[u8], last: bool) {
        self.send(|out| {
            out.push(if last { b'l' } else { b'm' });
            escape::encode(out, part);
        });
    }

    /// So many bytes of an object have been written.
    pub fn written(self, count: u64) {
        self.send(|out| field::put_number(out, count));
    }

    /// In answer to `qC`.
    pub fn current_thread(self, thread: ThreadId) {
        let multiprocess = self.is_multiprocess();
        self.send(|out| {
            out.extend_from_slice(b"QC");
            put_thread(out, thread, multiprocess);
        });
    }

    /// In answer to `qAttached`: whether the process was there before the session.
    pub fn attached(self, attached: bool) {
        self.send(|out| field::put_switch(out, attached));
    }

    /// In answer to `qSearch:memory`: where the pattern is.
    pub fn search(self, found: Option<u64>) {
        self.send(|out| {
            field::put_switch(out, found.is_some());
            if let Some(address) = found {
                out.push(b',');
                field::put_number(out, address);
            }
        });
    }

    /// In answer to `qCRC`.
    pub fn crc(self, sum: u32) {
        self.send(|out| {
            out.push(b'C');
            field::put_number(out, sum.into());
        });
    }

    /// In answer to `qGetTLSAddr`.
    pub fn tls_address(self, address: u64) {
        self.send(|out| field::put_number(out, address));
    }

    /// In answer to `qSymbol`: where is `name`?
    pub fn symbol_lookup(self, name: &[u8]) {
        self.send(|out| {
            out.extend_from_slice(b"qSymbol:");
            hex::encode(out, name);
        });
    }

    /// In answer to [`Request::File`]: the result, 0 or more, and the bytes that come with it.
    pub fn file(self, result: i64, attachment: Option<&[u8]>) {
        self.send(|out| {
            out.push(b'F');
            field::put_number(out, result.cast_unsigned());
            if let Some(attachment) = attachment {
                out.push(b';');
                escape::encode(out, attachment);
            }
        });
    }

    /// In answer to [`Request::File`]: it failed with one of the protocol's own error numbers.
    pub fn file_error(self, errno: u32) {
        self.send(|out| put_file_error(out, errno));
    }
}
