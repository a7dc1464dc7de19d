//! Connects to a dbgsrv process server.

pub mod debug;
