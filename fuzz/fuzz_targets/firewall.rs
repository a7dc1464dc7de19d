//! What nft lists of a machine's firewall.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dbgsrv_firewall::fuzzing::firewall(data));
