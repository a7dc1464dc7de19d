//! Connection strings: what parses must print as something that parses to the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::options::fuzzing::options(data));
