//! Objects: `qXfer`.

use super::conversation::{Conversation, refuse};
use super::trace;
use crate::engine::error::{Error, Result};
use crate::engine::host;
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::server::Reply;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use dbgsrv_protocol::rsp::transfer::{Object, Request};
use nix::errno::Errno;

/// An object that is being read in pieces, so that they fit together.
#[derive(Default)]
pub(super) struct Snapshot {
    object: Option<Object>,
    annex: Vec<u8>,
    content: Vec<u8>,
}

pub(super) fn answer(session: &mut Conversation, thread: ThreadSelector, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::Read { object, annex, offset, .. } => {
            let snapshot = &session.transfer;
            if offset == 0 || snapshot.object != Some(object) || snapshot.annex != annex {
                match read(session, thread, object, annex, reply.is_multiprocess()) {
                    Ok(content) => {
                        session.transfer = Snapshot { object: Some(object), annex: annex.to_vec(), content };
                    }
                    Err(error) => return refuse(&error, reply),
                }
            }
            reply.object(&session.transfer.content);
        }
        Request::WriteSignalInfo { offset, data } => match session.engine.write_signal_info(thread, offset, data) {
            Ok(()) => reply.written(data.len() as u64),
            Err(error) => refuse(&error, reply),
        },
    }
}

/// An object, whole.
fn read(
    session: &mut Conversation,
    thread: ThreadSelector,
    object: Object,
    annex: &[u8],
    multiprocess: bool,
) -> Result<Vec<u8>> {
    let engine = &mut session.engine;
    match object {
        Object::Auxv => engine.auxv(thread),
        Object::ExecFile => engine.program(pid(annex)?.map_or_else(|| engine.select(thread).map(|id| id.pid), Ok)?),
        Object::Features if annex == b"target.xml" => engine.description(thread).map(|xml| xml.as_bytes().to_vec()),
        Object::Features => Err(Error::System(Errno::ENOENT)),
        Object::LibrariesSvr4 => engine.libraries(thread, annex),
        // An empty document says that there is no such table.
        Object::OsData => Ok(host::table(annex).unwrap_or_default()),
        Object::SignalInfo => engine.signal_info(thread),
        Object::Threads => Ok(engine.threads_document(multiprocess)),
        Object::TraceFrame => engine.tracing().frame().map(trace::document).ok_or(Error::System(Errno::ENOENT)),
    }
}

/// The process that the annex of `exec-file` names, if it names one.
fn pid(annex: &[u8]) -> Result<Option<Pid>> {
    if annex.is_empty() {
        return Ok(None);
    }
    let digits = std::str::from_utf8(annex).ok();
    let pid = digits.and_then(|digits| i32::from_str_radix(digits, 16).ok()).and_then(Pid::new);
    pid.map(Some).ok_or(Error::NoProcess)
}
