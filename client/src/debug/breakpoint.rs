//! Breakpoints and watchpoints: `Z`, `z`.

use dbgsrv_protocol::rsp::breakpoint::{Expressions, Kind, Request};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{DebugError, DebugSession};

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Inserts a breakpoint or watchpoint into the process of the current thread (`Z`; dbgeng:
    /// `IDebugControl::AddBreakpoint`). `size` is the length of the watched range in bytes, and 1 for a breakpoint on x86.
    ///
    /// # Errors
    /// [`DebugError::Target`] if there is no memory or no debug register for it, [`DebugError::Unsupported`] if the server
    /// lacks that kind.
    pub async fn insert_breakpoint(&mut self, kind: Kind, address: u64, size: u64) -> Result<(), DebugError> {
        let (conditions, commands) = (Expressions::default(), Expressions::default());
        let request = Request::Insert { kind, address, size, conditions, commands, persist: false };
        self.conversation.command(request, "Z").await
    }

    /// Removes one (`z`; dbgeng: `IDebugControl::RemoveBreakpoint`). That it is not there is no error.
    ///
    /// # Errors
    /// [`DebugError::Target`] or [`DebugError::Unsupported`], as for [`Self::insert_breakpoint`].
    pub async fn remove_breakpoint(&mut self, kind: Kind, address: u64, size: u64) -> Result<(), DebugError> {
        self.conversation.command(Request::Remove { kind, address, size }, "z").await
    }
}
