//! Connects to a dbgsrv process server.
#![forbid(unsafe_code)]

mod connect;
mod error;
mod process;
mod remote;

pub use connect::{ConnectSettings, connect_gdbserver, connect_process_server, connect_with};
pub use dbgsrv_protocol::control::{
    Check, Event, Failure, FailureKind, ProcessDescription, Program, ServerInfo, SessionInfo, Verdict,
};
pub use dbgsrv_protocol::options::{ClientOptions, Password};
pub use error::Error;
pub use process::{Description, GetProc, ProcDesc, ProcessMatch};
pub use remote::RemoteServer;
