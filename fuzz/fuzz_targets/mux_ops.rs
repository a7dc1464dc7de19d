//! The mux: two that talk to each other while anything is done with them, or one with a peer that says anything.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::mux::fuzzing::mux_ops(data));
