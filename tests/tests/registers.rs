//! Registers, read and written by gdb and checked by the program itself.

use std::fs;

use dbgsrv_tests::gdb::Transcript;
use dbgsrv_tests::program;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use tempfile::TempDir;

/// Runs `registers` for one width with `commands` at the point where the registers are loaded. Returns what gdb printed
/// and what the program found in its registers afterwards.
fn registers(server: &Server, width: &str, commands: &[&str]) -> (Transcript, Vec<u8>) {
    let directory = TempDir::new().expect("a temporary directory can be made");
    let report = directory.path().join("report");
    let arguments = format!("set args {width} {}", report.display());
    let stop = format!("tbreak *&{width}_loaded");
    let mut all = vec!["break main", &arguments, "run", &stop, "continue"];
    all.extend(commands);
    all.push("continue");
    let transcript = server.gdb(Some(&program::path("registers")), &all);
    transcript.assert_has("exited normally]");
    let report = fs::read(&report).expect("the program writes its report");
    (transcript, report)
}

/// What the program loads: bytes counting from 1.
fn loaded(length: u8) -> Vec<u8> {
    (1..=length).collect()
}

#[test]
fn general_registers_are_read_and_written() {
    let server = Server::start();
    let commands =
        ["print/x $rbx", "print/x $r12", "set $rbx = 0x1122334455667788", "set $r12d = 0xaabbccdd", "print/x $rbx"];
    let (transcript, report) = registers(&server, "general", &commands);
    transcript.assert_has("$1 = 0x807060504030201");
    transcript.assert_has("$2 = 0x100f0e0d0c0b0a09");
    transcript.assert_has("$3 = 0x1122334455667788");
    assert_eq!(report[..8], 0x1122_3344_5566_7788_u64.to_le_bytes());
    assert_eq!(report[8..12], 0xaabb_ccdd_u32.to_le_bytes());
    server.assert_still_serves();
}

#[test]
fn xmm_registers_are_read_and_written() {
    let server = Server::start();
    let commands = [
        "print $xmm1.v16_int8",
        "print/x $xmm15.v2_int64[1]",
        "set $xmm1.v16_int8[15] = 99",
        "set $xmm15.v4_int32[0] = 0x5a5b5c5d",
        "print/x $mxcsr",
    ];
    let (transcript, report) = registers(&server, "xmm", &commands);
    transcript.assert_has("$1 = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}");
    transcript.assert_has("$2 = 0x201f1e1d1c1b1a19");
    transcript.assert_has("$3 = 0x1f80");
    let mut expected = loaded(32);
    expected[15] = 99;
    expected[16..20].copy_from_slice(&0x5a5b_5c5d_u32.to_le_bytes());
    assert_eq!(report[..32], expected);
    server.assert_still_serves();
}

#[test]
fn ymm_registers_are_read_and_written() {
    if !std::is_x86_feature_detected!("avx") {
        eprintln!("skipped: this machine has no AVX");
        return;
    }
    let server = Server::start();
    let commands = [
        "print $ymm1.v32_int8[31]",
        "print/x $ymm15.v4_int64[3]",
        "set $ymm1.v32_int8[31] = 99",
        "set $ymm15.v4_int64[2] = 0x0102030405060708",
    ];
    let (transcript, report) = registers(&server, "ymm", &commands);
    transcript.assert_has("$1 = 32");
    transcript.assert_has("$2 = 0x403f3e3d3c3b3a39");
    let mut expected = loaded(64);
    expected[31] = 99;
    expected[48..56].copy_from_slice(&0x0102_0304_0506_0708_u64.to_le_bytes());
    assert_eq!(report[..64], expected);
    server.assert_still_serves();
}

#[test]
fn zmm_and_mask_registers_are_read_and_written() {
    if !std::is_x86_feature_detected!("avx512f") {
        eprintln!("skipped: this machine has no AVX-512");
        return;
    }
    if stand_in_lacks("the right place of AVX-512 state in every processor's XSAVE area") {
        return;
    }
    let server = Server::start();
    let commands = [
        "print $zmm1.v64_int8[63]",
        "print/x $zmm31.v8_int64[7]",
        "print/x $k1",
        "set $zmm1.v64_int8[63] = 99",
        "set $zmm31.v8_int64[7] = 0x0102030405060708",
        "set $k1 = 0x5aa5",
    ];
    let (transcript, report) = registers(&server, "zmm", &commands);
    transcript.assert_has("$1 = 64");
    transcript.assert_has("$2 = 0x403f3e3d3c3b3a39");
    transcript.assert_has("$3 = 0x4241");
    let mut expected = loaded(64);
    expected[63] = 99;
    assert_eq!(report[..64], expected, "zmm1");
    assert_eq!(report[64..66], 0x5aa5_u16.to_le_bytes(), "k1");
    assert_eq!(report[66..90], loaded(64)[32..56], "zmm31");
    assert_eq!(report[90..98], 0x0102_0304_0506_0708_u64.to_le_bytes(), "zmm31");
    server.assert_still_serves();
}
