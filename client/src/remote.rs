//! A process server as its client sees it.

use crate::control::{Control, End};
use crate::pages::Pages;
use crate::{Description, Error, GetProc, ProcDesc, ProcessMatch};
use dbgsrv_protocol::control::{Check, Event, ProcessDescription, Program, Request, Response, ServerInfo, SessionInfo};
use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::CloseCode;
use dbgsrv_session::{Channel, Closed, Link, OpenError};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex, broadcast};

/// A process server: a handle that may be cloned, and used by several tasks at once. The session ends when the last
/// handle and the last debug session are dropped, or with [`Self::disconnect`].
///
/// Each method that asks the server something fails with [`Error::Refused`] where the server says no, [`Error::Closed`]
/// where the session is over, and [`Error::Codec`] or [`Error::Protocol`] where the answer is none. While the connection
/// is cut they wait. All are cancel safe, but what a request changes may be changed all the same.
#[derive(Debug)]
pub struct RemoteServer {
    shared: Arc<Shared>,
    events: Mutex<broadcast::Receiver<Event>>,
}

#[derive(Debug)]
struct Shared {
    link: Link,
    control: Control,
    /// Never read: what the receivers of further handles are made from.
    events: broadcast::Receiver<Event>,
}

impl Clone for RemoteServer {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.shared))
    }
}

impl RemoteServer {
    /// The server at the other end of a session that was begun elsewhere, over any byte stream
    /// ([`dbgsrv_session::connect`]). `None` where the session's control channel is in use already. Must be called inside
    /// a tokio runtime.
    #[must_use]
    pub fn new(link: Link) -> Option<Self> {
        let (control, conversation, events) = Control::new(link.control()?);
        let of_task = link.clone();
        tokio::spawn(async move {
            match conversation.run().await {
                // Debug sessions may go on.
                End::Unused => {}
                end @ End::Codec(_) => of_task.close(CloseCode::Protocol, &end.to_string()),
                end => of_task.close(CloseCode::Done, &end.to_string()),
            }
        });
        Some(Self::of(Arc::new(Shared { link, control, events })))
    }

    fn of(shared: Arc<Shared>) -> Self {
        let events = Mutex::new(shared.events.resubscribe());
        Self { shared, events }
    }

