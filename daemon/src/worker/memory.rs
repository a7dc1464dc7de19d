//! Memory: `m`, `M`, `x`, `X`, `qSearch:memory`, `qCRC`, `_M`, `_m`, `qMemoryRegionInfo`, `MultiMemRead`.

use super::conversation::{Conversation, finish, refuse};
use super::trace;
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::limits::MAX_PACKET;
use dbgsrv_protocol::rsp::crc::Crc;
use dbgsrv_protocol::rsp::memory::Request;
use dbgsrv_protocol::rsp::server::Reply;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use memchr::memmem;

/// Bytes that a search or a checksum looks at in one go.
const WINDOW: usize = 1 << 20;

pub(super) fn answer(session: &mut Conversation, thread: ThreadSelector, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::Read { address, length, .. } if session.engine.tracing().frame().is_some() => {
            trace::memory(session, thread, address, length as usize, reply);
        }
        Request::Read { address, length, .. } => {
            // The machine has lowered it to what a packet holds.
            let length = length as usize;
            if session.scratch.len() < length {
                session.scratch.resize(length, 0);
            }
            match session.engine.read_memory(thread, address, &mut session.scratch[..length]) {
                Ok(read) => reply.memory(&session.scratch[..read]),
                Err(error) => refuse(&error, reply),
            }
        }
        Request::Allocate { size, permissions } => match session.engine.allocate(thread, size, permissions) {
            Ok(address) => reply.address(address),
            Err(error) => refuse(&error, reply),
        },
        Request::Free { address } => finish(session.engine.free(thread, address), reply),
        Request::ReadRanges(ranges) => {
            let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
            for (address, length) in ranges.iter() {
                let start = bytes.len();
                // What would not fit counts as not readable: the client asks for less.
                let room = MAX_PACKET.saturating_sub(start);
                let length = usize::try_from(length).ok().filter(|length| *length <= room).unwrap_or(0);
                bytes.resize(start + length, 0);
                let read = session.engine.read_memory(thread, address, &mut bytes[start..]).unwrap_or(0);
                bytes.truncate(start + read);
                lengths.push(read);
            }
            reply.memory_ranges(&lengths, &bytes);
        }
        Request::Region { address } => match session.engine.region(thread, address) {
            Ok(region) => reply.memory_region(&region.as_region()),
            Err(error) => refuse(&error, reply),
        },
        Request::Write { address, data } => finish(session.engine.write_memory(thread, address, data), reply),
        Request::Search { address, length, pattern } => match search(session, thread, address, length, pattern) {
            Ok(found) => reply.search(found),
            Err(error) => refuse(&error, reply),
        },
        Request::Checksum { address, length } => {
            let mut sum = Crc::default();
            let summed = windows(session, thread, address, length, 0, |_, bytes| {
                sum.update(bytes);
                None::<()>
            });
            match summed {
                Ok(_) => reply.crc(sum.value()),
                Err(error) => refuse(&error, reply),
            }
        }
    }
    if session.scratch.capacity() > WINDOW / 4 {
        session.scratch = Vec::new();
    }
}

/// The first place in `address..address + length` where all of `pattern` is.
fn search(
    session: &Conversation,
    thread: ThreadSelector,
    address: u64,
    length: u64,
    pattern: &[u8],
) -> Result<Option<u64>> {
    if pattern.is_empty() {
        return Ok(Some(address));
    }
    let finder = memmem::Finder::new(pattern);
    windows(session, thread, address, length, pattern.len() - 1, |at, bytes| {
        finder.find(bytes).map(|offset| at.wrapping_add(offset as u64))
    })
}

/// Shows `look` a range of memory in pieces of which each begins with the last `overlap` bytes of the one before,
/// until it finds something.
fn windows<T>(
    session: &Conversation,
    thread: ThreadSelector,
    address: u64,
    length: u64,
    overlap: usize,
    mut look: impl FnMut(u64, &[u8]) -> Option<T>,
) -> Result<Option<T>> {
    let mut buffer = vec![0; (WINDOW + overlap).min(usize::try_from(length).unwrap_or(usize::MAX))];
    let mut done = 0;
    while done < length {
        let at = address.wrapping_add(done);
        let size = (buffer.len() as u64).min(length - done) as usize;
        let read = session.engine.read_memory(thread, at, &mut buffer[..size])?;
        if let Some(found) = look(at, &buffer[..read]) {
            return Ok(Some(found));
        }
        if read < size {
            return Err(Error::BadAddress(at.wrapping_add(read as u64)));
        }
        if done + size as u64 == length {
            break;
        }
        done += (size - overlap) as u64;
    }
    Ok(None)
}
