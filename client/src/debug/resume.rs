//! Resuming, interrupting, and what comes of it: `vCont`, `Ctrl-C`, stop replies.

use dbgsrv_protocol::ids::ThreadId;
use dbgsrv_protocol::rsp::resume::{Action, Actions, Request, ThreadAction, put_list};
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{DebugError, DebugSession, Event, Reason};

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Resumes threads (`vCont`; dbgeng: `IDebugControl::SetExecutionStatus`). For each thread the first action that names
    /// it counts; one that no action names stays stopped. What comes of it is told by [`Self::wait_event`].
    ///
    /// # Errors
    /// [`DebugError::Running`]; [`DebugError::Refused`] if the list is longer than the server takes. That the server
    /// refuses is an error of [`Self::wait_event`].
    pub async fn resume(&mut self, actions: &[ThreadAction]) -> Result<(), DebugError> {
        let mut list = Vec::new();
        put_list(&mut list, actions);
        // Too many, or none.
        let actions = Actions::parse(&list).ok_or(DebugError::Malformed("vCont"))?;
        self.selected = None;
        self.conversation.resume(Request::Resume { actions, address: None }).await
    }

    /// Resumes all threads (dbgeng: `DEBUG_STATUS_GO`).
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub async fn resume_all(&mut self) -> Result<(), DebugError> {
        self.resume(&[ThreadAction { action: Action::Continue(None), thread: ThreadSelector::ALL }]).await
    }

    /// Resumes all threads, `thread` with a signal.
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub async fn resume_with_signal(&mut self, thread: ThreadId, signal: Signal) -> Result<(), DebugError> {
        let signalled = ThreadAction { action: Action::Continue(Some(signal)), thread: thread.into() };
        let others = ThreadAction { action: Action::Continue(None), thread: ThreadSelector::ALL };
        self.resume(&[signalled, others]).await
    }

    /// Lets one thread run one instruction while all others stand still (dbgeng: `DEBUG_STATUS_STEP_INTO`).
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub async fn step(&mut self, thread: ThreadId) -> Result<(), DebugError> {
        self.resume(&[ThreadAction { action: Action::Step(None), thread: thread.into() }]).await
    }

    /// Stops what runs (the byte 0x03; dbgeng: `IDebugControl::SetInterrupt`). The stop is told by [`Self::wait_event`],
    /// mostly with SIGINT.
    ///
    /// # Errors
    /// [`DebugError::NotRunning`].
    pub async fn interrupt(&mut self) -> Result<(), DebugError> {
        self.conversation.interrupt().await
    }

    /// The next event (dbgeng: `IDebugControl::WaitForEvent`).
    ///
    /// Cancel safe: when the future is dropped no event is lost.
    ///
    /// # Errors
    /// [`DebugError::NotRunning`] if none can come; [`DebugError::Target`] if the server refused to resume.
    pub async fn wait_event(&mut self) -> Result<Event, DebugError> {
        let event = self.conversation.event().await?;
        match &event {
            Event::Output(_) => {}
            // The same program goes on.
            Event::Stopped(stop) if !matches!(stop.reason, Reason::Exec { .. }) => self.selected = None,
            _ => self.forget(),
        }
        Ok(event)
    }
}
