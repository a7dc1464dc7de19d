//! Host I/O: `vFile`.

use super::conversation::Conversation;
use crate::engine::host::FileReply;
use dbgsrv_protocol::limits::MAX_PACKET;
use dbgsrv_protocol::rsp::file::Request;
use dbgsrv_protocol::rsp::server::{Feature, Reply};

/// Most bytes of a file in one reply: each may take two characters.
const MAX_READ: usize = (MAX_PACKET - 64) / 2;

pub(super) fn answer(session: &mut Conversation, request: Request<'_>, reply: Reply<'_>) {
    if reply.features().has(Feature::Lldb) {
        // As its platform's other packets have it; GDB's `set cwd` is for programs only.
        session.files.begin_in(session.engine.launch.directory.clone().unwrap_or_default());
    }
    match session.files.run(request, MAX_READ) {
        Ok(FileReply::Data(bytes)) => reply.file(bytes.len() as i64, Some(bytes)),
        Ok(FileReply::Digest(digest)) => reply.file_digest(digest),
        Ok(FileReply::Exists(exists)) => reply.file_exists(exists),
        Ok(FileReply::Stat(stat)) => {
            let bytes = stat.to_bytes();
            reply.file(bytes.len() as i64, Some(&bytes));
        }
        Ok(FileReply::Value(value)) => reply.file(value as i64, None),
        Err(error) => reply.file_error(error.0),
    }
}
