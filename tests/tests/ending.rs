//! The server's own end: by SIGTERM it ends all sessions first, whatever they are at, and none holds it up.

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::rsp::{Client, packet};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::{process, program, wait_until};
use nix::sys::signal::{Signal, kill};

/// A session that has attached to `target`, with a breakpoint on `rarely`.
fn attached(server: &Server, target: &Beats) -> Client {
    let mut client = Client::greeted(server.port());
    client.attach(target.pid());
    assert_eq!(client.request(&format!("Z0,{:x},1", target.shared.rarely_address())), "OK");
    client
}

/// The same, going on with the breakpoint in memory.
fn attached_and_running(server: &Server, target: &Beats) -> Client {
    let mut client = attached(server, target);
    client.send_raw(&packet(b"vCont;c")).expect("the connection is open");
    wait_until("the breakpoint is in", || !target.has_original_text());
    client
}

#[test]
fn sigterm_lets_fifty_clients_in_all_states_go_and_leaves_the_programs_as_the_rules_say() {
    if stand_in_lacks("sessions") {
        return;
    }
    let mut server = Server::start();
    let program = program::path("beats");
    let program = program.to_str().expect("the target directory has a plain name");
    let targets: Vec<_> = (0..10).map(|_| Beats::start(1)).collect();
    let mut clients = Vec::new();
    let mut created = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        let attach = if index % 2 == 0 { attached } else { attached_and_running };
        clients.push(attach(&server, target));
        // Nothing said, a greeting, half a packet.
        clients.push(server.rsp());
        clients.push(Client::greeted(server.port()));
        let mut half = Client::greeted(server.port());
        half.send_raw(b"$m0,").expect("the connection is open");
        clients.push(half);
        // A program of its own, stopped or running.
        let mut creator = Client::greeted(server.port());
        created.push(nix::unistd::Pid::from_raw(creator.run(&[program, "/dev/null", "0"])));
        if index % 2 == 0 {
            creator.send_raw(&packet(b"vCont;c")).expect("the connection is open");
        }
        clients.push(creator);
    }
    let workers = server.workers();
    assert_eq!(workers.len(), 40);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    assert!(!server.log().contains("did not end in time"), "a session was slow to end:\n{}", server.log());
    assert!(workers.iter().all(|&worker| !process::is_alive(worker)), "a worker has outlived the server");
    for pid in created {
        wait_until("the program that a session created has ended", || !process::is_alive(pid));
    }
    for target in &targets {
        target.assert_left_as_it_was_found();
    }
    drop(clients);
}

#[test]
fn a_worker_that_hangs_is_killed_at_the_servers_end_and_what_it_attached_to_goes_on() {
    if stand_in_lacks("workers") {
        return;
    }
    let mut server = Server::start();
    let (stopped, running) = (Beats::start(1), Beats::start(1));
    let clients = [attached(&server, &stopped), attached_and_running(&server, &running)];
    let workers = server.workers();
    for &worker in &workers {
        kill(worker, Signal::SIGSTOP).expect("the worker runs");
    }
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    assert!(workers.iter().all(|&worker| !process::is_alive(worker)), "a worker has outlived the server");
    stopped.assert_left_as_it_was_found();
    running.assert_left_as_it_was_found();
    assert!(server.log().contains("killed by SIGKILL"), "the log does not say so:\n{}", server.log());
    drop(clients);
}
