//! What the client asks of the debuggees, family by family.

use super::client::Client;
use super::handover::Handover;
use super::stop::with_event;
use super::terms::Terms;
use super::voice::Voice;
use super::{file, memory, platform, process, query, registers, thread, trace, transfer};
use crate::engine::error::Error;
use crate::engine::host::platform::ProcessList;
use crate::engine::host::{Awaited, HostFiles};
use crate::engine::{Catch, Engine, Report, StandardStreams};
use dbgsrv_protocol::options::StandardStreams as Side;
use dbgsrv_protocol::rsp::breakpoint::Kind;
use dbgsrv_protocol::rsp::description::Dialect;
use dbgsrv_protocol::rsp::request::Request;
use dbgsrv_protocol::rsp::server::{Exchange, Feature, Reply, Server};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use dbgsrv_protocol::rsp::{breakpoint, console, resume, settings};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::iter::Peekable;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::rc::Rc;

/// A session's state beside what the protocol machine and the engine remember.
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub(crate) struct Conversation {
    pub(super) client: Client,
    pub(crate) engine: Engine,
    pub(super) files: HostFiles,
    /// To and from other sessions of the same client.
    pub(super) handover: Handover,
    /// The object that the client is reading in pieces.
    pub(super) transfer: transfer::Snapshot,
    /// The processes that the client is going through.
    pub(super) listed: Peekable<ProcessList>,
    /// Memory and register contents on their way out.
    pub(super) scratch: Vec<u8>,
    /// The last stop, for `?`.
    pub(crate) last: Option<Report>,
    /// The program that ran last, for `vRun` without one and for `R`.
    pub(crate) program: Option<(Vec<u8>, Vec<Vec<u8>>)>,
    /// The process that the client waits for, to attach to it.
    pub(super) awaited: Option<Awaited>,
    /// The client has interrupted its waiting, and is to be told so.
    pub(super) given_up: bool,
    /// Registers that the client has put aside.
    pub(super) saved: registers::Saved,
    /// Why the last attach or run failed, for `monitor why`.
    pub(super) refusal: Option<String>,
    /// Tells of what becomes of the debuggees.
    pub(crate) voice: Voice,
    pub(super) terms: Terms,
    /// The client's, where there is one.
    pub(super) stream: Option<Rc<OwnedFd>>,
    /// A client has asked for the extended protocol (`!`).
    pub(crate) extended: bool,
    /// Each thread stops by itself.
    pub(super) non_stop: bool,
    /// A process has been attached to, and nobody has asked for its threads or resumed them since.
    pub(crate) untouched: bool,
    /// A resume packet is to be answered with a stop.
    waiting: bool,
    over: bool,
}

impl Conversation {
    /// A conversation with a client that is still to come.
    pub(crate) fn new(engine: Engine, voice: Voice, terms: Terms) -> Self {
        Self {
            client: Client::default(),
            engine,
            files: HostFiles::default(),
            handover: Handover::default(),
            transfer: transfer::Snapshot::default(),
            listed: ProcessList::default().peekable(),
            scratch: Vec::new(),
            last: None,
            program: None,
            awaited: None,
            given_up: false,
            saved: registers::Saved::default(),
            refusal: None,
            voice,
            terms,
            stream: None,
            extended: false,
            non_stop: false,
            untouched: false,
            waiting: false,
            over: false,
        }
    }

    /// Begins with a new client. Of the former one the debuggees are left, the program that ran last, and whether it
    /// spoke the extended protocol.
    pub(super) fn welcome(&mut self, client: Client, stream: Rc<OwnedFd>) {
        self.client = client;
        self.stream = Some(stream);
        self.files = HostFiles::default();
        self.transfer = transfer::Snapshot::default();
        self.awaited = None;
        self.saved = registers::Saved::default();
        self.listed = ProcessList::default().peekable();
        self.refusal = None;
        self.non_stop = false;
        self.waiting = false;
    }

