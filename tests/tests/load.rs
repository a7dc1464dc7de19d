//! More clients than the server wants, and clients that only cost: the others are served all the same.

use std::io::Write;
use std::process::Command;

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::rsp::{Client, packet};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::{process, program, wait_until};
use nix::sys::socket::{setsockopt, sockopt::Linger};

/// What the daemon may have resident, whatever its clients do.
const MOST_KIB: u64 = 16 << 10;

/// With so few descriptors the server holds six sessions, and a few connections that have said nothing.
const FEW_DESCRIPTORS: &str = "ulimit -n 68";
const FEW_SESSIONS: usize = 6;

/// A program that a session runs while others do their worst.
struct Bystander {
    client: Client,
    target: Beats,
}

impl Bystander {
    fn new(server: &Server) -> Self {
        let target = Beats::start(0);
        let mut client = Client::greeted(server.port());
        client.attach(target.pid());
        client.send_raw(&packet(b"vCont;c")).expect("the connection is open");
        target.shared.assert_goes_on();
        Self { client, target }
    }

    /// Its program has gone on all the time, and stops when its client says so.
    fn assert_undisturbed(mut self) {
        self.target.shared.assert_goes_on();
        self.client.send_raw(b"\x03").expect("the connection is open");
        assert!(self.client.reply().starts_with("T02"), "an interrupt stops the program");
    }
}

/// The daemon's memory is bounded, and its descriptors are those of before.
fn assert_costs_no_more(server: &Server, descriptors: usize) {
    wait_until("the daemon has let go of all that was closed", || process::descriptors(server.pid()) <= descriptors);
    let resident = process::resident_kib(server.pid());
    assert!(resident < MOST_KIB, "the daemon has {resident} KiB resident");
}

fn error_of(client: &mut Client) -> Option<String> {
    let reply = client.request("qSupported:error-message+");
    reply.strip_prefix("E.").map(str::to_owned)
}

#[test]
fn silent_connections_make_way_for_a_debugger() {
    if stand_in_lacks("a second connection") {
        return;
    }
    let server = Server::start();
    let bystander = Bystander::new(&server);
    let before = process::descriptors(server.pid());
    let mut silent: Vec<_> = (0..300).map(|_| server.rsp()).collect();
    assert_eq!(silent[0].byte(), None, "the one that has been silent longest is closed");
    let last = silent.last_mut().expect("there are some");
    assert!(last.request("qSupported").starts_with("PacketSize="), "the newest is served when it speaks");
    server.assert_still_serves();
    drop(silent);
    assert_costs_no_more(&server, before);
    bystander.assert_undisturbed();
}

#[test]
fn a_thousand_connections_that_are_closed_or_reset_at_once_leave_nothing_behind() {
    if stand_in_lacks("a second connection") {
        return;
    }
    let server = Server::start();
    let bystander = Bystander::new(&server);
    let before = process::descriptors(server.pid());
    for round in 0..1000 {
        let mut client = server.rsp();
        // With a word and without, with a reset and with a farewell.
        if round % 16 == 0 {
            let _ = client.send_raw(b"+$qSupp");
        }
        if round % 2 == 0 {
            let reset = nix::libc::linger { l_onoff: 1, l_linger: 0 };
            setsockopt(client.stream(), Linger, &reset).expect("it is a socket");
        }
    }
    wait_until("the workers are gone", || server.workers().len() == 1);
    assert_costs_no_more(&server, before);
    server.assert_still_serves();
    bystander.assert_undisturbed();
}

#[test]
fn a_client_beyond_the_last_session_is_told_so_and_served_when_one_has_ended() {
    if stand_in_lacks("a second session") {
        return;
    }
    let server = Server::start_after(FEW_DESCRIPTORS);
    let mut clients: Vec<_> = (0..FEW_SESSIONS).map(|_| Client::greeted(server.port())).collect();
    let reason = "the server has as many sessions as it can hold; try again when one has ended";
    let refused = error_of(&mut server.rsp());
    assert!(refused.as_ref().is_some_and(|text| text.contains(reason)), "a further client is answered {refused:?}");
    server.gdb(None, &[]).assert_has(reason);
    server.assert_logs(reason);
    for client in &mut clients {
        assert_eq!(client.request("vMustReplyEmpty"), "");
    }
    drop(clients.pop());
    wait_until("there is room again", || error_of(&mut server.rsp()).is_none());
    drop(clients);
    server.assert_still_serves();
}

#[test]
fn clients_that_do_not_listen_to_their_refusal_hold_nobody_up() {
    if stand_in_lacks("a second session") {
        return;
    }
    let server = Server::start_after(FEW_DESCRIPTORS);
    let mut clients: Vec<_> = (0..FEW_SESSIONS).map(|_| Client::greeted(server.port())).collect();
    let before = process::descriptors(server.pid());
    // Half a question each: the server waits for the rest before it says no, and can wait for a few only.
    let mut refused: Vec<_> = (0..100).map(|_| server.rsp()).collect();
    for client in &mut refused {
        let _ = client.send_raw(b"+$qSupp");
    }
    for client in &mut clients {
        assert_eq!(client.request("vMustReplyEmpty"), "");
    }
    drop(refused);
    assert_costs_no_more(&server, before);
    drop(clients);
    wait_until("the workers are gone", || server.workers().is_empty());
    server.assert_still_serves();
}

#[test]
fn a_server_without_a_descriptor_left_serves_again_when_there_is_one() {
    if stand_in_lacks("a second connection") {
        return;
    }
    let server = Server::start();
    let bystander = Bystander::new(&server);
    let limit = |soft: usize| {
        let pid = server.pid().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={soft}:")]).status();
        assert!(status.expect("prlimit is there").success());
    };
    // Those that are open stay so; there is no other.
    limit(1);
    let mut waiting = server.rsp();
    waiting.send_raw(&packet(b"vMustReplyEmpty")).expect("the kernel has accepted it");
    server.assert_logs("cannot accept a connection");
    limit(1024);
    assert_eq!(waiting.byte(), Some(b'+'));
    assert_eq!(waiting.reply(), "");
    server.assert_still_serves();
    bystander.assert_undisturbed();
}

#[test]
fn clients_that_never_read_disturb_no_other_session() {
    if stand_in_lacks("a second session") {
        return;
    }
    let server = Server::start();
    let bystander = Bystander::new(&server);
    let program = program::path("basics");
    let program = program.to_str().expect("the target directory has a plain name");
    let stuck: Vec<_> = (0..5)
        .map(|_| {
            let mut client = Client::greeted(server.port());
            client.run(&[program]);
            client.stream().set_nonblocking(true).expect("it is a socket");
            // Until both ends' buffers are full.
            while client.stream().write_all(&packet(b"g").repeat(100)).is_ok() {}
            client
        })
        .collect();
    server.assert_still_serves();
    bystander.assert_undisturbed();
    drop(stuck);
    wait_until("the workers are gone", || server.workers().is_empty());
}
