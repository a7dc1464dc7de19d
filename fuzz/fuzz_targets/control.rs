//! The control protocol: any bytes in, messages that are the same when they are sent again, or typed errors.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_protocol::control::fuzzing::control(data));
