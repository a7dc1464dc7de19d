//! Connects to a dbgsrv process server: lists, describes and starts processes there, and debugs them.
//!
//! One connection carries everything: requests of any number of tasks, answered in any order, and any number of debug
//! sessions, each a stream of RSP bytes of its own. It is sealed, survives cuts, and stays up on a tokio task. The methods
//! are those of dbgeng, the debugger engine of Windows, where it has them; each names the original.
//!
//! ```text
//! connect_process_server ──▶ RemoteServer ─┬─ processes, describe, create_process, sessions, …    one answer each
//!                                          ├─ open_debug_session ──▶ Channel: AsyncRead + AsyncWrite    RSP
//!                                          └─ next_event, closed
//! ```
//!
//! It asks nobody for a password: who gets [`Error::PasswordNeeded`] asks, and calls [`connect_with`], or
//! [`Connector::connect`] where it is the server that connects.
//!
//! ```no_run
//! use dbgsrv_client::{GetProc, ProcDesc, ProcessMatch, connect_process_server};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = connect_process_server(&"tcp:server=BOX17,port=5005,password-file=secret".parse()?).await?;
//! println!("connected to release {} on {}", server.link().peer().release, server.link().peer().host);
//!
//! match server.running_process_system_id_by_executable_name("httpd", GetProc::ONLY_MATCH).await? {
//!     ProcessMatch::Found(pid) => {
//!         let description = server.running_process_description(pid, ProcDesc::NO_PATHS).await?;
//!         println!("{pid} {} {}", description.executable, description.text);
//!     }
//!     ProcessMatch::Several(pids) => println!("one of {pids:?}"),
//!     ProcessMatch::NotFound => println!("it does not run"),
//! }
//!
//! let mut session = server.open_debug_session("example").await?;
//! session.write_all(b"$?#3f").await?;
//! let mut reply = [0; 8];
//! session.read_exact(&mut reply).await?;
//!
//! server.disconnect().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod connect;
mod control;
pub mod debug;
mod description;
mod error;
mod facts;
mod pages;
mod process;
mod remote;
mod servers;
#[cfg(test)]
mod tests;

pub use connect::{ConnectSettings, Connector, connect_gdbserver, connect_process_server, connect_with};
pub use dbgsrv_discovery::{Findings, FoundServer};
pub use dbgsrv_protocol::control::{
    Check, Event, Failure, FailureKind, ProcessDescription, Program, ServerInfo, SessionInfo, Verdict,
};
pub use dbgsrv_protocol::options::{ClientOptions, Host, ListedServer, Password};
pub use description::{Description, ProcDesc, command_line};
pub use error::Error;
pub use process::{GetProc, ProcessMatch};
pub use remote::RemoteServer;
pub use servers::servers;
