//! The debugger's side of the RSP conversation: a server that says anything, in pieces of any size.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::rsp::fuzzing::client(data));
