//! Settings of a session: `QPassSignals`.

use dbgsrv_protocol::rsp::settings::{Request, SignalList};
use dbgsrv_protocol::rsp::signal::Signal;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{DebugError, DebugSession};

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Has these signals, and no others, reach programs without a stop (`QPassSignals`; dbgeng:
    /// `IDebugControl::SetExceptionFilterParameters`).
    ///
    /// # Errors
    /// [`DebugError::Unsupported`].
    pub async fn pass_signals(&mut self, signals: &[Signal]) -> Result<(), DebugError> {
        let text = signals.iter().map(|signal| format!("{:x}", signal.0)).collect::<Vec<_>>().join(";");
        let list = SignalList::parse(text.as_bytes()).expect("numbers of signals are a list");
        self.conversation.command(Request::PassSignals(list), "QPassSignals").await
    }
}
