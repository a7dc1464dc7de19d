//! The machine behind the server, as LLDB's platforms ask for it ("LLDB Platform Packets" and "GDB Remote Protocol
//! Extensions" of LLDB's documentation): its name, its processes, its files, its modules, and a shell. Unlike GDB's
//! packets these mix hex and decimal numbers; each field says which.

mod matching;
mod module;
mod report;

use alloc::vec::Vec;

use super::field;
use super::packet::{escape, hex};
use super::request::Malformed;
use crate::ids::Pid;

pub use self::matching::{NameMatch, ProcessMatch};
pub use self::module::{Identity, Module, ModuleName, ModuleQuery};
pub use self::report::{HostInfo, ProcessInfo};

/// A request about the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `qPlatform_chmod:MODE,PATH`. Answer with [`super::server::Reply::system_result`].
    ChangeMode {
        /// Permission bits, the system's.
        mode: u32,
        /// Which file.
        path: &'a [u8],
    },
    /// `qPathComplete:ONLY-DIRECTORIES,PATH`: what begins with `path`. Answer with [`super::server::Reply::paths`].
    CompletePath {
        /// Only directories count.
        directories: bool,
        /// What there is so far.
        path: &'a [u8],
    },
    /// `qGroupName:GID`, decimal. Answer with [`super::server::Reply::hex`].
    GroupName(u32),
    /// `qHostInfo`. Answer with [`super::server::Reply::host_info`].
    HostInfo,
    /// `qKillSpawnedProcess:PID`, decimal: the server that `LaunchServer` started is not needed.
    KillSpawned(Pid),
    /// `qLaunchGDBServer;host:NAME;port:PORT;`: a server for debugging. Answer with
    /// [`super::server::Reply::launched_server`].
    ///
    /// What it says is not read: a client names its own machine, and lets the server choose the port.
    LaunchServer,
    /// `qPlatform_mkdir:MODE,PATH`. Answer with [`super::server::Reply::system_result`].
    MakeDirectory {
        /// Permission bits, the system's; 0: the usual ones.
        mode: u32,
        /// Which directory.
        path: &'a [u8],
    },
    /// `qModuleInfo:PATH;TRIPLE`. Answer with [`super::server::Reply::module`].
    Module(ModuleQuery<'a>),
    /// `jModulesInfo:JSON`, unescaped; [`ModuleName::list`] reads it. Answer with [`super::server::Reply::modules`].
    Modules(&'a [u8]),
    /// `qsProcessInfo`: the next process of the list. Answer with [`super::server::Reply::process_info`], or an error
    /// where there is none.
    NextProcess,
    /// `qProcessInfoPID:PID`, decimal. Answered as `NextProcess`.
    Process(Pid),
    /// `qfProcessInfo[:MATCH]`: the first process of a new list. Answered as `NextProcess`.
    Processes(ProcessMatch<'a>),
    /// `qQueryGDBServer`: the debug servers that wait for a client.
    QueryServers,
    /// `qPlatform_shell:COMMAND,TIMEOUT[,DIRECTORY]`. Answer with [`super::server::Reply::shell`].
    Shell {
        /// What the shell is to run.
        command: &'a [u8],
        /// Seconds after which it is ended; `None`: never.
        timeout: Option<u32>,
        /// Where; empty: in the session's working directory.
        directory: &'a [u8],
    },
    /// `qUserName:UID`, decimal. Answer with [`super::server::Reply::hex`].
    UserName(u32),
    /// `qGetWorkingDir`. Answer with [`super::server::Reply::hex`].
    WorkingDirectory,
}

const CHANGE_MODE: &[u8] = b"qPlatform_chmod";
const COMPLETE_PATH: &[u8] = b"qPathComplete";
const GROUP_NAME: &[u8] = b"qGroupName";
const HOST_INFO: &[u8] = b"qHostInfo";
const KILL_SPAWNED: &[u8] = b"qKillSpawnedProcess";
const LAUNCH_SERVER: &[u8] = b"qLaunchGDBServer";
const MAKE_DIRECTORY: &[u8] = b"qPlatform_mkdir";
const MODULE: &[u8] = b"qModuleInfo";
const MODULES: &[u8] = b"jModulesInfo";
const NEXT_PROCESS: &[u8] = b"qsProcessInfo";
const PROCESS: &[u8] = b"qProcessInfoPID";
const PROCESSES: &[u8] = b"qfProcessInfo";
const QUERY_SERVERS: &[u8] = b"qQueryGDBServer";
const SHELL: &[u8] = b"qPlatform_shell";
const USER_NAME: &[u8] = b"qUserName";
const WORKING_DIRECTORY: &[u8] = b"qGetWorkingDir";

const NAMES: [&[u8]; 16] = [
    CHANGE_MODE,
    COMPLETE_PATH,
    GROUP_NAME,
    HOST_INFO,
    KILL_SPAWNED,
    LAUNCH_SERVER,
    MAKE_DIRECTORY,
    MODULE,
    MODULES,
    NEXT_PROCESS,
    PROCESS,
    PROCESSES,
    QUERY_SERVERS,
    SHELL,
    USER_NAME,
    WORKING_DIRECTORY,
];

/// Whether a packet is of this family.
pub(super) fn knows(body: &[u8]) -> bool {
    NAMES.contains(&&body[..name_length(body)])
}

/// How much of a packet is its name.
fn name_length(body: &[u8]) -> usize {
    body.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(body.len())
}

/// How a client writes that a command may take for ever.
const NO_TIMEOUT: u32 = u32::MAX;

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family.
    ///
    /// # Errors
    /// [`Malformed`] if a field is missing, is no number or too large a one, or is not hex where it has to be.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        let (name, rest) = body.split_at_mut(name_length(body));
        // What follows the separator; nothing where there is none.
        let value = rest.get_mut(1..).unwrap_or_default();
        let request = match &*name {
            CHANGE_MODE => mode_and_path(value).map(|(mode, path)| Self::ChangeMode { mode, path }),
            COMPLETE_PATH => complete_path(value),
            GROUP_NAME => field::decimal_as(value).map(Self::GroupName),
            HOST_INFO => Some(Self::HostInfo),
            KILL_SPAWNED => pid(value).map(Self::KillSpawned),
            LAUNCH_SERVER => Some(Self::LaunchServer),
            MAKE_DIRECTORY => mode_and_path(value).map(|(mode, path)| Self::MakeDirectory { mode, path }),
            MODULE => module(value),
            MODULES => escape::decode_in_place(value).map(|json| Self::Modules(json)),
            NEXT_PROCESS => Some(Self::NextProcess),
            PROCESS => pid(value).map(Self::Process),
            PROCESSES => ProcessMatch::parse(value).map(Self::Processes),
            QUERY_SERVERS => Some(Self::QueryServers),
            SHELL => shell(value),
            USER_NAME => field::decimal_as(value).map(Self::UserName),
            WORKING_DIRECTORY => Some(Self::WorkingDirectory),
            _ => return Ok(None),
        };
        request.ok_or(Malformed("platform")).map(Some)
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::ChangeMode { mode, path } => put_mode_and_path(out, CHANGE_MODE, mode, path),
            Self::CompletePath { directories, path } => {
                put(out, COMPLETE_PATH);
                field::put_switch(out, directories);
                put_hex(out, b',', path);
            }
            Self::GroupName(id) => put_decimal(out, GROUP_NAME, id.into()),
            Self::HostInfo => out.extend_from_slice(HOST_INFO),
            Self::KillSpawned(pid) => put_decimal(out, KILL_SPAWNED, pid.raw() as u64),
            Self::LaunchServer => out.extend_from_slice(LAUNCH_SERVER),
            Self::MakeDirectory { mode, path } => put_mode_and_path(out, MAKE_DIRECTORY, mode, path),
            Self::Module(ModuleQuery { path, triple }) => {
                put(out, MODULE);
                hex::encode(out, path);
                put_hex(out, b';', triple);
            }
            Self::Modules(json) => {
                put(out, MODULES);
                escape::encode(out, json);
            }
            Self::NextProcess => out.extend_from_slice(NEXT_PROCESS),
            Self::Process(pid) => put_decimal(out, PROCESS, pid.raw() as u64),
            Self::Processes(wanted) => {
                put(out, PROCESSES);
                wanted.emit(out);
            }
            Self::QueryServers => out.extend_from_slice(QUERY_SERVERS),
            Self::Shell { command, timeout, directory } => {
                put(out, SHELL);
                hex::encode(out, command);
                out.push(b',');
                field::put_number(out, timeout.unwrap_or(NO_TIMEOUT).into());
                put_hex(out, b',', directory);
            }
            Self::UserName(id) => put_decimal(out, USER_NAME, id.into()),
            Self::WorkingDirectory => out.extend_from_slice(WORKING_DIRECTORY),
        }
    }
}

