//! Tracepoints: `QT…`, `qT…`, and what a selected frame changes for registers and memory.

use super::conversation::{Conversation, finish, refuse};
use crate::engine::error::{Error, Result};
use crate::engine::trace::{Block, Frame};
use dbgsrv_protocol::rsp::registers;
use dbgsrv_protocol::rsp::server::{RegisterPart, Reply};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use dbgsrv_protocol::rsp::trace::{Find, Request};
use nix::errno::Errno;

pub(super) fn answer(session: &mut Conversation, thread: ThreadSelector, request: Request<'_>, reply: Reply<'_>) {
    let engine = &mut session.engine;
    match request {
        Request::AddActions { place, stepping, actions, more } => {
            let added = engine.tracing_mut().add_actions(place, stepping, actions, more);
            finish(added.and_then(|()| engine.install_tracepoints()), reply);
        }
        Request::Buffer { offset, length } => {
            // Two digits each, in one packet.
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_RAW);
            reply.trace_buffer(&engine.tracing().raw(offset, length));
        }
        Request::BufferSize(size) => finish(engine.tracing_mut().set_buffer_size(size), reply),
        Request::Circular(on) => {
            engine.tracing_mut().set_circular(on);
            reply.ok();
        }
        Request::Define(definition) => {
            let defined = engine.tracing_mut().define(definition);
            finish(defined.and_then(|()| engine.install_tracepoints()), reply);
        }
        Request::DefineVariable(variable) => finish(engine.tracing_mut().define_variable(variable), reply),
        Request::Disconnected(on) => {
            engine.tracing_mut().set_disconnected(on);
            reply.ok();
        }
        Request::Enable { place, enable } => finish(engine.tracing_mut().enable(place, enable), reply),
        Request::Find(Find::None) => {
            engine.tracing_mut().find(Find::None);
            reply.ok();
        }
        Request::Find(find) => reply.trace_frame(engine.tracing_mut().find(find)),
        Request::ListTracepoints { first } => reply.trace_piece(engine.tracing_mut().list_tracepoints(first)),
        Request::ListVariables { first } => reply.trace_piece(engine.tracing_mut().list_variables(first)),
        Request::Notes(notes) => {
            engine.tracing_mut().note(notes);
            reply.ok();
        }
        Request::ReadOnly(ranges) => finish(engine.tracing_mut().set_read_only(ranges.iter()), reply),
        Request::Reset => {
            engine.reset_tracing();
            reply.ok();
        }
        Request::Source(source) => {
            let added = engine.tracing_mut().add_source(source);
            finish(added.and_then(|()| engine.install_tracepoints()), reply);
        }
        Request::Start => finish(engine.start_tracing(thread), reply),
        Request::Status => reply.trace_status(&engine.tracing().status()),
        Request::Stop => {
            engine.stop_tracing();
            reply.ok();
        }
        Request::TracepointStatus(place) => match engine.tracing().hits(place) {
            Ok((hits, bytes)) => reply.trace_hits(hits, bytes),
            Err(error) => refuse(&error, reply),
        },
        Request::Value(number) => reply.trace_value(engine.tracing().value(number)),
    }
}

/// Bytes of the buffer in one answer at most.
const MAX_RAW: usize = 0x1_0000;

/// Registers of the selected frame. Where they were not collected, the program counter is known all the same.
pub(super) fn registers(
    session: &Conversation,
    thread: ThreadSelector,
    request: registers::Request<'_>,
    reply: Reply<'_>,
) {
    let Some(frame) = session.engine.tracing().frame() else { return reply.unsupported() };
    let number = match request {
        registers::Request::Read { number } => Some(number),
        registers::Request::ReadAll => None,
        // LLDB's, which selects no frames.
        registers::Request::Info { .. } | registers::Request::Save => return reply.unsupported(),
        // They are what they were.
        registers::Request::Restore { .. } | registers::Request::Write { .. } | registers::Request::WriteAll { .. } => {
            return refuse(&Error::System(Errno::EROFS), reply);
        }
    };
    match parts(session, thread, frame, number) {
        Ok(parts) => reply.register_parts(parts.iter().map(Part::as_register)),
        Err(error) => refuse(&error, reply),
    }
}

/// Registers' bytes, or how many of them are not known.
enum Part<'a> {
    Known(&'a [u8]),
    Counter([u8; 8], usize),
    Unknown(usize),
}

impl Part<'_> {
    fn as_register(&self) -> RegisterPart<'_> {
        match self {
            Self::Known(bytes) => RegisterPart::Known(bytes),
            Self::Counter(bytes, length) => RegisterPart::Known(&bytes[..*length]),
            Self::Unknown(length) => RegisterPart::Unavailable(*length),
        }
    }
}

fn parts<'a>(
    session: &Conversation,
    thread: ThreadSelector,
    frame: &'a Frame,
    number: Option<u32>,
) -> Result<Vec<Part<'a>>> {
    let engine = &session.engine;
    let counter = engine.pc_number(thread)?;
    let (place, whole) = engine.register_place(thread, number.unwrap_or(counter))?;
    if let Some(all) = frame.registers() {
        let wanted = if number.is_some() { place } else { 0..whole };
        return all.get(wanted).map(|bytes| vec![Part::Known(bytes)]).ok_or(Error::System(Errno::EINVAL));
    }
    let pc = Part::Counter(frame.pc.to_le_bytes(), place.len().min(8));
    Ok(match number {
        None => vec![Part::Unknown(place.start), pc, Part::Unknown(whole - place.end)],
        Some(number) if number == counter => vec![pc],
        Some(_) => vec![Part::Unknown(place.len())],
    })
}

/// Memory of the selected frame, or what can't have changed since.
pub(super) fn memory(
    session: &mut Conversation,
    thread: ThreadSelector,
    address: u64,
    length: usize,
    reply: Reply<'_>,
) {
    let tracing = session.engine.tracing();
    let collected = tracing.frame().map_or(&[][..], |frame| frame.memory(address));
    if !collected.is_empty() || length == 0 {
        return reply.memory(&collected[..collected.len().min(length)]);
    }
    if !tracing.is_read_only(address, length as u64) {
        return refuse(&Error::BadAddress(address), reply);
    }
    session.scratch.resize(length.max(session.scratch.len()), 0);
    match session.engine.read_memory(thread, address, &mut session.scratch[..length]) {
        Ok(read) => reply.memory(&session.scratch[..read]),
        Err(error) => refuse(&error, reply),
    }
}

/// What a frame holds (GDB manual, "Traceframe Info Format").
pub(super) fn document(frame: &Frame) -> Vec<u8> {
    let blocks: String = frame
        .blocks()
        .map(|block| match block {
            Block::Registers(_) => String::new(),
            Block::Memory { address, bytes } => {
                format!("<memory start=\"{address:#x}\" length=\"{:#x}\"/>", bytes.len())
            }
            Block::Variable { number, .. } => format!("<tvar id=\"{number:#x}\"/>"),
        })
        .collect();
    format!("<traceframe-info>{blocks}</traceframe-info>").into_bytes()
}
