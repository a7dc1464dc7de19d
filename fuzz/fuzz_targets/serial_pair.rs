//! Two ends of a serial line and everything that can happen to it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::serial::fuzzing::pair(data));
