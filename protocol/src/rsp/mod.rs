//! The GDB Remote Serial Protocol (GDB manual, appendix "GDB Remote Serial Protocol").
//!
//! One file per packet family; each holds the family's request type, and how it is parsed and emitted. [`server`] is
//! the stub's side as a state machine.

pub mod agent;
pub mod breakpoint;
pub(crate) mod buffer;
pub mod crc;
pub mod description;
mod field;
pub mod file;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod memory;
pub mod packet;
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
pub mod transfer;
