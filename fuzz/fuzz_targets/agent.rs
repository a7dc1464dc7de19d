//! Agent expressions: any bytecode is refused or ends within its limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::rsp::agent::fuzzing::agent(data));
