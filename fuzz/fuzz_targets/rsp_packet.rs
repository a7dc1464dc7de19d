//! RSP framing: any bytes in, whole packets or typed errors out.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::rsp::fuzzing::packet(data));
