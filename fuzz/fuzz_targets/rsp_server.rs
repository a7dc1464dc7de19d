//! The stub's side of the RSP conversation: a client that says anything, in pieces of any size.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::rsp::fuzzing::server(data));
