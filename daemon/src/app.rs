//! The command from its command line to its exit status.

use crate::cli::{self, Creation, Request, ServeOptions};
use crate::control::create::create_own;
use crate::exit::ExitError;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::server::Server;
use crate::serving::{self, Bound, End, Entrance, bind};
use crate::worker::SessionHost;
use crate::{activation, scrub, telemetry};
use dbgsrv_protocol::options::PasswordSource;
use dbgsrv_transports::Passed;
use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// Runs the command with this process's arguments and environment.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is closed, the exit status has to say it all.
            let _ = writeln!(io::stderr(), "{}", error.to_string().trim_end());
            ExitCode::from(error.status())
        }
    }
}

fn run() -> Result<(), ExitError> {
    let rust_log = env::var("RUST_LOG").ok();
    let mut options = match cli::parse(env::args_os(), rust_log.as_deref())? {
        Request::Print(text) => return Ok(write!(io::stdout(), "{text}")?),
        Request::Serve(options) => options,
    };
    let passed = activation::passed()?;
    let create = options.create.take();
    serve(*options, passed, Ends::WhenTold, |bound| {
        // Blocks this thread for as long as an exec takes; nobody is served yet.
        let created = create.map(Created::new).transpose()?;
        announce(bound);
        if let Some(created) = created {
            created.announce(bound);
        }
        Ok(())
    })
}

/// When a server ends, besides on SIGTERM, SIGINT and a client's request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ends {
    WhenTold,
    /// When a client has come, and nobody is there any more.
    WithItsLastSession,
}

/// Serves clients, in a process that does nothing else, at the sockets that were `passed` too. `listening` is called when all that was asked for is listened on.
///
/// # Errors
/// [`ExitError`], or what `listening` fails with; nobody was served then.
pub(crate) fn serve(
    options: ServeOptions,
    passed: Passed,
    ends: Ends,
    listening: impl FnOnce(&[Bound]) -> Result<(), ExitError>,
) -> Result<(), ExitError> {
    telemetry::start(&options.log);
    let entrances = options.transports.iter().map(Entrance::new).collect::<Result<Vec<_>, _>>();
    let entrances = entrances.map_err(|problem| cli::usage(format_args!("-t: {problem}")))?;
    hide_passwords(&options);
    let limits = Limits::of_this_process().map_err(io::Error::from)?;
    let runtime = serving::runtime()?;
    let server = Server::new(SessionHost::this_program(), options.log, limits, options.implicit_command_line);
    let ended = runtime.block_on(run_until_told(entrances, passed, Arc::new(server), ends, listening));
    // A request that blocks, on a file system that is gone say, must not keep the server from ending.
    runtime.shutdown_background();
    ended
}

/// Takes the passwords out of what others can see of this process, and what its children inherit.
fn hide_passwords(options: &ServeOptions) {
    for source in options.transports.iter().filter_map(|transport| transport.session().password.as_ref()) {
        let hidden = match source {
            PasswordSource::Given(_) => scrub::arguments(),
            PasswordSource::Environment(name) => scrub::variable(name),
            PasswordSource::File(_) => Ok(()),
        };
        if let Err(error) = hidden {
            warn!(reason = %error, "other users may see the password in the list of processes; use `password-file`");
        }
    }
}

/// Serves clients until it is to end, or until a client that was called is gone, then ends all sessions.
async fn run_until_told(
    entrances: Vec<Entrance>,
    mut passed: Passed,
    server: Arc<Server>,
    ends: Ends,
    listening: impl FnOnce(&[Bound]) -> Result<(), ExitError>,
) -> Result<(), ExitError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let bound = bind(&entrances, &server, &mut passed)?;
    if let unasked @ [_, ..] = passed.left().as_slice() {
        return Err(ExitError::Unasked(unasked.join(", ")));
    }
    listening(&bound)?;
    let registry = Arc::clone(&server.registry);
    let reason = async {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            () = registry.emptied(), if ends == Ends::WithItsLastSession => "the end of its last session",
        }
    };
    match serving::serve(bound, &server, reason).await {
        End::Wanted => Ok(()),
        End::ClientGone => Err(ExitError::ClientGone),
    }
}

/// The program of the command line, which runs, or is about to.
struct Created {
    pid: u32,
    creation: Creation,
}

impl Created {
    fn new(creation: Creation) -> Result<Self, ExitError> {
        let pid = create_own(&creation).map_err(|failure| ExitError::Create(failure.text))?;
        Ok(Self { pid, creation })
    }

    /// Says which process it is, and how to debug it.
    fn announce(&self, bound: &[Bound]) {
        let (pid, suspended) = (self.pid, self.creation.suspended);
        let words: Vec<_> = self.creation.words.iter().map(|word| word.to_string_lossy()).collect();
        let (state, option) = if suspended { (", suspended", "-pb -p") } else { ("", "-p") };
        let client = bound.first().map_or_else(String::new, |first| first.listener.client_string());
        // Where stdout is closed, the log has it.
        let _ = writeln!(
            io::stdout(),
            "dbgsrv {}: started process {pid}{state}: {}; debug it with: premote {client} gdb {option} {pid}",
            env!("CARGO_PKG_VERSION"),
            words.join(" "),
        );
    }
}

/// Says what listens where or calls whom, how to connect, and what was opened for it.
fn announce(bound: &[Bound]) {
    let mut stdout = io::stdout().lock();
    for Bound { listener, door, firewall } in bound {
        let policy = &door.policy;
        let connect = match policy {
            // A gdb straight on a line would not say on which channel, and needs to be told the rate.
            Policy::Called | Policy::Certificate | Policy::Line | Policy::Password(_) => {
                format!("premote {} ps", listener.client_string())
            }
            Policy::Mode | Policy::Open | Policy::Owner(_) | Policy::Protected => {
                format!("gdb -ex 'target extended-remote {}'", listener.gdb_target())
            }
        };
        let (doing, connect_by) = if listener.is_reverse() {
            ("calling", "wait for it there with")
        } else {
            ("listening on", "connect with")
        };
        info!(%listener, %policy, "{doing}");
        // Where stdout is closed, the log has it.
        let _ = writeln!(
            stdout,
            "dbgsrv {}: {doing} {listener} for {policy}; {connect_by}: {connect}",
            env!("CARGO_PKG_VERSION"),
        );
        if let Some(opened) = firewall {
            let _ = writeln!(stdout, "dbgsrv {}: {opened}", env!("CARGO_PKG_VERSION"));
        }
    }
    let _ = stdout.flush();
}
