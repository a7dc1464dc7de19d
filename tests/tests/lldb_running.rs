//! LLDB starts programs and follows them: breakpoints of all kinds, steps, signals, and how it ends.

use std::fs;

use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::program;
use dbgsrv_tests::rsp::unhex;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use tempfile::TempDir;

#[test]
fn a_program_is_broken_into_and_stepped_through() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("basics")));
    lldb.run("breakpoint set --name outer");
    let stop = lldb.run_to_stop("process launch");
    assert!(stop.contains("stop reason = breakpoint 1.1") && stop.contains("outer(x=6) at basics.c:14"), "{stop}");
    let stop = lldb.run_to_stop("thread step-in");
    assert!(stop.contains("stop reason = step in") && stop.contains("square(x=6)"), "{stop}");
    let stop = lldb.run_to_stop("thread step-out");
    assert!(stop.contains("stop reason = step out") && stop.contains("outer"), "{stop}");
    let stop = lldb.run_to_stop("thread step-over");
    assert!(stop.contains("stop reason = step over") && stop.contains("basics.c:15"), "{stop}");
    let stop = lldb.run_to_stop("thread step-inst");
    assert!(stop.contains("stop reason = instruction step into"), "{stop}");

    lldb.run("breakpoint set --file basics.c --line 22");
    let stop = lldb.run_to_stop("process continue");
    assert!(stop.contains("stop reason = breakpoint 2.1") && stop.contains("main at basics.c:22"), "{stop}");
    let backtrace = lldb.run("thread backtrace");
    assert!(backtrace.contains("frame #0") && backtrace.contains("`main at basics.c:22"), "{backtrace}");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 3"), "{end}");

    lldb.connect(server.port());
    let stop = lldb.run_to_stop("process launch");
    assert!(stop.contains("stop reason = breakpoint 1.1"), "a program is started again: {stop}");
    server.assert_still_serves();
}

#[test]
fn breakpoints_stand_at_addresses_and_in_debug_registers() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("basics-no-pie")));
    lldb.run("breakpoint set --name main");
    lldb.run_to_stop("process launch");
    lldb.run(&format!("breakpoint set --address {:#x}", program::symbol("basics-no-pie", "square")));
    let stop = lldb.run_to_stop("process continue");
    assert!(stop.contains("stop reason = breakpoint 2.1") && stop.contains("square"), "{stop}");
    lldb.run("breakpoint set --hardware --file basics.c --line 15");
    let stop = lldb.run_to_stop("process continue");
    assert!(stop.contains("stop reason = breakpoint 3.1") && stop.contains("outer(x=6) at basics.c:15"), "{stop}");
    assert!(lldb.packets().iter().any(|packet| packet.request.starts_with("Z1,") && packet.reply == "OK"));
    assert!(lldb.run("breakpoint delete 3").contains("1 breakpoints deleted"));
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 3"), "{end}");
}

/// Why the last program was not started: LLDB 14 shows the number alone, later ones the text.
fn refusal(lldb: &Lldb) -> String {
    let packets = lldb.packets();
    let launch = packets.iter().rfind(|packet| packet.request.starts_with("vRun;")).expect("LLDB starts a program");
    let (_, text) = launch.reply.split_once(';').unwrap_or_else(|| panic!("{launch:?}"));
    String::from_utf8(unhex(text)).expect("text")
}

#[test]
fn a_program_gets_its_arguments_environment_and_directory() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let place = directory.path().canonicalize().expect("the directory is there");
    let report = place.join("report");
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("surroundings")));
    let launch = format!(
        "process launch -w {} -E DBGSRV_TEST_VARIABLE=a#b$c -- {} 'two words' '' '$HOME'",
        place.display(),
        report.display()
    );
    let end = lldb.run_to_stop(&launch);
    assert!(end.contains("exited with status = 0"), "{end}");
    let told = fs::read_to_string(&report).expect("the program writes its report");
    assert!(told.contains("variable a#b$c\n") && told.contains("randomized no\n"), "{told}");
    assert!(told.contains(&format!("directory {}\n", place.display())), "{told}");
    assert!(told.ends_with("argument two words\nargument \nargument $HOME\n"), "{told}");
    lldb.connect(server.port());
    lldb.run("settings set target.disable-aslr false");
    let end = lldb.run_to_stop(&format!("process launch -- {}", report.display()));
    assert!(end.contains("exited with status = 0"), "{end}");
    let told = fs::read_to_string(&report).expect("the program writes its report");
    assert!(told.contains("randomized yes\n"), "{told}");
    lldb.connect(server.port());
    let refused = lldb.run("process launch -w /nowhere");
    assert!(refused.contains("error:"), "{refused}");
    let reason = refusal(&lldb);
    assert!(
        reason.contains("/nowhere does not exist") && reason.contains("`process launch --working-dir`"),
        "{reason}"
    );
}

#[test]
fn a_program_that_is_called_otherwise_on_the_server_is_started_by_that_name() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let (here, there) = (directory.path().join("here"), directory.path().join("there"));
    fs::copy(program::path("basics"), &here).expect("the directory is writable");
    let mut lldb = Lldb::connected(server.port(), Some(&here));
    fs::rename(&here, &there).expect("the directory is writable");
    let refused = lldb.run("process launch");
    assert!(refused.contains("error:"), "{refused}");
    let reason = refusal(&lldb);
    assert!(reason.contains("there is no program") && reason.contains("`target create --remote-file`"), "{reason}");
    drop(lldb);

    fs::copy(&there, &here).expect("the directory is writable");
    let mut lldb = Lldb::start(None);
    lldb.run(&format!("target create --remote-file {} {}", there.display(), here.display()));
    lldb.connect(server.port());
    fs::remove_file(&here).expect("the directory is writable");
    let end = lldb.run_to_stop("process launch");
    assert!(end.contains("exited with status = 3"), "{end}");
}

#[test]
fn signals_stop_the_program_and_are_given_to_it() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("signals")));
    let stop = lldb.run_to_stop("process launch -- handled");
    assert!(stop.contains("stop reason = signal SIGUSR1"), "{stop}");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 1"), "its handler has run: {end}");
    lldb.connect(server.port());
    lldb.run_to_stop("process launch -- handled");
    lldb.run("process handle SIGUSR1 --pass false --stop true");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 0"), "it was kept from the program: {end}");
    lldb.connect(server.port());
    let stop = lldb.run_to_stop("process launch -- fault");
    assert!(stop.contains("stop reason = signal SIGSEGV") && stop.contains("fault at signals.c"), "{stop}");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 11"), "{end}");
}
