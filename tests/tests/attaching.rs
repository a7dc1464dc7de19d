//! Running processes: attached to, looked at, let go, and refused.

use std::process::{Command, Stdio};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::process::{self, Owned};
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::trial::{self, Trial};
use dbgsrv_tests::{program, wait_until};

#[test]
fn a_program_with_threads_goes_on_after_attach_and_detach() {
    let server = Server::start();
    let target = Beats::start(8);
    let attach = format!("attach {}", target.pid());
    let transcript =
        server.gdb(Some(&program::path("beats")), &[&attach, "info threads", "thread apply all backtrace", "detach"]);
    assert_eq!(transcript.count("#0  "), 9, "{}", transcript.0);
    transcript.assert_has("in main (argc=3");
    transcript.assert_has("[Inferior 1 (process ");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn every_thread_is_stopped_while_attached_and_runs_after_continue() {
    let server = Server::start();
    let target = Beats::start(20);
    let mut gdb = server.mi(None);
    gdb.attach(target.pid());
    assert_eq!(process::threads(target.pid()).len(), 21);
    assert!(process::threads(target.pid()).iter().all(|thread| thread.state == 't'));
    let worker = server.worker_of(target.pid());
    assert!(process::threads(target.pid()).iter().all(|thread| thread.tracer == worker.as_raw()));
    gdb.command("-exec-continue");
    target.shared.assert_goes_on();
    gdb.command("-exec-interrupt");
    gdb.wait_stop();
    gdb.console("detach");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn detaching_leaves_no_breakpoint_and_no_watchpoint() {
    let server = Server::start();
    let target = Beats::start(3);
    let mut gdb = server.mi(Some(&program::path("beats")));
    gdb.attach(target.pid());
    gdb.console("set breakpoint always-inserted on");
    gdb.console("break *rarely");
    gdb.console("hbreak *rarely");
    gdb.console("watch rare_value");
    gdb.command("-exec-continue");
    target.shared.call_rarely();
    assert_eq!(gdb.wait_stop().reason(), "breakpoint-hit");
    gdb.command("-exec-continue");
    assert_eq!(gdb.wait_stop().reason(), "watchpoint-trigger");
    gdb.console("detach");
    target.assert_left_as_it_was_found();
    drop(gdb);
    server.assert_still_serves();
}

#[test]
fn a_gdb_that_ends_by_itself_lets_the_program_go_on() {
    let server = Server::start();
    let target = Beats::start(3);
    let attach = format!("attach {}", target.pid());
    let transcript = server.gdb(Some(&program::path("beats")), &[&attach, "break rarely"]);
    transcript.assert_has("Breakpoint 1 at");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn kill_ends_an_attached_program() {
    let server = Server::start();
    let target = Beats::start(3);
    let attach = format!("attach {}", target.pid());
    server.gdb(Some(&program::path("beats")), &[&attach, "kill"]).assert_has("killed]");
    wait_until("the program has ended", || !process::is_alive(target.pid()));
    server.assert_still_serves();
}

#[test]
fn the_same_program_is_attached_to_again_and_again() {
    let server = Server::start();
    let target = Beats::start(3);
    let attach = format!("attach {}", target.pid());
    let transcript = server.gdb(None, &[&attach, "detach", &attach, "detach", &attach, "detach"]);
    assert_eq!(transcript.count("detached]"), 3, "{}", transcript.0);
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

/// Asks gdb to attach, which must fail and leave the session usable. The reason must have one of `words`, both where this
/// gdb shows it (`monitor why`) and in the error reply, which newer ones print.
fn assert_refused(server: &Server, pid: i32, words: &[&str]) {
    let attach = format!("attach {pid}");
    let failed = format!("Attaching to process {pid} failed");
    if stand_in_lacks("reasons in error replies, and a session that goes on after them") {
        server.gdb(None, &[&attach]).assert_has(&failed);
        return;
    }
    let run = format!("set remote exec-file {}", program::path("basics").display());
    let transcript = server.gdb(None, &[&attach, "monitor why", &run, "run"]);
    transcript.assert_has(&failed);
    let told = words.iter().any(|word| transcript.0.contains(word));
    assert!(told, "gdb's user is told none of {words:?}, but:\n{}", transcript.0);
    transcript.assert_has("exited with code 03]");
    let reply = Client::greeted(server.port()).request(&format!("vAttach;{pid:x}"));
    assert!(reply.starts_with("E."), "vAttach is answered {reply}");
    for text in [&transcript.0, &reply] {
        assert!(words.iter().any(|word| text.contains(word)), "none of {words:?} in {text}");
    }
    server.assert_still_serves();
}

#[test]
fn attaching_to_a_process_that_is_not_there_is_refused() {
    // Process ids end at 4194304 on Linux.
    assert_refused(&Server::start(), 0x7fff_ffff, &["no such process", "no process", "does not exist"]);
}

#[test]
fn attaching_to_a_process_that_is_debugged_already_is_refused_with_the_name_of_the_debugger() {
    let server = Server::start();
    let target = Beats::start(1);
    // A debugger that the server knows nothing about.
    let mut tracer = Command::new("gdb");
    tracer.args(["-nx", "-q", "-iex", "set debuginfod enabled off", "-p", &target.pid().to_string()]);
    let tracer = Owned::spawn(tracer.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()));
    wait_until("the program is traced", || !process::is_left_alone(target.pid()));
    assert_refused(&server, target.pid().as_raw(), &[&tracer.pid().to_string()]);
    drop(tracer);
    target.assert_left_as_it_was_found();
}

#[test]
fn attaching_to_a_process_that_another_session_debugs_is_refused() {
    if stand_in_lacks("a second session") {
        return;
    }
    let server = Server::start();
    let target = Beats::start(1);
    let mut first = server.mi(None);
    first.attach(target.pid());
    let worker = server.worker_of(target.pid());
    assert_refused(&server, target.pid().as_raw(), &["session", &worker.to_string()]);
    first.console("detach");
    target.assert_left_as_it_was_found();
}

#[test]
fn attaching_to_a_process_that_has_ended_but_was_not_waited_for_is_refused() {
    let zombie = Owned::spawn(&mut Command::new("true"));
    wait_until("the process has ended", || process::threads(zombie.pid()).iter().all(|thread| thread.state == 'Z'));
    assert_refused(&Server::start(), zombie.pid().as_raw(), &["zombie", "ended"]);
}

#[test]
fn attaching_to_the_server_itself_is_refused() {
    let server = Server::start();
    assert_refused(&server, server.pid().as_raw(), &["server"]);
}

#[test]
fn a_signal_that_is_on_its_way_is_told_of_by_the_attach_and_is_not_lost() {
    let server = Server::start();
    let target = Trial::start("raises", 0);
    let mut client = Client::greeted(server.port());
    wait_until("an attach comes upon a signal", || {
        let stop = client.request(&format!("vAttach;{:x}", target.pid().as_raw()));
        assert!(stop.starts_with("T00") || stop.starts_with("T1e"), "{stop}");
        assert_eq!(client.request("D"), "OK");
        stop.starts_with("T1e")
    });
    // It ends when a signal is missing.
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn a_thread_that_was_interrupted_shows_the_signal_that_stands_for_it() {
    if stand_in_lacks("a stop without a signal of its own") {
        return;
    }
    let server = Server::start();
    let target = Beats::start(0);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    let signal = client.request("qXfer:siginfo:read::0,80");
    assert_eq!(signal.chars().nth(1), Some('\x13'), "{signal:?}");
    assert_eq!(client.request("D"), "OK");
    target.assert_left_as_it_was_found();
    server.assert_still_serves();
}

#[test]
fn the_end_of_a_process_without_its_leader_reaches_its_parent_after_it_was_let_go() {
    let server = Server::start();
    let mut target = Trial::start("loses-its-leader", 2);
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    assert_eq!(client.request(&format!("M{:x},1:01", trial::symbol("returned"))), "OK");
    client.send("vCont;c");
    wait_until("the leader has ended", || process::threads(target.pid()).iter().any(|thread| thread.state == 'Z'));
    assert!(client.interrupt().starts_with("T02"));
    assert_eq!(client.request(&format!("M{:x},1:01", trial::symbol("end"))), "OK");
    assert_eq!(client.request("D"), "OK");
    assert_eq!(target.process().wait(), 5);
    server.assert_still_serves();
}
