//! The machine itself, for LLDB's platforms: `qHostInfo`, `qPlatform_…`, `qfProcessInfo`, `qModuleInfo` and others.

use super::client::Client;
use super::conversation::{Conversation, finish, refuse};
use crate::engine::error::{Error, Result};
use crate::engine::host::platform::{self, ProcessList};
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::limits::MAX_PACKET;
use dbgsrv_protocol::rsp::platform::{Module, ModuleName, ProcessInfo, Request};
use dbgsrv_protocol::rsp::server::Reply;
use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, getpid};
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The status that a shell has for a command that may not be run (POSIX, XCU 2.8.2).
const NOT_EXECUTABLE: u8 = 126;

/// Why there is no shell.
const SHELL_OFF: &[u8] = b"this server runs no shell commands; start it with `shell` in its connection string, as in \
    dbgsrv -t tcp:port=5005,shell\n";

/// Most bytes of a command's output in one reply: each may take two characters.
const MAX_OUTPUT: usize = (MAX_PACKET - 64) / 2;

pub(super) fn answer(session: &mut Conversation, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::ChangeMode { mode, path } => {
            reply.system_result(number_of(platform::change_mode(&absolute(session, path), mode)));
        }
        Request::CompletePath { directories, path } => {
            let home = std::env::var_os("HOME").map(PathBuf::from);
            let found = platform::complete(path, directories, &directory(session), home.as_deref());
            reply.paths(found.iter().map(Vec::as_slice));
        }
        Request::GroupName(id) => name(Group::from_gid(Gid::from_raw(id)).map(|group| group.map(|it| it.name)), reply),
        Request::HostInfo => match platform::host_info() {
            Ok(info) => reply.host_info(&info),
            Err(errno) => refuse(&errno.into(), reply),
        },
        Request::KillSpawned(pid) => finish(if pid == ourselves() { Ok(()) } else { Err(Error::NoProcess) }, reply),
        Request::LaunchServer => launch_server(session, reply),
        Request::MakeDirectory { mode, path } => {
            reply.system_result(number_of(platform::make_directory(&absolute(session, path), mode)));
        }
        Request::Module(query) => match module(session, query.path, query.triple) {
            Ok(module) => reply.module(&module),
            Err(error) => refuse(&error, reply),
        },
        Request::Modules(json) => match ModuleName::list(json) {
            Ok(names) => {
                let known =
                    names.iter().filter_map(|it| module(session, it.file.as_bytes(), it.triple.as_bytes()).ok());
                reply.modules(&known.collect::<Vec<_>>());
            }
            Err(malformed) => reply.error(Errno::EINVAL as u8, &malformed.to_string()),
        },
        Request::NextProcess => describe(session.listed.next(), reply),
        Request::Process(pid) => describe(platform::process_info(pid), reply),
        Request::Processes(wanted) => match ProcessList::new(&wanted) {
            Ok(list) => {
                session.listed = list.peekable();
                describe(session.listed.next(), reply);
            }
            Err(errno) => refuse(&errno.into(), reply),
        },
        // A server that had a program ready would be connected to at once.
        Request::QueryServers => refuse(&Error::NoProcess, reply),
        Request::Shell { command, timeout, directory } => shell(session, command, timeout, directory, reply),
        Request::UserName(id) => name(User::from_uid(Uid::from_raw(id)).map(|user| user.map(|it| it.name)), reply),
        Request::WorkingDirectory => reply.hex(directory(session).as_os_str().as_bytes()),
    }
}

/// Runs a command where the server was started with the right to. What a client shows of a failure is what the command has
/// printed, so that is where the reason stands.
fn shell(session: &Conversation, command: &[u8], timeout: Option<u32>, directory: &[u8], reply: Reply<'_>) {
    let (true, Some(client)) = (session.terms.shell, &session.stream) else {
        return reply.shell(Ok(NOT_EXECUTABLE), SHELL_OFF);
    };
    let directory = absolute(session, directory);
    let patience = timeout.map(|seconds| Duration::from_secs(seconds.into()));
    match platform::shell(OsStr::from_bytes(command), &directory, patience, MAX_OUTPUT, client.as_fd()) {
        Ok(done) => reply.shell(done.status, &done.output),
        Err(error) => reply.shell(Ok(NOT_EXECUTABLE), format!("{}: {error}\n", directory.display()).as_bytes()),
    }
}

/// Names the very place that the client has reached: there, every connection is a session of its own.
fn launch_server(session: &Conversation, reply: Reply<'_>) {
    session.handover.leave(session.engine.launch.directory.as_deref());
    match &session.client {
        Client::Tcp(_, local) => reply.launched_server(ourselves(), local.port(), b""),
        Client::Pipe { path, .. } => reply.launched_server(ourselves(), 0, path.as_os_str().as_bytes()),
        // Who is in between knows where the client has connected to; to it, a connection like this one is meant.
        Client::Elsewhere => reply.launched_server(ourselves(), 0, b""),
    }
}

fn ourselves() -> Pid {
    Pid::new(getpid().as_raw()).expect("a process has a positive id")
}

/// Where the session's programs are started, and its relative paths begin.
fn directory(session: &Conversation) -> PathBuf {
    let own = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    session.engine.launch.directory.clone().unwrap_or_else(own)
}

fn absolute(session: &Conversation, path: &[u8]) -> PathBuf {
    directory(session).join(Path::new(OsStr::from_bytes(path)))
}

fn module(session: &Conversation, path: &[u8], triple: &[u8]) -> Result<Module> {
    Ok(platform::module(&absolute(session, path), triple).map_err(|error| errno_of(&error))?)
}

fn describe(process: Option<ProcessInfo>, reply: Reply<'_>) {
    match process {
        Some(process) => reply.process_info(&process),
        None => reply.error(Errno::ESRCH as u8, "there is no process, or no other"),
    }
}

fn name(found: nix::Result<Option<String>>, reply: Reply<'_>) {
    match found {
        Ok(Some(name)) => reply.text(&name),
        Ok(None) => refuse(&Errno::ENOENT.into(), reply),
        Err(errno) => refuse(&errno.into(), reply),
    }
}

fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// The system's number of what went wrong; 0: nothing.
fn number_of(done: io::Result<()>) -> u32 {
    done.map_or_else(|error| errno_of(&error) as i32 as u32, |()| 0)
}
