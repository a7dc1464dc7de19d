//! A process server as its client sees it.

use crate::{Description, Error, GetProc, ProcDesc, ProcessMatch};
use dbgsrv_protocol::control::{Check, Event, ProcessDescription, Program, ServerInfo, SessionInfo};
use dbgsrv_session::{Channel, Closed, Link};

/// A process server: a handle that may be cloned. The session ends when the last handle and the last debug session are
/// dropped.
#[derive(Clone, Debug)]
pub struct RemoteServer {
    link: Link,
}

impl RemoteServer {
    /// The session.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// What server this is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        unimplemented!()
    }

    /// The ids of all processes, in ascending order (`GetRunningProcessSystemIds`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn running_process_system_ids(&self) -> Result<Vec<u32>, Error> {
        unimplemented!()
    }

    /// `GetRunningProcessSystemIdByExecutableName`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn running_process_system_id_by_executable_name(
        &self,
        name: &str,
        flags: GetProc,
    ) -> Result<ProcessMatch, Error> {
        let _ = (name, flags);
        unimplemented!()
    }

    /// `GetRunningProcessDescription`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn running_process_description(&self, pid: u32, flags: ProcDesc) -> Result<Description, Error> {
        let _ = (pid, flags);
        unimplemented!()
    }

    /// Descriptions of all processes.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn processes(&self) -> Result<Vec<ProcessDescription>, Error> {
        unimplemented!()
    }

    /// The description of one process.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn describe(&self, pid: u32) -> Result<ProcessDescription, Error> {
        let _ = pid;
        unimplemented!()
    }

    /// Starts a program that is not debugged, and returns its process id.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_process(&self, program: Program) -> Result<u32, Error> {
        let _ = program;
        unimplemented!()
    }

    /// The debug sessions of the server.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        unimplemented!()
    }

    /// Ends a debug session.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn end_session(&self, session: u64) -> Result<(), Error> {
        let _ = session;
        unimplemented!()
    }

    /// Checks what decides whether debugging works on the server's machine, and whether `pid` could be attached to.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn doctor(&self, pid: Option<u32>) -> Result<Vec<Check>, Error> {
        let _ = pid;
        unimplemented!()
    }

    /// The SHA-256, in hexadecimal, of a file's first `length` bytes, and of how many bytes it is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn digest(&self, path: &str, length: Option<u64>) -> Result<(String, u64), Error> {
        let _ = (path, length);
        unimplemented!()
    }

    /// Ends the server, and all sessions with it (`EndProcessServer`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn end_process_server(&self) -> Result<(), Error> {
        unimplemented!()
    }

    /// Ends the session with the server, for all handles; the server goes on (`DisconnectProcessServer`).
    pub async fn disconnect(self) {
        unimplemented!()
    }

    /// Opens a debug session: one RSP conversation. `label` is what others see in the list of sessions.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Closed`].
    pub async fn open_debug_session(&self, label: &str) -> Result<Channel, Error> {
        let _ = label;
        unimplemented!()
    }

    /// The next event, `None` once the session is over. Each handle gets all events from its making on. Cancel safe.
    pub async fn next_event(&self) -> Option<Event> {
        unimplemented!()
    }

    /// Waits for the end of the session. Cancel safe.
    pub async fn closed(&self) -> Closed {
        self.link.closed().await
    }
}
