//! Entries of the registry, and announcements on the network.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_discovery::fuzzing::discovery(data));
