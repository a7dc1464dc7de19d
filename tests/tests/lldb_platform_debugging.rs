//! LLDB debugs on a platform: programs are copied there, started, attached to, and talked to.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::{premote, program, wait_until};
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
    let mut lldb = Lldb::by_premote(&premote::connection(&server), &[]);
    let status = lldb.run("platform status");
    assert!(status.contains("Connected: yes"), "{status}");
    run_a_program(&mut lldb, directory.path());
}

#[test]
fn premote_knows_the_password_for_both_of_lldbs_connections() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0,password=correct-horse"]);
    let directory = TempDir::new().expect("a temporary directory can be made");
    let connection = format!("{},password=correct-horse", premote::connection(&server));
    run_a_program(&mut Lldb::by_premote(&connection, &[]), directory.path());
}

#[test]
fn premote_starts_an_lldb_that_is_attached() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let target = Beats::start(1);
    let mut lldb = Lldb::by_premote(&premote::connection(&server), &["-p", &target.pid().to_string()]);
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

#[test]
fn a_program_is_looked_into_there_as_without_a_platform() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let directory = TempDir::new().expect("a temporary directory can be made");
    let mut lldb = Lldb::on_platform(server.port());
    lldb.run(&format!("platform settings --working-dir {}", directory.path().display()));
    lldb.create_target(&program::path("basics"));
    lldb.run("breakpoint set --name square");
    lldb.run_to_stop("process launch");
    lldb.run("breakpoint disable 1");
    assert!(lldb.run("expression square(x) + 1").contains("= 37"));
    let loaded = lldb.run("process load /lib/x86_64-linux-gnu/libm.so.6");
    assert!(!loaded.contains("error:") && lldb.run("image list").contains("libm.so.6"), "{loaded}");
    lldb.run("watchpoint set variable watched");
    let stop = lldb.run_to_stop("process continue");
    assert!(stop.contains("stop reason = watchpoint 1"), "{stop}");
    lldb.run("watchpoint delete");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("watched is 37") && end.contains("exited with status = 3"), "{end}");
}

#[test]
fn a_program_gets_its_arguments_and_environment_there() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let directory = TempDir::new().expect("a temporary directory can be made");
    let place = directory.path().canonicalize().expect("the directory is there");
    let report = place.join("report");
    let mut lldb = Lldb::on_platform(server.port());
    lldb.run(&format!("platform settings --working-dir {}", place.display()));
    lldb.create_target(&program::path("surroundings"));
    let launch = format!(
        "process launch -w {} -E DBGSRV_TEST_VARIABLE=a#b$c -- {} 'two words'",
        place.display(),
        report.display()
    );
    let end = lldb.run_to_stop(&launch);
    assert!(end.contains("exited with status = 0"), "{end}");
    let told = fs::read_to_string(&report).expect("the program writes its report");
    assert!(told.contains("variable a#b$c\n") && told.contains("randomized no\n"), "{told}");
    assert!(told.contains(&format!("directory {}\n", place.display())), "{told}");
    assert!(told.ends_with("argument two words\n"), "{told}");
}

/// Has a program write where it begins, which is in the platform's directory.
fn assert_begins_in(directory: &Path, lldb: &mut Lldb) {
    let report = directory.join("report");
    lldb.run(&format!("platform settings --working-dir {}", directory.display()));
    lldb.create_target(&program::path("surroundings"));
    let end = lldb.run_to_stop("process launch -- report");
    assert!(end.contains("exited with status = 0"), "{end}");
    let told = fs::read_to_string(&report).expect("the program writes its report there");
    assert!(told.contains(&format!("directory {}\n", directory.display())), "{told}");
    fs::remove_file(&report).expect("the report is there");
}

#[test]
fn a_program_begins_in_the_platforms_directory_and_nobody_elses_does() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let directories = [(); 2].map(|()| TempDir::new().expect("a temporary directory can be made"));
    let places = directories.each_ref().map(|it| it.path().canonicalize().expect("the directory is there"));
    let mut direct = Lldb::on_platform(server.port());
    let mut carried = Lldb::by_premote(&premote::connection(&server), &[]);
    for _ in 0..2 {
        assert_begins_in(&places[0], &mut direct);
        assert_begins_in(&places[1], &mut carried);
    }
    let report = places[0].join("report");
    let mut gdb = Client::greeted(server.port());
    let program = program::path("surroundings");
    gdb.run(&[&program, &report].map(|path| path.to_str().expect("a path in UTF-8")));
    assert!(gdb.request("vCont;c").starts_with("W00"));
    let told = fs::read_to_string(&report).expect("the program writes its report");
    assert!(!told.contains(&format!("directory {}\n", places[0].display())), "{told}");
}

#[test]
fn a_fork_is_followed_there() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let directory = TempDir::new().expect("a temporary directory can be made");
    let mut lldb = Lldb::on_platform(server.port());
    lldb.run(&format!("platform settings --working-dir {}", directory.path().display()));
    lldb.create_target(&program::path("forker"));
    lldb.run("settings set target.process.follow-fork-mode child");
    lldb.run("breakpoint set --name in_child");
    let stop = lldb.run_to_stop("process launch");
    assert!(stop.contains("in_child("), "{stop}");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 5"), "{end}");
}

#[test]
fn a_program_is_found_there_by_its_name_and_waited_for() {
    if stand_in_lacks("LLDB's platforms") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let directory = TempDir::new().expect("a temporary directory can be made");
    let name = format!("dbgsrv-there-{}", std::process::id());
    let copy = directory.path().join(&name);
    fs::copy(program::path("trials"), &copy).expect("the directory is writable");

    let mut lldb = Lldb::on_platform(server.port());
    lldb.send(&format!("process attach --name {name} --waitfor"));
    wait_until("lldb waits", || lldb.packets_sent("vAttachWait"));
    // A process that is there already, and becomes that program when the server has had time to begin its wait.
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 1; exec \"$0\" beats 0"]).arg(&copy).stdin(Stdio::null());
    let process = Owned::spawn(&mut command);
    lldb.wait_stop();
    assert_eq!(lldb.debuggee(), process.pid());
    lldb.run("process detach");

    let mut lldb = Lldb::on_platform(server.port());
    lldb.run_to_stop(&format!("process attach --name {name}"));
    assert_eq!(lldb.debuggee(), process.pid());
    lldb.run("process detach");
}
