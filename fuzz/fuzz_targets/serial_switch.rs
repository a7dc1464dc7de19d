//! A port that processes share, and anything that can come from them and over the line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::serial::fuzzing::switch(data));
