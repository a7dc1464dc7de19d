//! Objects: `qXfer`.

use dbgsrv_protocol::ids::ThreadId;
use dbgsrv_protocol::limits::MAX_OBJECT;
use dbgsrv_protocol::rsp::client::Reply;
use dbgsrv_protocol::rsp::transfer::{Object, Request};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{DebugError, DebugSession};

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Reads an object (`qXfer`), at most 16 MiB of it. `annex` says which one of its kind and has no `:` in it; what
    /// belongs to a process or thread is that of `thread`.
    ///
    /// # Errors
    /// [`DebugError::Target`] if there is none, [`DebugError::Unsupported`] if the server lacks the kind.
    pub async fn read_object(
        &mut self,
        thread: Option<ThreadId>,
        object: Object,
        annex: &str,
    ) -> Result<Vec<u8>, DebugError> {
        let mut bytes = Vec::new();
        let length = self.conversation.client.packet_size() as u64;
        loop {
            let request = Request::Read { object, annex: annex.as_bytes(), offset: bytes.len() as u64, length };
            let read = |reply: Reply<'_>| match reply {
                // An empty part that is not the last one would be asked for again for ever.
                Reply::Object { data, last } if last || !data.is_empty() => {
                    bytes.extend_from_slice(data);
                    Ok(last)
                }
                reply => Err(DebugError::from_reply(&reply, "qXfer")),
            };
            let last = match thread {
                Some(thread) => self.look(thread, request, read).await?,
                None => self.conversation.ask(request, read).await?,
            };
            if bytes.len() > MAX_OBJECT {
                return Err(DebugError::TooMuch("of an object"));
            }
            if last {
                return Ok(bytes);
            }
        }
    }
}