    /// Where the streams of the next program lead: to the client, where one can be told what comes from there, unless it is a
    /// debugger that is connected directly and might have started the program on its own terminal.
    pub(super) fn choose_streams(&mut self) {
        let lldb = self.engine.dialect == Dialect::Lldb;
        let client = match self.terms.streams {
            Some(side) => side == Side::Client,
            None => self.terms.channel || lldb,
        };
        self.engine.launch.streams = match (client && !self.non_stop, lldb) {
            (false, _) => StandardStreams::Inherited,
            (true, true) => StandardStreams::Typed,
            // GDB has no way to send what its user types.
            (true, false) => StandardStreams::Printed,
        };
    }

    /// Whether the client has ended the session, and not just its connection.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether there may be something to tell the client: it waits for a stop, or is told of each in non-stop mode.
    pub(super) fn is_waiting(&self, server: &Server) -> bool {
        self.waiting || server.is_non_stop() && self.engine.is_running()
    }

    /// The client is to be let go as soon as it has been answered.
    pub(super) fn finish(&mut self) {
        self.over = true;
    }

    /// The client speaks LLDB's dialect. Where it has a platform here, it counts on beginning in that one's directory.
    fn speak_lldb(&mut self) {
        if self.engine.dialect != Dialect::Lldb {
            self.engine.dialect = Dialect::Lldb;
            if let Some(directory) = self.handover.take() {
                self.engine.launch.directory = Some(directory);
            }
        }
    }

    /// Carries a request out and answers it.
    pub(super) fn answer(&mut self, exchange: Exchange<'_>) {
        let Exchange { thread: current, request, reply } = exchange;
        if reply.features().has(Feature::Lldb) {
            self.speak_lldb();
        } else {
            self.engine.dialect = Dialect::Gdb;
        }
        match request {
            Request::Breakpoint(request) => self.breakpoint(current, request, reply),
            Request::Console(console::Request::Type(text)) => finish(self.engine.type_in(text), reply),
            Request::File(request) => file::answer(self, request, reply),
            Request::Memory(request) => memory::answer(self, current, request, reply),
            Request::Platform(request) => platform::answer(self, request, reply),
            Request::Process(request) => process::answer(self, current, request, reply),
            Request::Query(request) => query::answer(self, current, request, reply),
            Request::Registers(request) => registers::answer(self, current, request, reply),
            Request::Resume(request) => self.resume(request, reply),
            Request::Setting(request) => self.setting(current, request, reply),
            Request::Thread(request) => thread::answer(self, current, request, reply),
            Request::Trace(request) => trace::answer(self, current, request, reply),
            Request::Transfer(request) => transfer::answer(self, current, request, reply),
        }
    }

    /// Sends a report as the stop that the client waits for.
    pub(super) fn tell(&mut self, report: &Report, server: &mut Server) {
        self.waiting = false;
        self.voice.report(report);
        self.last = Some(report.clone());
        with_event(&mut self.engine, report, server.features(), |event| {
            if server.is_non_stop() { server.push_event(event) } else { server.handle_event(event) }
        });
    }

    /// All threads that the client resumed are gone: it must not wait for ever.
    pub(super) fn nothing_runs(&mut self, server: &mut Server) {
        self.tell(&Report::NoResumed, server);
    }

    /// Answers a request with a report: `?`, `vRun`, `vAttach`.
    pub(super) fn reply_report(&mut self, report: &Report, reply: Reply<'_>) {
        self.last = Some(report.clone());
        with_event(&mut self.engine, report, reply.features(), |event| reply.event(event));
    }

    fn breakpoint(&mut self, thread: ThreadSelector, request: breakpoint::Request<'_>, reply: Reply<'_>) {
        // GDB tries the kind that watches both itself.
        let lldb = reply.features().has(Feature::Lldb);
        let watched = |kind| if lldb && kind == Kind::ReadWatch { Kind::AccessWatch } else { kind };
        let done = match request {
            breakpoint::Request::Insert { kind, address, size, conditions, commands, .. } => {
                let kind = watched(kind);
                self.engine.insert_breakpoint(thread, kind, address, size, conditions, commands)
            }
            breakpoint::Request::Remove { kind, address, size } => {
                self.engine.remove_breakpoint(thread, watched(kind), address, size)
            }
        };
        match done {
            Err(Error::Unsupported) => reply.unsupported(),
            done => finish(done, reply),
        }
    }

