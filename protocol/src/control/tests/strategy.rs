//! Any message.

use crate::control::{
    Answer, Ask, Check, Event, ExecutableMatch, Failure, FailureKind, FromServer, Matches, ProcessDescription, Program,
    Request, Response, ServerInfo, SessionInfo, Verdict,
};
use proptest::collection::vec as list;
use proptest::option;
use proptest::prelude::*;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// Text short enough that a list of it fits into a message.
fn text() -> impl Strategy<Value = String> {
    "\\PC{0,20}|.{0,20}"
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    list(text(), 0..4)
}

fn program() -> impl Strategy<Value = Program> {
    (texts(), option::of(text()), texts(), any::<bool>()).prop_map(|(arguments, directory, environment, suspended)| {
        Program { arguments, directory, environment, suspended }
    })
}

fn request() -> impl Strategy<Value = Request> {
    let by = prop_oneof![Just(ExecutableMatch::FileName), Just(ExecutableMatch::FullPath)];
    prop_oneof![
        Just(Request::ServerInfo),
        any::<u32>().prop_map(|after| Request::ProcessIds { after }),
        (text(), by).prop_map(|(executable, by)| Request::ProcessIdByExecutable { executable, by }),
        any::<Vec<u32>>().prop_map(|pids| Request::Describe { pids }),
        any::<u32>().prop_map(|after| Request::Processes { after }),
        program().prop_map(Request::Create),
        any::<u64>().prop_map(|after| Request::Sessions { after }),
        any::<u64>().prop_map(|session| Request::EndSession { session }),
        Just(Request::EndServer),
        any::<Option<u32>>().prop_map(|pid| Request::Doctor { pid }),
        (text(), any::<Option<u64>>()).prop_map(|(path, length)| Request::Digest { path, length }),
    ]
}

/// Anything that a client sends.
pub(super) fn ask() -> impl Strategy<Value = Ask> {
    (any::<u32>(), request()).prop_map(|(id, request)| Ask { id, request })
}

fn server_info() -> impl Strategy<Value = ServerInfo> {
    let machine = (text(), text(), text(), text());
    (text(), any::<u32>(), machine, any::<u64>(), texts(), any::<u32>(), texts()).prop_map(
        |(release, pid, (system, architecture, host, user), started, listening, sessions, implicit_command_line)| {
            ServerInfo {
                release,
                pid,
                system,
                architecture,
                host,
                user,
                started,
                listening,
                sessions,
                implicit_command_line,
            }
        },
    )
}

/// Some process.
pub(super) fn process() -> impl Strategy<Value = ProcessDescription> {
    let ids = any::<(u32, u32, u32)>();
    let names = (text(), text(), texts(), text(), text());
    (ids, names, option::of(text()), any::<u64>(), any::<bool>(), any::<Option<u64>>()).prop_map(
        |((pid, parent, session), names, service, started, stopped, debugged_by)| {
            let (name, executable, command_line, user, architecture) = names;
            ProcessDescription {
                pid,
                parent,
                name,
                executable,
                command_line,
                user,
                session,
                service,
                architecture,
                started,
                stopped,
                debugged_by,
            }
        },
    )
}

fn session_info() -> impl Strategy<Value = SessionInfo> {
    (any::<u64>(), text(), text(), any::<u64>(), list(any::<u32>(), 0..4), any::<bool>())
        .prop_map(|(session, peer, label, since, pids, cut)| SessionInfo { session, peer, label, since, pids, cut })
}

fn check() -> impl Strategy<Value = Check> {
    let verdict = prop_oneof![Just(Verdict::Good), Just(Verdict::Warning), Just(Verdict::Bad)];
    (text(), verdict, text(), option::of(text())).prop_map(|(name, verdict, finding, remedy)| Check {
        name,
        verdict,
        finding,
        remedy,
    })
}

fn response() -> impl Strategy<Value = Response> {
    prop_oneof![
        server_info().prop_map(Response::ServerInfo),
        any::<(Vec<u32>, bool)>().prop_map(|(pids, more)| Response::ProcessIds { pids, more }),
        any::<(Vec<u32>, u32)>().prop_map(|(pids, total)| Response::Matches(Matches { pids, total })),
        (list(process(), 0..4), any::<bool>()).prop_map(|(processes, more)| Response::Processes { processes, more }),
        any::<u32>().prop_map(|pid| Response::Created { pid }),
        (list(session_info(), 0..4), any::<bool>()).prop_map(|(sessions, more)| Response::Sessions { sessions, more }),
        Just(Response::Done),
        list(check(), 0..4).prop_map(Response::Checks),
        (text(), any::<u64>()).prop_map(|(sha256, length)| Response::Digest { sha256, length }),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    let kinds = [
        FailureKind::NotFound,
        FailureKind::NotPermitted,
        FailureKind::BadRequest,
        FailureKind::System,
        FailureKind::Other,
    ];
    (prop::sample::select(kinds.to_vec()), text()).prop_map(|(kind, text)| Failure { kind, text })
}

/// Anything that a server sends.
pub(super) fn from_server() -> impl Strategy<Value = FromServer> {
    let result = prop_oneof![response().prop_map(Ok), failure().prop_map(Err)];
    let event = prop_oneof![
        Just(Event::ServerEnding),
        (any::<u64>(), text()).prop_map(|(session, outcome)| Event::SessionEnded { session, outcome }),
        Just(Event::Other),
    ];
    prop_oneof![
        4 => (any::<u32>(), result).prop_map(|(id, result)| FromServer::Answer(Answer { id, result })),
        1 => event.prop_map(FromServer::Event),
    ]
}