fn put(out: &mut Vec<u8>, name: &[u8]) {
    out.extend_from_slice(name);
    out.push(b':');
}

fn put_decimal(out: &mut Vec<u8>, name: &[u8], value: u64) {
    put(out, name);
    field::put_decimal(out, value);
}

fn put_hex(out: &mut Vec<u8>, separator: u8, text: &[u8]) {
    out.push(separator);
    hex::encode(out, text);
}

fn put_mode_and_path(out: &mut Vec<u8>, name: &[u8], mode: u32, path: &[u8]) {
    put(out, name);
    field::put_number(out, mode.into());
    put_hex(out, b',', path);
}

/// Appends `KEY:VALUE;`, of which lists of fields are made.
pub(crate) fn put_field(out: &mut Vec<u8>, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(key.as_bytes());
    out.push(b':');
    write(out);
    out.push(b';');
}

fn pid(text: &[u8]) -> Option<Pid> {
    field::decimal_as(text).and_then(Pid::new)
}

fn mode_and_path(text: &mut [u8]) -> Option<(u32, &[u8])> {
    let (mode, path) = field::split_at_mut(text, b',')?;
    Some((field::whole_as(mode)?, hex::decode_in_place(path)?))
}

fn complete_path(text: &mut [u8]) -> Option<Request<'_>> {
    let (directories, path) = field::split_at_mut(text, b',')?;
    Some(Request::CompletePath { directories: field::switch(directories)?, path: hex::decode_in_place(path)? })
}

