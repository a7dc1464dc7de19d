//! Breakpoints, watchpoints, steps and calls.

use dbgsrv_tests::mi::Mi;
use dbgsrv_tests::program;
use dbgsrv_tests::proxy::Proxy;
use dbgsrv_tests::server::Server;

#[test]
fn a_breakpoint_is_hit_and_shows_a_backtrace_and_finish_returns_the_value() {
    let server = Server::start();
    let transcript =
        server.gdb(Some(&program::path("basics")), &["break square", "run", "backtrace", "finish", "continue"]);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("in outer (x=6)");
    transcript.assert_has("in main ()");
    transcript.assert_has("Value returned is $1 = 36");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn a_deleted_breakpoint_is_not_hit_and_a_disabled_one_neither() {
    let server = Server::start();
    let commands = ["break main", "break outer", "break square", "run", "delete 2", "disable 3", "continue"];
    let transcript = server.gdb(Some(&program::path("basics")), &commands);
    transcript.assert_has("Breakpoint 1, main ()");
    transcript.assert_lacks("Breakpoint 2, ");
    transcript.assert_lacks("Breakpoint 3, ");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn a_hardware_breakpoint_is_hit() {
    let server = Server::start();
    let transcript =
        server.gdb(Some(&program::path("basics")), &["break main", "run", "hbreak square", "continue", "continue"]);
    transcript.assert_has("Breakpoint 2, square (x=6)");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn a_hardware_watchpoint_shows_old_and_new_values() {
    let server = Server::start();
    let commands = ["break main", "run", "watch watched", "continue", "continue", "delete 2", "continue"];
    let transcript = server.gdb(Some(&program::path("basics")), &commands);
    transcript.assert_has("Hardware watchpoint 2: watched");
    transcript.assert_has("Old value = 0\nNew value = 1");
    transcript.assert_has("Old value = 1\nNew value = 37");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn access_watchpoints_are_hit_by_reads_and_the_fifth_watchpoint_is_an_error() {
    let server = Server::start();
    let commands = ["break outer", "run", "awatch watched", "continue", "continue", "kill"];
    let transcript = server.gdb(Some(&program::path("basics")), &commands);
    transcript.assert_has("Hardware access (read/write) watchpoint 2: watched");
    transcript.assert_has("Value = 37");
    let mut commands = vec!["break main", "run"];
    let watches: Vec<_> = (0..5).map(|i| format!("watch *(int*)((char*)&total + {})", 64 * i)).collect();
    commands.extend(watches.iter().map(String::as_str));
    commands.extend(["continue", "delete 6", "break visit", "continue"]);
    let transcript = server.gdb(Some(&program::path("loops")), &commands);
    transcript.assert_has("Could not insert hardware watchpoint");
    transcript.assert_has("visit (turn=0)");
    server.assert_still_serves();
}

#[test]
fn next_goes_over_calls_and_step_goes_into_them() {
    let server = Server::start();
    let commands = ["break main", "run", "next", "next", "next", "kill", "run", "next", "step", "step", "continue"];
    let transcript = server.gdb(Some(&program::path("basics")), &commands);
    // Over outer(6) to the printf, and in the second run into outer and square.
    transcript.assert_has("printf(\"watched is %d\\n\", watched);");
    transcript.assert_has("outer (x=6) at");
    transcript.assert_has("square (x=6) at");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn a_thousand_single_steps_are_a_thousand_instructions() {
    let server = Server::start();
    let commands = [
        "break main",
        "run",
        "tbreak *&spin_loop",
        "continue",
        "print $before = $rcx",
        "print $pc == &spin_loop",
        "stepi 1000",
        "print $before - $rcx",
        "print $pc == &spin_loop",
        "delete",
        "continue",
    ];
    let transcript = server.gdb(Some(&program::path("loops")), &commands);
    transcript.assert_has("$1 = 2000");
    transcript.assert_has("$2 = 1");
    transcript.assert_has("$3 = 500");
    transcript.assert_has("$4 = 1");
    transcript.assert_has("exited normally]");
    server.assert_still_serves();
}

#[test]
fn next_over_a_loop_runs_all_of_it() {
    let server = Server::start();
    let transcript = server.gdb(Some(&program::path("loops")), &["break spin", "run", "next", "next", "continue"]);
    transcript.assert_has("main () at");
    transcript.assert_has("exited normally]");
    server.assert_still_serves();
}

#[test]
fn a_function_of_the_program_is_called() {
    let server = Server::start();
    let commands = ["break outer", "run", "call square(12)", "print square(3) + square(4)", "backtrace", "continue"];
    let transcript = server.gdb(Some(&program::path("basics")), &commands);
    transcript.assert_has("$1 = 144");
    transcript.assert_has("$2 = 25");
    transcript.assert_has("#1  0x");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn a_condition_is_evaluated_by_the_server() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let mut gdb = Mi::connected(proxy.port(), Some(&program::path("loops")));
    gdb.console("set breakpoint condition-evaluation target");
    gdb.console("break visit if turn == 777 && total > 1000");
    proxy.take();
    gdb.command("-exec-run");
    let stop = gdb.wait_stop();
    assert_eq!(stop.reason(), "breakpoint-hit");
    assert!(gdb.console("print turn").contains("= 777"));
    let stops = proxy.take().iter().filter(|packet| packet.starts_with("vCont;")).count();
    assert!(stops < 50, "gdb continued {stops} times, so it has evaluated the condition itself");
    gdb.console("delete");
    gdb.command("-exec-continue");
    assert_eq!(gdb.wait_stop().reason(), "exited-normally");
    drop(gdb);
    server.assert_still_serves();
}

#[test]
fn an_interrupt_stops_a_running_program_and_it_goes_on_afterwards() {
    let server = Server::start();
    let shared = dbgsrv_tests::beats::Shared::new();
    let mut gdb = server.mi(Some(&program::path("beats")));
    gdb.console(&format!("set args {} 3", shared.path()));
    gdb.command("-exec-run");
    shared.wait_until_running(3);
    for _ in 0..3 {
        gdb.command("-exec-interrupt");
        assert_eq!(gdb.wait_stop().field("signal-name"), Some("SIGINT"));
        assert_eq!(dbgsrv_tests::process::threads(shared.pid()).len(), 4);
        assert!(dbgsrv_tests::process::threads(shared.pid()).iter().all(|thread| thread.state == 't'));
        gdb.command("-exec-continue");
        shared.assert_goes_on();
    }
    drop(gdb);
    server.assert_still_serves();
}