    /// The session: who the server is, how it is protected, whether its connection is cut.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.shared.link
    }

    /// What server this is.
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        match self.ask(Request::ServerInfo).await? {
            Response::ServerInfo(info) => Ok(info),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// The ids of all processes, in ascending order (`GetRunningProcessSystemIds`; there is no array that could be too
    /// small).
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn running_process_system_ids(&self) -> Result<Vec<u32>, Error> {
        let mut pages = Pages::new();
        loop {
            let Response::ProcessIds { pids, more } = self.ask(Request::ProcessIds { after: pages.after() }).await?
            else {
                return Err(WRONG_ANSWER);
            };
            if !pages.take(pids, more, |pid| *pid)? {
                return Ok(pages.into_items());
            }
        }
    }

    /// The process of an executable (`GetRunningProcessSystemIdByExecutableName`). `S_OK` is [`ProcessMatch::Found`],
    /// `S_FALSE` [`ProcessMatch::Several`], `E_NOINTERFACE` [`ProcessMatch::NotFound`].
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn running_process_system_id_by_executable_name(
        &self,
        name: &str,
        flags: GetProc,
    ) -> Result<ProcessMatch, Error> {
        let executable = name.to_owned();
        match self.ask(Request::ProcessIdByExecutable { executable, by: flags.by() }).await? {
            Response::Matches(matches) => ProcessMatch::of(matches, flags),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// A process in words (`GetRunningProcessDescription`).
    ///
    /// # Errors
    /// As [`Self::describe`].
    pub async fn running_process_description(&self, pid: u32, flags: ProcDesc) -> Result<Description, Error> {
        Ok(Description::new(&self.describe(pid).await?, flags))
    }

    /// The descriptions of all processes, in ascending order of their ids. A process that starts or ends meanwhile may be
    /// among them or not.
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn processes(&self) -> Result<Vec<ProcessDescription>, Error> {
        let mut pages = Pages::new();
        loop {
            let answer = self.ask(Request::Processes { after: pages.after() }).await?;
            let Response::Processes { processes, more } = answer else { return Err(WRONG_ANSWER) };
            if !pages.take(processes, more, |process| process.pid)? {
                return Ok(pages.into_items());
            }
        }
    }

    /// The description of one process.
    ///
    /// # Errors
    /// As at [`RemoteServer`]; [`Error::Refused`] with [`crate::FailureKind::NotFound`] where there is no such process.
    pub async fn describe(&self, pid: u32) -> Result<ProcessDescription, Error> {
        let answer = self.ask(Request::Describe { pids: vec![pid] }).await?;
        let Response::Processes { mut processes, .. } = answer else { return Err(WRONG_ANSWER) };
        match processes.pop() {
            None => Err(Error::no_process(pid)),
            Some(process) if process.pid == pid && processes.is_empty() => Ok(process),
            Some(_) => Err(Error::Protocol("the description of a process that was not asked for")),
        }
    }

    /// Starts a program that is not debugged, and returns its process id (`CreateProcess2` without `DEBUG_PROCESS` and
    /// `DEBUG_ONLY_THIS_PROCESS`). It is the server's child, and outlives this session.
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn create_process(&self, program: Program) -> Result<u32, Error> {
        match self.ask(Request::Create(program)).await? {
            Response::Created { pid } => Ok(pid),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// The debug sessions of the server, those of other clients too.
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        match self.ask(Request::Sessions).await? {
            Response::Sessions(sessions) => Ok(sessions),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// Ends a debug session, whosever it is. Processes that it attached to go on, those that it created are killed.
    ///
    /// # Errors
    /// As at [`RemoteServer`]; [`Error::Refused`] with [`crate::FailureKind::NotFound`] where there is no such session.
    pub async fn end_session(&self, session: u64) -> Result<(), Error> {
        match self.ask(Request::EndSession { session }).await? {
            Response::Done => Ok(()),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// Checks what decides whether debugging works on the server's machine, and whether `pid` could be attached to.
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn doctor(&self, pid: Option<u32>) -> Result<Vec<Check>, Error> {
        match self.ask(Request::Doctor { pid }).await? {
            Response::Checks(checks) => Ok(checks),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// The SHA-256, in hexadecimal, of a file's first `length` bytes, and of how many bytes it is: all that the file has
    /// where `length` is more or absent.
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn digest(&self, path: &str, length: Option<u64>) -> Result<(String, u64), Error> {
        match self.ask(Request::Digest { path: path.to_owned(), length }).await? {
            Response::Digest { sha256, length } => Ok((sha256, length)),
            _ => Err(WRONG_ANSWER),
        }
    }

    /// Ends the server, and the sessions of all its clients with it (`EndProcessServer`). Returns when the server has
    /// taken it on; [`Self::closed`] waits for the end of this session.
    ///
    /// # Errors
    /// As at [`RemoteServer`].
    pub async fn end_process_server(&self) -> Result<(), Error> {
        match self.ask(Request::EndServer).await {
            // The end may overtake the answer.
            Ok(Response::Done) | Err(Error::Closed(Closed { code: CloseCode::ServerEnds, .. })) => Ok(()),
            Ok(_) => Err(WRONG_ANSWER),
            Err(error) => Err(error),
        }
    }

    /// Ends the session for all handles, and its debug sessions with it; the server goes on (`DisconnectProcessServer`).
    pub async fn disconnect(self) {
        self.shared.link.close(CloseCode::Done, "the client disconnects");
        self.closed().await;
    }

    /// Opens a debug session: one RSP conversation, which lasts as long as the stream. `label` is its name in the list of
    /// sessions.
    ///
    /// # Errors
    /// [`Error::Open`] where the server refuses or all channels are in use, [`Error::Closed`].
    pub async fn open_debug_session(&self, label: &str) -> Result<Channel, Error> {
        self.shared.link.open(Kind::Debug, label).await.map_err(|error| match error {
            OpenError::Closed(closed) => Error::Closed(closed),
            error => Error::Open(error),
        })
    }

    /// The next event, `None` once the session is over. Each handle gets all events from its making on; one that does not
    /// fetch them loses the oldest. Cancel safe.
    pub async fn next_event(&self) -> Option<Event> {
        let mut events = self.events.lock().await;
        loop {
            match events.recv().await {
                Ok(event) => return Some(event),
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(lost)) => tracing::debug!(lost, "events were not fetched in time"),
            }
        }
    }

    /// Waits for the end of the session. Cancel safe.
    pub async fn closed(&self) -> Closed {
        self.shared.link.closed().await
    }

    async fn ask(&self, request: Request) -> Result<Response, Error> {
        match self.shared.control.ask(request).await {
            Some(answer) => answer,
            None => Err(Error::Closed(self.closed().await)),
        }
    }
}

const WRONG_ANSWER: Error = Error::Protocol("an answer to another question");
