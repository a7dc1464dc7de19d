//! The GDB Remote Serial Protocol (GDB manual, appendix "GDB Remote Serial Protocol").
//!
//! One file per packet family; each holds the family's request type, and how it is parsed and emitted. [`server`] is
//! the stub's side as a state machine, [`client`] the debugger's; the two can stand back to back.

pub mod agent;
pub mod breakpoint;
pub(crate) mod buffer;
pub mod client;
pub mod console;
pub mod crc;
pub mod description;
mod features;
mod field;
pub mod file;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod memory;
mod output;
pub mod packet;
pub mod platform;
pub mod process;
pub mod query;
pub mod registers;
pub mod request;
pub mod resume;
pub mod server;
pub mod settings;
pub mod signal;
pub mod stop;
pub mod thread;
pub mod trace;
pub mod transfer;
