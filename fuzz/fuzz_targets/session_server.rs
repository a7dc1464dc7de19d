//! A server, and whoever connects to it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::session::fuzzing::server(data));
