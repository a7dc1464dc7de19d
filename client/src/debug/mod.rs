//! Debugging without a debugger: programs attached to or started, looked at, changed and resumed.
//!
//! A [`DebugSession`] speaks RSP over any stream: a debug channel of a connection to `dbgsrv`, or a plain socket to
//! `dbgsrv` or to a stock `gdbserver --multi`. Methods are named after what they do; their documentation names the packet
//! and the function of dbgeng, where there is one.
//!
//! ```no_run
//! use dbgsrv_client::debug::{BreakpointKind, DebugError, DebugSession, Event, Launch};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let stream = tokio::net::TcpStream::connect("target:5005").await?;
//! let mut session = DebugSession::new(stream).await?;
//! let stop = session.create(&Launch::new("/usr/bin/true")).await?;
//! println!("started as process {}", stop.thread.pid);
//! session.insert_breakpoint(BreakpointKind::Software, 0x40_1000, 1).await?;
//! session.resume_all().await?;
//! loop {
//!     match session.wait_event().await? {
//!         Event::Output(text) => print!("{}", String::from_utf8_lossy(&text)),
//!         Event::Stopped(stop) => {
//!             let registers = session.registers(stop.thread).await?;
//!             println!("stopped at {:#x}", registers.number("rip").unwrap_or_default());
//!             session.resume_all().await?;
//!         }
//!         event => break println!("{event:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The session is in all-stop mode: while a program runs, nothing but [`DebugSession::interrupt`] and
//! [`DebugSession::wait_event`] works, all else is [`DebugError::Running`]. Any future of a session may be dropped: what
//! it asked for may still happen on the server, its answer is passed over, and the session goes on.

mod breakpoint;
mod conversation;
mod description;
mod error;
mod event;
mod file;
mod memory;
mod process;
mod query;
mod registers;
mod resume;
mod settings;
#[cfg(test)]
mod tests;
mod thread;
mod transfer;

use std::sync::Arc;

use dbgsrv_protocol::ids::{Pid, ThreadId};
pub use dbgsrv_protocol::rsp::breakpoint::Kind as BreakpointKind;
pub use dbgsrv_protocol::rsp::client::{Reason, Stop};
pub use dbgsrv_protocol::rsp::file::{Stat, flags};
pub use dbgsrv_protocol::rsp::resume::{Action, ThreadAction};
pub use dbgsrv_protocol::rsp::signal::Signal;
pub use dbgsrv_protocol::rsp::thread::{Selector, ThreadSelector};
pub use dbgsrv_protocol::rsp::transfer::Object;
use tokio::io::{AsyncRead, AsyncWrite};

use self::conversation::Conversation;
pub use self::description::{Description, Register};
pub use self::error::{DebugError, FileError, TargetError};
pub use self::event::Event;
pub use self::file::RemoteFile;
pub use self::process::Launch;
pub use self::registers::RegisterSet;

/// A conversation with an RSP server, and what is known of its processes.
///
/// When it is dropped the stream closes, which ends the session on the server: processes that were attached to go on, those
/// that were created end.
#[derive(Debug)]
pub struct DebugSession<S> {
    conversation: Conversation<S>,
    /// The thread chosen with `Hg` since the last stop.
    selected: Option<ThreadId>,
    /// The registers of the process that was asked for them last.
    description: Option<(Pid, Arc<Description>)>,
    /// Whether `p` and `P` are known, as far as has been seen.
    single_registers: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Begins a session over `stream`: features are exchanged, and acknowledgements switched off where the server allows
    /// it (`qSupported`, `QStartNoAckMode`, `!`, `vCont?`).
    ///
    /// # Errors
    /// When the stream fails or ends, or the server says something that is no RSP.
    pub async fn new(stream: S) -> Result<Self, DebugError> {
        let conversation = Conversation::greet(stream).await?;
        Ok(Self { conversation, selected: None, description: None, single_registers: true })
    }
}
