//! The control protocol's requests, as far as they concern the machine.
//!
//! All functions block, on `/proc`, files or processes: call them where blocking is allowed.
#![allow(dead_code, reason = "the dispatcher is written elsewhere")]

pub(crate) mod create;
pub(crate) mod digest;
pub(crate) mod doctor;
pub(crate) mod info;
pub(crate) mod processes;
