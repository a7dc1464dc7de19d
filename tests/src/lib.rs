//! Support for the end-to-end tests: servers, debuggers, programs to be debugged, and what `/proc` says about them.
//!
//! The tests are in `tests/`, one file per subject. They need `gdb`, `gdbserver`, `lldb`, `openssl` and a C compiler, and the
//! server itself beside them in the target directory (`cargo build --workspace` puts it there; `DBGSRV_BIN` names another one).
//!
//! With `DBGSRV_TEST_SERVER=premote` the debuggers reach the server through `premote … listen`: every script that works
//! directly works through a session too.
//!
//! To check the tests themselves, run them against `gdbserver --multi` with `DBGSRV_TEST_SERVER=gdbserver`. A test that
//! asks for something gdbserver can't do says so with [`server::stand_in_lacks`] and ends early there.
//!
//! There are no assertions on time. [`GUARD`] only ends a test that would otherwise hang.

use std::time::Duration;

pub mod beats;
pub mod certificates;
pub mod far;
pub mod gdb;
pub mod guide;
pub mod line;
pub mod listening;
pub mod lldb;
pub mod mi;
pub mod named;
pub mod network;
mod patience;
pub mod premote;
pub mod process;
pub mod program;
pub mod proxy;
pub mod relay;
pub mod repeater;
pub mod reserved;
pub mod rsp;
pub mod server;
pub mod session;
pub mod trial;

pub use patience::{guarded, lines_of, receive, wait_until};

/// How long anything may take before the test is given up as hanging.
pub const GUARD: Duration = Duration::from_mins(1);
