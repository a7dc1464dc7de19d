//! A client, and whatever it connects to.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::session::fuzzing::client(data));
