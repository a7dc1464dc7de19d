//! Memory: much of it, and where there is none.

use std::fs;

use dbgsrv_tests::program;
use dbgsrv_tests::server::Server;
use tempfile::TempDir;

/// What the program fills its memory with.
fn pattern() -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(16 << 20).collect()
}

#[test]
fn sixteen_mebibytes_are_dumped_and_restored() {
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let [dumped, restored, report] = ["dumped", "restored", "report"].map(|name| directory.path().join(name));
    // Other bytes everywhere, those that RSP must escape among them.
    let changed: Vec<_> = pattern().into_iter().map(|byte| byte ^ 0xff).collect();
    fs::write(&restored, &changed).expect("the directory is writable");
    let commands = [
        format!("set args {}", report.display()),
        "break filled".into(),
        "run".into(),
        format!("dump binary memory {} &block[0] &block[0]+sizeof(block)", dumped.display()),
        format!("restore {} binary &block[0]", restored.display()),
        "continue".into(),
    ];
    let transcript = server.gdb(Some(&program::path("memory")), &commands.each_ref().map(String::as_str));
    transcript.assert_has("exited normally]");
    // Compared by ==, not assert_eq!: a failure is not to print 32 MiB.
    assert!(fs::read(&dumped).expect("gdb writes the dump") == pattern(), "the dump differs");
    assert!(fs::read(&report).expect("the program writes its memory") == changed, "the program sees other bytes");
    server.assert_still_serves();
}

#[test]
fn bytes_are_found_by_searching() {
    let server = Server::start();
    let commands = [
        "break filled",
        "run",
        "set var block[12345678] = 1",
        "set var block[12345679] = 2",
        "set var block[12345680] = 3",
        "set var block[12345681] = 4",
        "set var block[12345682] = 5",
        "set var block[12345683] = 6",
        "find &block[0], +sizeof(block), (char)1, (char)2, (char)3, (char)4, (char)5, (char)6",
        "find &block[0], +100, 0x123456789abcdefL",
    ];
    let transcript = server.gdb(Some(&program::path("memory")), &commands);
    transcript.assert_has("<block+12345678>");
    transcript.assert_has("1 pattern found.");
    transcript.assert_has("Pattern not found.");
    server.assert_still_serves();
}

#[test]
fn memory_that_is_not_there_is_an_error_and_the_session_goes_on() {
    let server = Server::start();
    let commands = [
        "break filled",
        "run",
        "print *(int*)16",
        "set var *(int*)16 = 1",
        "x/2xb 0xffffffffffffffff",
        "print block[0]",
        "continue",
    ];
    let transcript = server.gdb(Some(&program::path("memory")), &commands);
    assert_eq!(transcript.count("Cannot access memory at address 0x10"), 2, "{}", transcript.0);
    transcript.assert_has("Cannot access memory at address 0xffffffffffffffff");
    transcript.assert_has("$1 = 60 '<'");
    transcript.assert_has("exited with code 01]");
    server.assert_still_serves();
}

#[test]
fn read_only_text_is_written_as_gdb_may() {
    let server = Server::start();
    // Over the first instruction of square: its breakpoint must not hide or undo what is written.
    let commands = [
        "break square",
        "run",
        "print/x *(unsigned char*)square",
        "set var *(unsigned char*)square = 0x90",
        "print/x *(unsigned char*)square",
    ];
    let transcript = server.gdb(Some(&program::path("basics")), &commands);
    transcript.assert_has("$2 = 0x90");
    server.assert_still_serves();
}
