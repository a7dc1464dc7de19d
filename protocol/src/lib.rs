//! The sans-IO core of dbgsrv: connection strings and the GDB Remote Serial Protocol.
//!
//! Nothing here opens a socket, reads a clock, starts a thread or asks the operating system for anything. Bytes and
//! typed replies go in, typed requests and bytes come out, so the same machines run under tokio, in a worker process
//! that blocks, in another runtime, or in a fuzzer.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod ids;
pub mod limits;
pub mod options;
pub mod rsp;
