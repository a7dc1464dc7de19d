//! What premote can do: a file for each command.

mod arguments;
mod cert;
pub(crate) mod completions;
mod debugger;
mod describe;
mod doctor;
mod end;
mod end_session;
mod get;
mod info;
mod listen;
mod pipe;
mod ps;
mod put;
mod relay;
mod run;
mod servers;
mod sessions;

use crate::exit::ExitError;
use clap::{ArgMatches, Command};
use dbgsrv_client::RemoteServer;
pub(crate) use debugger::label;
use debugger::{Debugger, Kind};
pub(crate) use servers::NAME as SERVERS;

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action {
    /// A debugger through the connection.
    Debugger(Debugger),
    /// All about one process.
    Describe(describe::Describe),
    /// What stands in the way of debugging.
    Doctor(doctor::Doctor),
    /// The server's end.
    End,
    /// A session's end.
    EndSession(end_session::EndSession),
    /// A file from the server.
    Get(get::Get),
    /// All about the server.
    Info(info::Info),
    /// A local port.
    Listen(listen::Listen),
    /// Standard input and output as a debug session.
    Pipe,
    /// The processes.
    Ps(ps::Ps),
    /// A file to the server.
    Put(put::Put),
    /// A program, not debugged.
    Run(run::Run),
    /// The debug sessions.
    Sessions(sessions::Sessions),
}

/// What is to be done without a server to do it at.
#[derive(Debug)]
pub(crate) enum Unconnected {
    /// Certificates of this machine.
    Cert(Box<cert::Cert>),
    /// Bytes between others.
    Relay(Box<relay::Relay>),
    /// The servers that there are.
    Servers(servers::Servers),
}

impl Unconnected {
    /// Reads what stands behind the command called `name`; `None` where that needs a connection.
    ///
    /// # Errors
    /// [`ExitError::Usage`].
    pub(crate) fn parse(name: &str, matches: &ArgMatches) -> Result<Option<Self>, ExitError> {
        Ok(match name {
            cert::NAME => Some(Self::Cert(Box::new(cert::Cert::parse(matches)?))),
            relay::NAME => Some(Self::Relay(Box::new(relay::Relay::parse(matches)?))),
            servers::NAME => Some(Self::Servers(servers::Servers::parse(matches)?)),
            _ => None,
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// [`ExitError`].
    pub(crate) async fn run(self) -> Result<(), ExitError> {
        match self {
            Self::Cert(cert) => cert.run(),
            Self::Relay(relay) => relay.run().await,
            Self::Servers(servers) => servers.run().await,
        }
    }
}

/// Whether the command called `name` takes a connection.
pub(crate) fn is_connected(name: &str) -> bool {
    ![cert::NAME, completions::NAME, relay::NAME, servers::NAME].contains(&name)
}

/// The definitions of all commands, in the order in which the help has them.
pub(crate) fn all() -> [Command; 18] {
    [
        servers::command(),
        ps::command(),
        describe::command(),
        sessions::command(),
        info::command(),
        doctor::command(),
        Kind::Gdb.command(),
        Kind::Lldb.command(),
        pipe::command(),
        listen::command(),
        relay::command(),
        run::command(),
        get::command(),
        put::command(),
        end_session::command(),
        end::command(),
        cert::command(),
        completions::command(),
    ]
}

/// The names of all commands, for a message.
pub(crate) fn names() -> String {
    all().map(|command| command.get_name().to_owned()).join(", ")
}

impl Action {
    /// Reads what stands behind the command called `name`, which is one of [`all`] that needs a connection.
    ///
    /// # Errors
    /// [`ExitError::Usage`].
    pub(crate) fn parse(name: &str, matches: &ArgMatches) -> Result<Self, ExitError> {
        Ok(match name {
            describe::NAME => Self::Describe(describe::Describe::parse(matches)),
            doctor::NAME => Self::Doctor(doctor::Doctor::parse(matches)),
            end::NAME => Self::End,
            end_session::NAME => Self::EndSession(end_session::EndSession::parse(matches)),
            get::NAME => Self::Get(get::Get::parse(matches)?),
            info::NAME => Self::Info(info::Info::parse(matches)),
            listen::NAME => Self::Listen(listen::Listen::parse(matches)?),
            pipe::NAME => Self::Pipe,
            ps::NAME => Self::Ps(ps::Ps::parse(matches)),
            put::NAME => Self::Put(put::Put::parse(matches)?),
            run::NAME => Self::Run(run::Run::parse(matches)?),
            sessions::NAME => Self::Sessions(sessions::Sessions::parse(matches)),
            _ => Self::Debugger(Debugger::parse(Kind::named(name), matches)),
        })
    }

    /// Does it, and returns the exit status.
    ///
    /// # Errors
    /// [`ExitError`].
    pub(crate) async fn run(self, server: &RemoteServer) -> Result<u8, ExitError> {
        match self {
            Self::Debugger(debugger) => return debugger.run(server).await,
            Self::Doctor(doctor) => return doctor.run(server).await,
            Self::Describe(describe) => describe.run(server).await,
            Self::End => end::run(server).await,
            Self::EndSession(end_session) => end_session.run(server).await,
            Self::Get(get) => get.run(server).await,
            Self::Info(info) => info.run(server).await,
            Self::Listen(listen) => listen.run(server).await,
            Self::Pipe => pipe::run(server).await,
            Self::Ps(ps) => ps.run(server).await,
            Self::Put(put) => put.run(server).await,
            Self::Run(run) => run.run(server).await,
            Self::Sessions(sessions) => sessions.run(server).await,
        }
        .map(|()| 0)
    }
}
