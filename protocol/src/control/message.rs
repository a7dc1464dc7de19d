//! What is asked and answered.

use super::outcome::Outcome;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A request and its id.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ask {
    /// The client's own; the answer bears it.
    pub id: u32,
    /// What is asked.
    #[serde(flatten)]
    pub request: Request,
}

/// How a process is found by its executable.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutableMatch {
    /// By file name alone.
    #[default]
    FileName,
    /// By its full path (`DEBUG_GET_PROC_FULL_MATCH`).
    FullPath,
}

/// A program to start.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Program {
    /// The program and its arguments; the program is searched in the server's `PATH` where it has no slash.
    pub arguments: Vec<String>,
    /// Its working directory; the server's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// What is added to the server's environment: `NAME=VALUE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Whether it stays stopped (SIGSTOP) before its first instruction.
    #[serde(default)]
    pub suspended: bool,
}

/// What a client can ask for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "request", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum Request {
    /// What server this is.
    ServerInfo,
    /// A page of the ids of all processes, in ascending order (`GetRunningProcessSystemIds`).
    ProcessIds {
        /// Ids greater than this.
        after: u32,
    },
    /// The process of an executable (`GetRunningProcessSystemIdByExecutableName`): the first page of matches.
    ProcessIdByExecutable {
        /// Its file name or path.
        executable: String,
        /// Which of the two.
        #[serde(default)]
        by: ExecutableMatch,
    },
    /// Descriptions of processes (`GetRunningProcessDescription`); those that are gone are left out.
    Describe {
        /// Which.
        pids: Vec<u32>,
    },
    /// A page of descriptions of all processes, in ascending order of their ids.
    Processes {
        /// Ids greater than this.
        after: u32,
    },
    /// Starts a program that is not debugged.
    Create(Program),
    /// A page of the debug sessions of this server, in ascending order of their numbers.
    Sessions {
        /// Numbers greater than this.
        #[serde(default, skip_serializing_if = "is_zero")]
        after: u64,
    },
    /// Ends a debug session.
    EndSession {
        /// Its number.
        session: u64,
    },
    /// Ends the server (`EndProcessServer`).
    EndServer,
    /// Checks what decides whether debugging works on the server's machine.
    Doctor {
        /// Whether this process could be attached to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
    },
    /// The SHA-256 of a file's first bytes.
    Digest {
        /// Its path.
        path: String,
        /// So many; all of it where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        length: Option<u64>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What server this is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServerInfo {
    /// Its release.
    pub release: String,
    /// Its process id.
    pub pid: u32,
    /// The operating system and its version, such as `Linux 6.1.0`.
    pub system: String,
    /// The architecture, such as `x86_64`.
    pub architecture: String,
    /// The machine's name.
    pub host: String,
    /// The name of the user it runs as.
    pub user: String,
    /// When it was started, in seconds since 1970-01-01 00:00 UTC.
    pub started: u64,
    /// What it listens on, as connection strings without secrets.
    pub listening: Vec<String>,
    /// How many debug sessions there are.
    pub sessions: u32,
    /// The program, and its arguments, that clients may start without naming it (`dbgsrv -pc`); empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implicit_command_line: Vec<String>,
}

/// One process.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProcessDescription {
    /// Its id.
    pub pid: u32,
    /// Its parent's id, 0 for none.
    pub parent: u32,
    /// The name the kernel has for it.
    pub name: String,
    /// The path of its executable; empty where it may not be known.
    pub executable: String,
    /// Its command line, one text for each argument.
    pub command_line: Vec<String>,
    /// Its user's name, or number where it has none.
    pub user: String,
    /// Its session id (`setsid(2)`).
    pub session: u32,
    /// The service that it belongs to (a systemd unit).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The architecture of its program, such as `x86_64` or `i386`; empty where it may not be known.
    pub architecture: String,
    /// When it was started, in seconds since 1970-01-01 00:00 UTC.
    pub started: u64,
    /// Whether it stands still, as by SIGSTOP, and nobody debugs it: it waits for SIGCONT or for a debugger.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stopped: bool,
    /// The debug session of this server that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debugged_by: Option<u64>,
}

/// One debug session.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SessionInfo {
    /// Its number: 1 and up.
    pub session: u64,
    /// The client's address.
    pub peer: String,
    /// The client's own name for it; empty for a debugger that connected directly.
    #[serde(default)]
    pub label: String,
    /// When it began, in seconds since 1970-01-01 00:00 UTC.
    pub since: u64,
    /// The processes that it debugs.
    pub pids: Vec<u32>,
    /// Whether its connection is cut and its client expected back.
    #[serde(default)]
    pub cut: bool,
}

/// What a check found.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing stands in the way.
    Good,
    /// Something is restricted.
    Warning,
    /// Debugging does not work.
    Bad,
}

/// One check.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// What was looked at, such as `yama`.
    pub name: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found, in words.
    pub finding: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The answer to [`Request::ProcessIdByExecutable`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Matches {
    /// The processes, in ascending order, as many as a page holds.
    pub pids: Vec<u32>,
    /// How many there are in all.
    pub total: u32,
}

/// What is answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "answer", content = "value", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum Response {
    /// To [`Request::ServerInfo`].
    ServerInfo(ServerInfo),
    /// To [`Request::ProcessIds`].
    ProcessIds {
        /// The page.
        pids: Vec<u32>,
        /// Whether there are more.
        more: bool,
    },
    /// To [`Request::ProcessIdByExecutable`].
    Matches(Matches),
    /// To [`Request::Describe`] and [`Request::Processes`].
    Processes {
        /// The page.
        processes: Vec<ProcessDescription>,
        /// Whether there are more; for a description, whether some that were asked for did not fit: ask for them again.
        more: bool,
    },
    /// To [`Request::Create`].
    Created {
        /// The new process.
        pid: u32,
    },
    /// To [`Request::Sessions`].
    Sessions {
        /// The page.
        sessions: Vec<SessionInfo>,
        /// Whether there are more.
        more: bool,
    },
    /// To [`Request::EndSession`] and [`Request::EndServer`]: it is being done.
    Done,
    /// To [`Request::Doctor`].
    Checks(Vec<Check>),
    /// To [`Request::Digest`].
    Digest {
        /// Hexadecimal.
        sha256: String,
        /// How many bytes it is of.
        length: u64,
    },
}

/// What kind of failure it was, for programs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FailureKind {
    /// There is no such process, session or file.
    NotFound,
    /// The server may not.
    NotPermitted,
    /// The request is malformed, or not known to this release.
    BadRequest,
    /// The system says no.
    System,
    /// A kind of a later release.
    #[serde(other)]
    Other,
}

/// Why something was not done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// For programs.
    pub kind: FailureKind,
    /// For people: one sentence, lower case, no full stop.
    pub text: String,
}

/// The answer to one request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answer {
    /// The request's.
    pub id: u32,
    /// What came of it: the member `ok` or `error` beside the id.
    #[serde(flatten, with = "Outcome")]
    pub result: Result<Response, Failure>,
}

/// What the server tells without being asked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The server ends, and all sessions with it.
    ServerEnding,
    /// A debug session on this connection has ended.
    SessionEnded {
        /// Its number.
        session: u64,
        /// How, in words.
        outcome: String,
    },
    /// An event of a later release.
    #[serde(other)]
    Other,
}

/// What the server sends.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FromServer {
    /// An answer.
    Answer(Answer),
    /// An event.
    Event(Event),
}
