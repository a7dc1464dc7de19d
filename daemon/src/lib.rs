//! The process server behind the `dbgsrv` command.
//!
//! [`engine`] runs typed requests against real processes and knows nothing of listeners; [`worker`] joins it with the
//! protocol for one debug session; everything else is the front that accepts connections and starts workers:
//!
//! ```text
//! app ── listener ── connection ── worker::spawn ──(process)── worker::run
//!                     │  └ refusal
//!    └ undecided      └ policy, sniff
//! ```

pub mod app;
pub mod cli;
mod connection;
pub mod engine;
pub mod exit;
mod limits;
mod listener;
mod policy;
mod refusal;
mod server;
mod sniff;
pub mod telemetry;
mod undecided;
pub mod worker;
