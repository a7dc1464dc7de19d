//! Threads: `qfThreadInfo`, `Hg`.

use dbgsrv_protocol::ids::ThreadId;
use dbgsrv_protocol::rsp::client::Reply;
use dbgsrv_protocol::rsp::request::Request;
use dbgsrv_protocol::rsp::thread::{self, Scope};
use tokio::io::{AsyncRead, AsyncWrite};

use super::conversation::done;
use super::{DebugError, DebugSession};

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// All threads of all processes of this session (`qfThreadInfo`; dbgeng:
    /// `IDebugSystemObjects::GetThreadIdsByIndex`).
    ///
    /// # Errors
    /// As for all of a session's methods.
    pub async fn threads(&mut self) -> Result<Vec<ThreadId>, DebugError> {
        self.conversation
            .ask(thread::Request::List, |reply| match reply {
                Reply::Threads(threads) => Ok(threads),
                reply => Err(DebugError::from_reply(&reply, "qfThreadInfo")),
            })
            .await
    }

    /// Chooses the thread whose process memory belongs to until something stops (`Hg`; dbgeng:
    /// `IDebugSystemObjects::SetCurrentThreadId`). Without it that is the thread that stopped last.
    ///
    /// # Errors
    /// [`DebugError::Target`] if there is no such thread.
    pub async fn select(&mut self, thread: ThreadId) -> Result<(), DebugError> {
        if self.selected != Some(thread) {
            self.selected = None;
            self.conversation.command(choose(thread), "Hg").await?;
            self.selected = Some(thread);
        }
        Ok(())
    }

    /// Makes a request about `thread` that changes nothing: where it can it goes out with the choice of the thread, so
    /// that both take one round trip.
    pub(super) async fn look<T>(
        &mut self,
        thread: ThreadId,
        request: impl Into<Request<'_>>,
        read: impl FnOnce(Reply<'_>) -> Result<T, DebugError>,
    ) -> Result<T, DebugError> {
        let request = request.into();
        if self.selected == Some(thread) {
            return self.conversation.ask(request, read).await;
        }
        self.selected = None;
        let choice = self.conversation.request(&choose(thread).into()).await?;
        let early = self.conversation.try_request(&request)?;
        self.conversation.answer(choice, |reply| done(&reply, "Hg")).await?;
        self.selected = Some(thread);
        let id = match early {
            Some(id) => id,
            None => self.conversation.request(&request).await?,
        };
        self.conversation.answer(id, read).await
    }
}

fn choose(thread: ThreadId) -> thread::Request {
    thread::Request::Select { scope: Scope::General, thread: thread.into() }
}
