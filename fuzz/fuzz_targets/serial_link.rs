//! One end of a serial line, and anything that can come over it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::serial::fuzzing::link(data));
