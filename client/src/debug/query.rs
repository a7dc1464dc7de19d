//! Questions: `qRcmd`.

use dbgsrv_protocol::rsp::client::Reply;
use dbgsrv_protocol::rsp::query::Request;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{DebugError, DebugSession};

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Has the server carry out a command of its own, and gives back what it has to say (`qRcmd`, gdb's `monitor`;
    /// dbgeng: `IDebugControl::Execute`).
    ///
    /// # Errors
    /// [`DebugError::Target`] if the command fails, [`DebugError::Unsupported`] if the server has none.
    pub async fn monitor(&mut self, command: &str) -> Result<String, DebugError> {
        let mut text = Vec::new();
        let id = self.conversation.request(&Request::Monitor(command.as_bytes()).into()).await?;
        let read = |reply: Reply<'_>| match reply {
            Reply::Text(last) => Ok(last.to_vec()),
            reply => Err(DebugError::from_reply(&reply, "qRcmd")),
        };
        let last = self.conversation.answer_with_text(id, Some(&mut text), read).await?;
        text.extend_from_slice(&last);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
