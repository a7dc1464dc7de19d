//! The process server behind the `dbgsrv` command.
//!
//! [`engine`] runs typed requests against real processes and knows nothing of listeners; [`worker`] joins it with the
//! protocol for one debug session; everything else is the front that accepts connections and starts workers:
//!
//! ```text
//! app ── listener ── connection ── worker::spawn ──(process)── worker::run
//!                     │  └ refusal
//!                     └ policy, sniff
//! ```

pub mod engine;
pub mod exit;
pub mod telemetry;
pub mod worker;
