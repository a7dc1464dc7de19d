//! LLDB debugs on a platform: programs are copied there, started, attached to, and talked to.

use std::path::Path;

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::program;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use tempfile::TempDir;

/// Has the platform's machine run a program of this one: it is stopped, typed to, and heard.
fn run_a_program(lldb: &mut Lldb, directory: &Path) {
    lldb.run(&format!("platform settings --working-dir {}", directory.display()));
    lldb.create_target(&program::path("streams"));
    lldb.run("breakpoint set --name main");
    let stop = lldb.run_to_stop("run read");
    assert!(stop.contains("stop reason = breakpoint 1.1") && stop.contains("main(argc=2"), "{stop}");
    lldb.run(r"script lldb.debugger.GetSelectedTarget().process.PutSTDIN('typed\n')");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("read <typed>"), "{end}");
    assert!(end.contains("exited with status = 3"), "{end}");
    assert!(directory.join("streams").exists(), "the program has been copied");
}

#[test]
fn a_program_is_copied_started_and_talked_to() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let directory = TempDir::new().expect("a temporary directory can be made");
    let mut lldb = Lldb::on_platform(server.port());
    run_a_program(&mut lldb, directory.path());
    // The platform is there for the next.
    let stop = lldb.run_to_stop("run both");
    assert!(stop.contains("stop reason = breakpoint 1.1"), "{stop}");
    lldb.run("process kill");
    assert!(lldb.run("platform status").contains("Connected: yes"));
    server.assert_still_serves();
}

#[test]
fn premote_starts_an_lldb_that_runs_a_program_there() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let directory = TempDir::new().expect("a temporary directory can be made");
    let mut lldb = Lldb::by_premote(&server, &[]);
    let status = lldb.run("platform status");
    assert!(status.contains("Connected: yes"), "{status}");
    run_a_program(&mut lldb, directory.path());
}

#[test]
fn premote_starts_an_lldb_that_is_attached() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let target = Beats::start(1);
    let mut lldb = Lldb::by_premote(&server, &["-p", &target.pid().to_string()]);
    assert_eq!(lldb.debuggee(), target.pid());
    let backtraces = lldb.run("thread backtrace all");
    assert!(backtraces.contains("`worker("), "{backtraces}");
    lldb.run("process detach");
    target.assert_left_as_it_was_found();
}

#[test]
fn a_program_that_runs_there_is_attached_to() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let target = Beats::start(1);
    let mut lldb = Lldb::on_platform(server.port());
    for command in ["process attach --pid", "platform process attach --pid"] {
        lldb.run_to_stop(&format!("{command} {}", target.pid()));
        assert_eq!(lldb.debuggee(), target.pid(), "{command}");
        let backtraces = lldb.run("thread backtrace all");
        assert!(backtraces.contains("`worker("), "{command}: {backtraces}");
        lldb.run("process detach");
        target.assert_left_as_it_was_found();
    }
}

#[test]
fn the_platforms_own_command_starts_a_program() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let mut lldb = Lldb::on_platform(server.port());
    let directory = TempDir::new().expect("a temporary directory can be made");
    lldb.run(&format!("platform settings --working-dir {}", directory.path().display()));
    lldb.create_target(&program::path("basics"));
    let stop = lldb.run_to_stop("platform process launch --stop-at-entry");
    assert!(stop.contains("stop reason = signal SIGSTOP"), "{stop}");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("watched is 37") && end.contains("exited with status = 3"), "{end}");
}