    fn resume(&mut self, request: resume::Request<'_>, reply: Reply<'_>) {
        match request {
            resume::Request::Interrupt => {
                // A client that waits for a process is told that there is none, see `run`.
                self.given_up |= self.awaited.take().is_some();
                self.engine.interrupt();
                reply.ok();
            }
            resume::Request::Resume { .. } if self.waiting => refuse(&Error::Running, reply),
            resume::Request::Resume { actions, address } => {
                self.untouched = false;
                match self.engine.resume_except(actions, address, |thread| reply.is_untold(thread)) {
                    Ok(()) => {
                        self.waiting = !self.non_stop;
                        reply.defer();
                    }
                    Err(error) => refuse(&error, reply),
                }
            }
        }
    }

    fn setting(&mut self, thread: ThreadSelector, request: settings::Request<'_>, reply: Reply<'_>) {
        let launch = &mut self.engine.launch;
        match request {
            // What a session has started ends with it, unless it was let go: nobody could find it again. And a program is
            // run as what it is.
            settings::Request::DetachOnError(_) | settings::Request::LaunchArchitecture(_) => {}
            settings::Request::DisableRandomization(disable) => launch.disable_randomization = disable,
            settings::Request::EnvironmentReset => launch.reset_environment(),
            settings::Request::EnvironmentSet(pair) => {
                let mut halves = pair.splitn(2, |&byte| byte == b'=').map(|half| OsString::from_vec(half.to_vec()));
                let name = halves.next().unwrap_or_default();
                let set = launch.set_variable(name, Some(halves.next().unwrap_or_default()));
                return finish(set, reply);
            }
            settings::Request::EnvironmentUnset(name) => {
                return finish(launch.set_variable(OsStr::from_bytes(name).to_owned(), None), reply);
            }
            settings::Request::PassSignals(signals) => self.engine.set_pass_signals(signals.iter()),
            settings::Request::ProgramSignals(signals) => self.engine.set_program_signals(signals.iter()),
            settings::Request::StandardStream { stream, path } => {
                launch.files[stream as usize] = (!path.is_empty()).then(|| OsStr::from_bytes(path).into());
            }
            settings::Request::StartupWithShell(shell) => launch.shell = shell,
            settings::Request::WorkingDirectory(path) => {
                launch.directory = (!path.is_empty()).then(|| home_expanded(path));
            }
            settings::Request::CatchSyscalls(calls) => {
                let catch = match calls.map(|calls| calls.iter().collect::<BTreeSet<_>>()) {
                    None => Catch::None,
                    Some(calls) if calls.is_empty() => Catch::All,
                    Some(calls) => Catch::Some(calls),
                };
                return finish(self.engine.catch_syscalls(thread, catch), reply);
            }
            settings::Request::ThreadEvents(wanted) => self.engine.set_thread_events(wanted),
            settings::Request::NonStop(non_stop) => {
                self.non_stop = non_stop;
                self.engine.set_non_stop(non_stop);
            }
        }
        reply.ok();
    }
}

/// A path whose `~` before the first slash stands for the home directory of the server's user, as in a shell.
fn home_expanded(path: &[u8]) -> PathBuf {
    let rest = path.strip_prefix(b"~").filter(|rest| rest.is_empty() || rest.starts_with(b"/"));
    match (rest, std::env::var_os("HOME")) {
        (Some(rest), Some(mut home)) => {
            home.push(OsStr::from_bytes(rest));
            home.into()
        }
        _ => OsStr::from_bytes(path).into(),
    }
}

/// Answers with OK, or with the error.
pub(super) fn finish(done: Result<(), Error>, reply: Reply<'_>) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => refuse(&error, reply),
    }
}

/// Answers with an error.
pub(super) fn refuse(error: &Error, reply: Reply<'_>) {
    let code = match error {
        // The numbers that lldb-server has for these.
        Error::NoProcess if reply.features().has(Feature::Lldb) => 0x44,
        Error::NoThread if reply.features().has(Feature::Lldb) => 0x15,
        error => error.code(),
    };
    reply.error(code, &error.to_string());
}
