//! Several sessions at one server.

use dbgsrv_tests::beats::Shared;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::{process, program, wait_until};

#[test]
fn a_gdb_that_is_killed_while_its_program_runs_disturbs_no_other() {
    if stand_in_lacks("a second session") {
        return;
    }
    let server = Server::start();
    let shared = Shared::new();
    let mut first = server.mi(Some(&program::path("beats")));
    let mut second = server.mi(Some(&program::path("basics")));
    first.console(&format!("set args {} 3", shared.path()));
    first.command("-exec-run");
    shared.wait_until_running(3);
    second.console("break square");
    second.command("-exec-run");
    assert_eq!(second.wait_stop().reason(), "breakpoint-hit");
    first.kill();
    wait_until("the killed gdb's program has ended", || !process::is_alive(shared.pid()));
    assert!(second.console("backtrace").contains("in outer (x=6)"));
    second.command("-exec-finish");
    assert_eq!(second.wait_stop().reason(), "function-finished");
    second.command("-exec-continue");
    assert_eq!(second.wait_stop().field("exit-code"), Some("03"));
    drop(second);
    server.assert_still_serves();
}

#[test]
fn twenty_sessions_are_served_at_once() {
    if stand_in_lacks("a second session") {
        return;
    }
    let server = Server::start();
    let program = program::path("basics");
    let program = program.to_str().expect("the target directory has a plain name");
    let mut clients: Vec<_> = (0..20).map(|_| Client::greeted(server.port())).collect();
    let mut pids: Vec<_> = clients.iter_mut().map(|client| client.run(&[program])).collect();
    for (client, &pid) in clients.iter_mut().zip(&pids) {
        assert!(client.request("g").len() > 100);
        assert_eq!(client.request("qC").split('.').next(), Some(format!("QCp{pid:x}").as_str()));
    }
    server.assert_still_serves();
    for client in &mut clients {
        client.send("vCont;c");
        let end = client.reply_after_output();
        assert!(end.starts_with("W03"), "the program ends with {end}");
    }
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 20);
    drop(clients);
    wait_until("the workers are gone", || server.workers().len() <= 1);
    server.assert_still_serves();
}

#[test]
fn the_list_of_processes_tells_workers_from_the_daemon() {
    if stand_in_lacks("workers") {
        return;
    }
    let server = Server::start();
    let client = Client::greeted(server.port());
    assert_eq!(process::name(server.pid()), "dbgsrv");
    let names: Vec<_> = server.workers().into_iter().map(process::name).collect();
    assert_eq!(names, ["dbgsrv-session"]);
    drop(client);
}

#[test]
fn sessions_come_and_go_a_hundred_times() {
    let server = Server::start();
    for _ in 0..100 {
        assert_eq!(Client::greeted(server.port()).request("vMustReplyEmpty"), "");
    }
    // A warm spare may be kept.
    wait_until("the workers are gone", || server.workers().len() <= 1);
    server.assert_still_serves();
}
