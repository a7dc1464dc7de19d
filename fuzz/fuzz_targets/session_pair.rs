//! Two sessions and everything that can happen to the connection between them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::session::fuzzing::pair(data));
