//! LLDB and programs that fork; and LLDB beside others on one server.

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::program;
use dbgsrv_tests::server::{Server, stand_in_lacks};

#[test]
fn two_lldbs_and_a_gdb_debug_at_once() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let target = Beats::start(1);
    let mut attached = Lldb::connected(server.port(), Some(&program::path("beats")));
    attached.run_to_stop(&format!("process attach --pid {}", target.pid()));
    let mut launched = Lldb::connected(server.port(), Some(&program::path("basics")));
    launched.run("breakpoint set --name outer");
    let stop = launched.run_to_stop("process launch");
    assert!(stop.contains("stop reason = breakpoint 1.1"), "{stop}");
    let transcript = server.gdb(Some(&program::path("basics")), &["break square", "run", "print x", "continue"]);
    transcript.assert_has("$1 = 6");
    transcript.assert_has("exited with code 03]");
    let end = launched.run_to_stop("process continue");
    assert!(end.contains("exited with status = 3"), "{end}");
    // A debugger that vanishes leaves the program as it was.
    drop(attached);
    target.assert_left_as_it_was_found();
}

#[test]
fn a_fork_is_followed_to_the_parent_or_to_the_child() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    for (follow, status) in [("parent", 7), ("child", 5)] {
        let mut lldb = Lldb::connected(server.port(), Some(&program::path("forker")));
        lldb.run(&format!("settings set target.process.follow-fork-mode {follow}"));
        lldb.run("breakpoint set --name in_parent");
        lldb.run("breakpoint set --name in_child");
        let stop = lldb.run_to_stop("process launch");
        assert!(stop.contains(&format!("in_{follow}(")), "{stop}");
        let end = lldb.run_to_stop("process continue");
        assert!(end.contains(&format!("exited with status = {status}")), "{end}");
    }
    server.assert_still_serves();
}
