//! Registers: `g`, `G`, `p`, `P`, `QSaveRegisterState`, `QRestoreRegisterState`, `qRegisterInfo`.

use super::conversation::{Conversation, finish, refuse};
use super::trace;
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::rsp::registers::Request;
use dbgsrv_protocol::rsp::server::Reply;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use nix::errno::Errno;
use std::collections::BTreeMap;

/// Most sets of registers that are kept for a client. LLDB takes back what it has put aside for a call before it calls
/// anything else, calls within calls apart.
const MAX_SAVED: usize = 256;

/// All registers of threads, each set under a number.
#[derive(Debug, Default)]
pub(super) struct Saved {
    sets: BTreeMap<u32, Vec<u8>>,
    last: u32,
}

pub(super) fn answer(session: &mut Conversation, thread: ThreadSelector, request: Request<'_>, reply: Reply<'_>) {
    if session.engine.tracing().frame().is_some() {
        return trace::registers(session, thread, request, reply);
    }
    session.scratch.clear();
    let read = match request {
        Request::Info { number } => match session.engine.register_info(thread, number) {
            Ok(info) => return reply.register_info(&info),
            Err(error) => Err(error),
        },
        Request::Read { number } => session.engine.read_register(thread, number, &mut session.scratch),
        Request::ReadAll => session.engine.read_registers(thread, &mut session.scratch),
        Request::Restore { number } => return finish(restore(session, thread, number), reply),
        Request::Save => match save(session, thread) {
            Ok(number) => return reply.saved(number),
            Err(error) => Err(error),
        },
        Request::Write { number, value } => return finish(session.engine.write_register(thread, number, value), reply),
        Request::WriteAll { values } => return finish(session.engine.write_registers(thread, values), reply),
    };
    match read {
        Ok(()) => reply.registers(&session.scratch),
        Err(error) => refuse(&error, reply),
    }
}

fn save(session: &mut Conversation, thread: ThreadSelector) -> Result<u32> {
    if session.saved.sets.len() >= MAX_SAVED {
        return Err(Error::TooMany("saved registers"));
    }
    let registers = session.engine.save_registers(thread)?;
    session.saved.last = session.saved.last.wrapping_add(1);
    session.saved.sets.insert(session.saved.last, registers);
    Ok(session.saved.last)
}

/// A set that has been restored is forgotten.
fn restore(session: &mut Conversation, thread: ThreadSelector, number: u32) -> Result<()> {
    let registers = session.saved.sets.remove(&number).ok_or(Error::System(Errno::EINVAL))?;
    session.engine.restore_registers(thread, &registers)
}
