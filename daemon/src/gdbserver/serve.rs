//! One client after another, with the same debuggees.

use super::comm::Comm;
use super::entrance::{Connection, Entrance};
use crate::engine::interruptible::{self, END};
use crate::engine::journal::Journal;
use crate::engine::{Ending, Engine, Report, StandardStreams, Wait};
use crate::telemetry::{self, LogFormat, LogOptions, verbose_filter};
use crate::worker::{Conversation, Terms, Voice, converse, create_journal, say};
use dbgsrv_protocol::ids::{Pid, ThreadId};
use dbgsrv_protocol::options::StandardStreams as Side;
use dbgsrv_protocol::rsp::server::{Capabilities, Capability};
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::Reason;
use nix::errno::Errno;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use tracing_subscriber::filter::{LevelFilter, Targets};

/// How to serve clients.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Options {
    pub(crate) comm: Comm,
    pub(crate) debuggee: Debuggee,
    /// Go on without a program.
    pub(crate) multi: bool,
    /// End with the first connection.
    pub(crate) once: bool,
    pub(crate) shell: bool,
    pub(crate) disable_randomization: bool,
    /// The command to start programs through; empty: none.
    pub(crate) wrapper: Vec<Vec<u8>>,
    /// Log what happens.
    pub(crate) verbose: bool,
    /// What clients are offered.
    pub(crate) capabilities: Capabilities,
    /// Whose words to use.
    pub(crate) voice: Voice,
}

/// What is there to debug before a client comes.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Debuggee {
    None,
    Process(Pid),
    Program(OsString, Vec<OsString>),
}

/// Starts what is to be debugged, and serves clients until that is gone, or a client, SIGTERM, SIGINT or SIGHUP ends it.
/// What is left then goes on if it was attached to, and ends if it was created here.
///
/// # Errors
/// Where a client can't be met, or there is nothing to debug; the text says why.
pub(crate) fn serve(options: &Options, mut entrance: Entrance) -> io::Result<()> {
    telemetry::start(&log(options));
    interruptible::own_process()?;
    let engine = Engine::new(Journal::map(create_journal()?)?).map_err(io::Error::other)?;
    // As gdbserver's, programs have this terminal; as lldb-server's, their client has a console of theirs.
    let streams = (options.voice == Voice::Gdbserver).then_some(Side::Server);
    let mut conversation = Conversation::new(engine, options.voice, Terms { streams, ..Terms::default() });
    start(options, &mut conversation).map_err(io::Error::other)?;
    let served = Host { options, conversation: &mut conversation, entrance: &mut entrance }.serve();
    release(&mut conversation);
    // With lldb-server a detached program is nobody's.
    if !conversation.extended && options.voice == Voice::Gdbserver {
        wait_for_children();
    }
    served
}

/// Only what is wrong, unless more is asked for: what happens is told in gdbserver's own words.
fn log(options: &Options) -> LogOptions {
    let filter = if options.verbose { verbose_filter(2) } else { Targets::new().with_default(LevelFilter::WARN) };
    LogOptions { format: LogFormat::Text, filter }
}

/// Starts or attaches to what the command line names.
fn start(options: &Options, conversation: &mut Conversation) -> crate::engine::error::Result<()> {
    let engine = &mut conversation.engine;
    engine.launch.shell = options.shell;
    if options.voice == Voice::LldbServer {
        // Whoever comes for a program that is started before is an LLDB.
        engine.launch.streams = StandardStreams::Typed;
    }
    engine.launch.disable_randomization = options.disable_randomization;
    engine.launch.wrapper.clone_from(&options.wrapper);
    let (thread, name) = match &options.debuggee {
        Debuggee::None => return Ok(()),
        Debuggee::Process(pid) => {
            conversation.untouched = true;
            (engine.attach(*pid)?, None)
        }
        Debuggee::Program(name, arguments) => {
            let program = name.as_bytes().to_vec();
            let arguments = arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect::<Vec<_>>();
            let thread = engine.launch(&program, &arguments)?;
            conversation.program = Some((program, arguments));
            (thread, Some(name.as_bytes()))
        }
    };
    conversation.voice.arrived(thread.pid, name);
    conversation.last = Some(Report::Stopped { thread, signal: Signal::TRAP, reason: Reason::Signal });
    Ok(())
}

