//! The server's own end: by SIGTERM it ends all sessions first, whatever they are at, and none holds it up.

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::rsp::{Client, packet};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::{process, program, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

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

/// Fifty clients in all states.
struct Crowd {
    /// Kept connected.
    _clients: Vec<Client>,
    targets: Vec<Beats>,
    created: Vec<Pid>,
}

impl Crowd {
    fn new(server: &Server) -> Self {
        let program = program::path("beats");
        let program = program.to_str().expect("the target directory has a plain name");
        let targets: Vec<_> = (0..10).map(|_| Beats::start(1)).collect();
        let (mut clients, mut created) = (Vec::new(), Vec::new());
        for (index, target) in targets.iter().enumerate() {
            let attach = if index % 2 == 0 { attached } else { attached_and_running };
            clients.push(attach(server, target));
            // Nothing said, a greeting, half a packet.
            clients.push(server.rsp());
            clients.push(Client::greeted(server.port()));
            let mut half = Client::greeted(server.port());
            half.send_raw(b"$m0,").expect("the connection is open");
            clients.push(half);
            // A program of its own, stopped or running.
            let mut creator = Client::greeted(server.port());
            created.push(Pid::from_raw(creator.run(&[program, "/dev/null", "0"])));
            if index % 2 == 0 {
                creator.send_raw(&packet(b"vCont;c")).expect("the connection is open");
            }
            clients.push(creator);
        }
        assert_eq!(server.workers().len(), 40);
        Self { _clients: clients, targets, created }
    }

    /// The programs are left as the rules say.
    fn assert_let_go(&self) {
        for &pid in &self.created {
            wait_until("the program that a session created has ended", || !process::is_alive(pid));
        }
        for target in &self.targets {
            target.assert_left_as_it_was_found();
        }
    }
}

#[test]
fn sigterm_to_the_server_ends_it_with_fifty_clients_in_all_states() {
    if stand_in_lacks("sessions") {
        return;
    }
    let mut server = Server::start();
    let crowd = Crowd::new(&server);
    let workers = server.workers();
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    assert!(workers.iter().all(|&worker| !process::is_alive(worker)), "a worker has outlived the server");
    crowd.assert_let_go();
}

#[test]
fn sigterm_to_a_worker_ends_it_by_itself_in_all_states() {
    if stand_in_lacks("workers") {
        return;
    }
    let server = Server::start();
    let crowd = Crowd::new(&server);
    for worker in server.workers() {
        kill(worker, Signal::SIGTERM).expect("the worker runs");
    }
    wait_until("the workers have ended", || server.workers().is_empty());
    crowd.assert_let_go();
    wait_until("all ends are in the log", || server.log().matches("session ended").count() == 40);
    server.assert_still_serves();
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
    server.assert_logs("killed by SIGKILL");
    drop(clients);
}