fn module(text: &mut [u8]) -> Option<Request<'_>> {
    let (path, triple) = field::split_at_mut(text, b';')?;
    Some(Request::Module(ModuleQuery { path: hex::decode_in_place(path)?, triple: hex::decode_in_place(triple)? }))
}

fn shell(text: &mut [u8]) -> Option<Request<'_>> {
    let (command, rest) = field::split_at_mut(text, b',')?;
    let end = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
    let (timeout, directory) = rest.split_at_mut(end);
    let timeout = field::whole_as(timeout)?;
    Some(Request::Shell {
        command: hex::decode_in_place(command)?,
        timeout: (timeout != NO_TIMEOUT).then_some(timeout),
        directory: hex::decode_in_place(directory.get_mut(1..).unwrap_or_default())?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, parses, round_trip, unknown};

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(
            text: Vec<u8>, path: Vec<u8>, mode: u32, directories: bool, pid in 1..=i32::MAX, timeout in 0..u32::MAX,
        ) {
            let pid = Pid::new(pid).unwrap();
            for request in [
                Request::ChangeMode { mode, path: &path }, Request::CompletePath { directories, path: &path },
                Request::GroupName(mode), Request::HostInfo, Request::KillSpawned(pid), Request::LaunchServer,
                Request::MakeDirectory { mode, path: &path },
                Request::Module(ModuleQuery { path: &path, triple: &text }), Request::Modules(&text),
                Request::NextProcess, Request::Process(pid), Request::QueryServers,
                Request::Shell { command: &text, timeout: Some(timeout), directory: &path },
                Request::Shell { command: &text, timeout: None, directory: b"" },
                Request::UserName(mode), Request::WorkingDirectory,
            ] {
                round_trip(&request.into());
            }
        }
    }

    #[test]
    fn packets_are_read_as_lldb_writes_them() {
        let pid = Pid::new(17).unwrap();
        for (body, request) in [
            ("qLaunchGDBServer;host:box;", Request::LaunchServer),
            ("qPlatform_mkdir:000001ff,2f61", Request::MakeDirectory { mode: 0o777, path: b"/a" }),
            ("qPlatform_shell:6964,ffffffff", Request::Shell { command: b"id", timeout: None, directory: b"" }),
            ("qPlatform_shell:6964,0000000a,2f", Request::Shell { command: b"id", timeout: Some(10), directory: b"/" }),
            ("qProcessInfoPID:17", Request::Process(pid)),
            ("qPathComplete:1,2f", Request::CompletePath { directories: true, path: b"/" }),
            ("jModulesInfo:[{\"a\":1}]]", Request::Modules(b"[{\"a\":1}]")),
        ] {
            parses(body.as_bytes(), &request.into());
        }
    }

    #[test]
    fn missing_fields_and_wrong_numbers_are_refused() {
        for body in [
            "qUserName:",
            "qUserName:x",
            "qUserName:4294967296",
            "qGroupName:-1",
            "qProcessInfoPID:0",
            "qProcessInfoPID:2147483648",
            "qKillSpawnedProcess:",
            "qPlatform_mkdir:1ff",
            "qPlatform_chmod:zz,2f",
            "qPlatform_shell:6964",
            "qPlatform_shell:69,5,2",
            "qPathComplete:2,2f",
            "qModuleInfo:2f",
            "jModulesInfo:}",
        ] {
            malformed(body.as_bytes());
        }
        for body in ["qHostInfoX", "qPlatform_rm:2f", "qProcessInfoX", "qLaunchX", "jModules"] {
            unknown(body.as_bytes());
        }
    }
}