/// Lets go of what is left, and says so where gdbserver does.
fn release(conversation: &mut Conversation) {
    let ended = conversation.engine.end();
    if conversation.voice != Voice::Gdbserver {
        return;
    }
    for (ending, what) in [(Ending::Killed, "Killing"), (Ending::Detached, "Detaching")] {
        let pids = ended.iter().filter(|(_, how)| *how == ending).map(|(pid, _)| pid.to_string()).collect::<Vec<_>>();
        if !pids.is_empty() {
            say(&format!("{what} process(es): {}", pids.join(" ")));
        }
    }
}

struct Host<'a> {
    options: &'a Options,
    conversation: &'a mut Conversation,
    entrance: &'a mut Entrance,
}

impl Host<'_> {
    fn serve(&mut self) -> io::Result<()> {
        while let Some(Connection { stream, flush, peer }) = self.meet()? {
            self.conversation.voice.met(peer);
            if self.options.once {
                self.entrance.close();
            }
            converse(self.conversation, stream, self.capabilities())?;
            if let Some(flush) = flush {
                flush.wait();
            }
            if self.is_done() {
                break;
            }
            self.conversation.engine.client_left();
            self.conversation.voice.left();
        }
        Ok(())
    }

    /// A serial line may lose bytes. LLDB does without acknowledgements all the same, and can't be told not to.
    fn capabilities(&self) -> Capabilities {
        match (&self.options.comm, self.options.voice) {
            (Comm::Device(_), Voice::Gdbserver) => self.options.capabilities.without(Capability::NoAck),
            _ => self.options.capabilities,
        }
    }

    /// Whether nobody else is to be served.
    fn is_done(&self) -> bool {
        let kept = self.options.multi || self.conversation.extended || self.conversation.engine.has_processes();
        !kept || self.conversation.is_over() || matches!(self.entrance, Entrance::Closed) || interruptible::raised(END)
    }

    /// Waits for the next client. What the one before had running goes on meanwhile; `None` where that has ended and was
    /// all, or the process is to end.
    fn meet(&mut self) -> io::Result<Option<Connection>> {
        if self.options.voice == Voice::Gdbserver {
            self.entrance.announce()?;
        }
        let running = self.conversation.engine.take_back();
        self.conversation.last =
            self.conversation.last.take().filter(|_| running.is_empty()).and_then(|last| remembered(&last));
        if !running.is_empty() {
            self.entrance.signal_arrivals()?;
            self.conversation.engine.let_run(&running);
        }
        while !interruptible::raised(END) {
            if !self.conversation.engine.is_running() {
                match self.entrance.wait() {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    ready => ready?,
                }
            } else if !self.is_met() {
                if !self.conversation.engine.has_processes() && !self.options.multi {
                    return Ok(None);
                }
                continue;
            }
            if let Some(connection) = self.entrance.accept()? {
                self.conversation.engine.take_back();
                return Ok(Some(connection));
            }
        }
        Ok(None)
    }

    /// Waits for debuggees that nobody debugs, and has them go on; whether a client may have come instead.
    fn is_met(&mut self) -> bool {
        match self.conversation.engine.wait() {
            Wait::Interrupted => return true,
            Wait::Report(Report::Stopped { thread, signal, .. }) => self.pass_on(thread, signal),
            Wait::Report(Report::Executed { thread }) => self.pass_on(thread, Signal::NONE),
            Wait::Report(report) => self.conversation.voice.report(&report),
            Wait::Output(_) | Wait::Idle => {}
        }
        false
    }

    fn pass_on(&mut self, thread: ThreadId, signal: Signal) {
        self.conversation.engine.pass_on(thread.tid, signal);
    }
}

/// What the next client is told of the last stop: which thread, and the signal that it is about to get. The cause means
/// something only to the client that had set it up.
fn remembered(last: &Report) -> Option<Report> {
    match *last {
        Report::Stopped { thread, signal, .. } => Some(Report::Stopped { thread, signal, reason: Reason::Signal }),
        _ => None,
    }
}

/// A program that was created here and let go has this process to wait for it: whoever started us takes our end for its.
fn wait_for_children() {
    loop {
        match interruptible::wait(-1, 0, END) {
            Ok(_) => {}
            Err(Errno::EINTR) if !interruptible::raised(END) => {}
            Err(_) => return,
        }
    }
}
