//! What a request needs of the server.

use super::{Capabilities, Capability};
use crate::rsp::request::Request;
use crate::rsp::transfer::Object;
use crate::rsp::{query, settings, trace, transfer};
/// Packets that no answer to `qSupported` tells of.
const UNTOLD: [(&[u8], Capability); 3] = [
    (b"qC", Capability::CurrentThread),
    (b"qfThreadInfo", Capability::ThreadList),
    (b"vCont", Capability::ThreadActions),
];

/// Whether a packet is one of those that the server does without.
pub(crate) fn is_untold(body: &[u8], capabilities: Capabilities) -> bool {
    UNTOLD.iter().any(|(name, capability)| {
        let rest = body.strip_prefix(*name);
        matches!(rest, Some([] | [b';' | b'?', ..])) && !capabilities.has(*capability)
    })
}

/// The capability that a request needs, if it needs one.
pub(crate) fn needed(request: &Request<'_>) -> Option<Capability> {
    use crate::rsp::memory::{Encoding, Request as Memory};
    use crate::rsp::process::Request as Process;
    use crate::rsp::query::Request as Query;
    use crate::rsp::registers::Request as Registers;
    use crate::rsp::thread::Request as Thread;
    Some(match request {
        Request::Process(
            Process::AttachByName { .. }
            | Process::DetachStopped(_)
            | Process::Info
            | Process::Launch { .. }
            | Process::LaunchSucceeded
            | Process::SupportsDetachStopped,
        )
        | Request::Memory(
            Memory::Allocate { .. } | Memory::Free { .. } | Memory::ReadRanges(_) | Memory::Region { .. },
        )
        | Request::Query(Query::FileAddress(_) | Query::LibraryList | Query::Watchpoints)
        | Request::Registers(Registers::Info { .. } | Registers::Restore { .. } | Registers::Save)
        | Request::Thread(Thread::Infos | Thread::StopInfo(_)) => Capability::Lldb,
        Request::Memory(Memory::Read { encoding: Encoding::Binary, .. }) => Capability::BinaryUpload,
        Request::Query(query::Request::TlsAddress { .. }) => Capability::TlsAddress,
        Request::Setting(setting) => match setting {
            settings::Request::CatchSyscalls(_) => Capability::CatchSyscalls,
            settings::Request::DetachOnError(_) | settings::Request::LaunchArchitecture(_) => Capability::Lldb,
            settings::Request::DisableRandomization(_) => Capability::DisableRandomization,
            settings::Request::EnvironmentSet(_)
            | settings::Request::EnvironmentUnset(_)
            | settings::Request::EnvironmentReset => Capability::Environment,
            settings::Request::NonStop(_) => Capability::NonStop,
            settings::Request::PassSignals(_) => Capability::PassSignals,
            settings::Request::ProgramSignals(_) => Capability::ProgramSignals,
            settings::Request::StandardStream { .. } => return None,
            settings::Request::StartupWithShell(_) => Capability::StartupWithShell,
            settings::Request::ThreadEvents(_) => Capability::ThreadEvents,
            settings::Request::WorkingDirectory(_) => Capability::WorkingDirectory,
        },
        Request::Trace(trace::Request::Disconnected(_)) => Capability::DisconnectedTracing,
        Request::Trace(_) => Capability::Tracepoints,
        Request::Transfer(transfer::Request::WriteSignalInfo { .. }) => Capability::SignalInfo,
        Request::Transfer(transfer::Request::Read { object, .. }) => match object {
            Object::Auxv => Capability::Auxv,
            Object::ExecFile => Capability::ExecFile,
            Object::Features => Capability::TargetDescription,
            Object::LibrariesSvr4 => Capability::LibrariesSvr4,
            Object::OsData => Capability::OsData,
            Object::SignalInfo => Capability::SignalInfo,
            Object::Threads => Capability::Threads,
            Object::TraceFrame => Capability::Tracepoints,
        },
        _ => return None,
    })
}
