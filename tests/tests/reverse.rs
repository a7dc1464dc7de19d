//! Reverse connections: the server calls, and the client waits for it.

use std::net::TcpListener;
use std::process::Stdio;
use std::thread::{self, JoinHandle};

use dbgsrv_tests::gdb::Transcript;
use dbgsrv_tests::listening::Listening;
use dbgsrv_tests::premote::{self, Outcome};
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::relay::Relay;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::{gdb, program, wait_until};
use nix::sys::signal::Signal;

/// The exit status of a server whose client is gone.
const CLIENT_GONE: i32 = 3;

/// What `premote` takes to wait for a call at this port.
fn waiting(port: u16, more: &str) -> String {
    format!("tcp:clicon=127.0.0.1,port={port}{more}")
}

/// Waits for the server's call and runs a command of `premote`.
fn premote(port: u16, more: &str, arguments: &[&str]) -> Outcome {
    let connection = waiting(port, more);
    let mut all = vec![connection.as_str()];
    all.extend(arguments);
    premote::run(&all)
}

/// Has gdb run a whole program through a port that debuggers connect to.
fn debug(port: u16) -> Transcript {
    let program = program::path("basics");
    gdb::batch(&[
        format!("file {}", program.display()),
        format!("target extended-remote localhost:{port}"),
        format!("set remote exec-file {}", program.display()),
        "break square".into(),
        "run".into(),
        "continue".into(),
    ])
}

/// A `premote` that says where it waits, and its output at its end.
fn client_first(parameters: &str, arguments: &[&str]) -> (u16, JoinHandle<Outcome>) {
    let connection = format!("tcp:clicon=127.0.0.1,{parameters}");
    let mut all = vec![connection.as_str()];
    all.extend(arguments);
    let mut command = premote::command(&all);
    let (sender, places) = std::sync::mpsc::channel();
    let outcome = thread::spawn(move || {
        let mut process = Owned::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let mut stderr = std::io::BufReader::new(process.child().stderr.take().expect("it is piped"));
        let mut stdout = process.child().stdout.take().expect("it is piped");
        let mut first = String::new();
        std::io::BufRead::read_line(&mut stderr, &mut first).expect("errors are text");
        sender.send(first.clone()).expect("the test waits for it");
        let stdout = std::io::read_to_string(&mut stdout).expect("output is text");
        let stderr = std::io::read_to_string(&mut stderr).expect("errors are text");
        Outcome { status: process.wait(), stdout, stderr }
    });
    let place = dbgsrv_tests::receive(&places).expect("it says where it waits");
    let port = place.split_once("waiting at tcp port ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    (port.unwrap_or_else(|| panic!("no port in {place:?}")), outcome)
}

#[test]
fn table_3_3_clicon_of_a_client_that_was_first_is_called_and_the_server_ends_with_it() {
    let (port, client) = client_first("port=0", &["info", "--json"]);
    let mut server = Server::calling(port, "");
    let info = client.join().expect("it ends").success();
    assert!(info.contains(&format!("tcp:port={port},clicon=127.0.0.1")), "{info}");
    assert_eq!(server.wait(), CLIENT_GONE);
    assert!(server.log().contains("the client is gone; with `reconnect`"), "{}", server.log());
}

#[test]
fn table_2_4_clicon_of_a_server_that_was_first_calls_until_the_client_is_there() {
    let reserved = Reserved::new();
    let server = Server::calling(reserved.port(), "");
    server.assert_logs("nobody takes the call yet");
    let program = program::path("basics");
    let run = format!("set remote exec-file {}", program.display());
    let gdb = ["gdb", "--", "-nx", "-nh", "-q", "-batch", program.to_str().expect("a plain name"), "-ex", &run];
    let commands = ["-ex", "break square", "-ex", "run", "-ex", "continue"];
    let outcome = premote(reserved.port(), "", &[&gdb[..], &commands[..]].concat());
    let transcript = Transcript(outcome.stdout + &outcome.stderr);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

#[test]
fn table_3_3_port_of_a_client_that_waits_is_the_first_free_one_of_a_range() {
    let taken = TcpListener::bind(("0.0.0.0", 0)).expect("there is a free port");
    let low = taken.local_addr().expect("it is bound").port();
    let high = low.saturating_add(30);
    let (port, client) = client_first(&format!("port={low}:{high},bind=127.0.0.1"), &["ps"]);
    assert!(low < port && port <= high, "{port}");
    let _server = Server::calling(port, "");
    assert!(client.join().expect("it ends").success().contains("dbgsrv"));
}

#[test]
fn with_reconnect_one_client_after_another_is_called() {
    let reserved = Reserved::new();
    let mut server = Server::calling(reserved.port(), ",reconnect");
    for _ in 0..3 {
        let listed = premote(reserved.port(), "", &["ps"]).success();
        assert!(listed.contains("dbgsrv"), "{listed}");
    }
    let _ = premote(reserved.port(), "", &["end"]).success();
    assert_eq!(server.wait(), 0);
}

#[test]
fn one_reverse_connection_carries_any_number_of_sessions() {
    let reserved = Reserved::new();
    let server = Server::calling(reserved.port(), "");
    let premote = Listening::on(&waiting(reserved.port(), ""));
    let mut clients: Vec<_> = (0..5).map(|_| Client::greeted(premote.port())).collect();
    for client in &mut clients {
        client.run(&["/bin/sleep", "60"]);
    }
    assert_eq!(server.workers().len(), 5);
    debug(premote.port()).assert_has("exited with code 03]");
}

#[test]
fn table_2_8_a_reverse_connection_that_breaks_ends_the_server_with_a_status_of_its_own() {
    let reserved = Reserved::new();
    let mut server = Server::calling(reserved.port(), "");
    let mut premote = Listening::on(&waiting(reserved.port(), ""));
    let mut client = Client::greeted(premote.port());
    client.run(&["/bin/sleep", "60"]);
    premote.process().signal(Signal::SIGKILL);
    assert_eq!(server.wait(), CLIENT_GONE);
}

#[test]
fn with_reconnect_a_session_goes_on_through_the_next_connection_after_each_cut() {
    let reserved = Reserved::new();
    // The server calls the relay, which passes that on to where premote waits.
    let relay = Relay::to(reserved.port());
    let server = Server::calling(relay.port(), ",reconnect");
    let premote = Listening::on(&waiting(reserved.port(), ""));
    relay.cut_every(5_000, 3);
    let program = program::path("loops");
    let transcript = gdb::batch(&[
        format!("file {}", program.display()),
        format!("target extended-remote localhost:{}", premote.port()),
        format!("set remote exec-file {}", program.display()),
        "break main".to_owned(),
        "run".to_owned(),
        "stepi 500".to_owned(),
        "info registers rip".to_owned(),
        "kill".to_owned(),
    ]);
    assert_eq!(relay.cuts_left(), 0, "{}", transcript.0);
    transcript.assert_has("rip ");
    transcript.assert_has("killed]");
    server.assert_logs("connection resumed");
}

#[test]
fn a_peer_that_listens_and_speaks_rsp_gets_one_session() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let mut server = Server::calling(listener.local_addr().expect("it is bound").port(), "");
    let mut client = Client::over(listener.accept().expect("the server calls").0).greet();
    client.run(&["/bin/sleep", "60"]);
    listener.set_nonblocking(true).expect("it is a socket");
    assert!(listener.accept().is_err(), "there is one connection at a time");
    drop(client);
    assert_eq!(server.wait(), CLIENT_GONE);
}

#[test]
fn a_stock_gdb_is_called_through_whatever_listens_for_it() {
    let reserved = Reserved::new();
    let mut server = Server::calling(reserved.port(), "");
    let program = program::path("basics");
    let transcript = gdb::batch(&[
        format!("file {}", program.display()),
        format!("target extended-remote | socat - TCP-LISTEN:{},bind=127.0.0.1,reuseaddr", reserved.port()),
        format!("set remote exec-file {}", program.display()),
        "break square".into(),
        "run".into(),
        "continue".into(),
    ]);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
    assert_eq!(server.wait(), CLIENT_GONE);
}

#[test]
fn who_hangs_up_without_a_word_is_called_again_and_rarer_each_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let server = Server::calling(listener.local_addr().expect("it is bound").port(), "");
    for _ in 0..3 {
        drop(listener.accept().expect("the server calls"));
    }
    let mut client = Client::over(listener.accept().expect("the server calls again").0);
    assert!(client.request("qSupported").contains("PacketSize="));
    assert!(server.log().contains("calling tcp port"), "{}", server.log());
}

#[test]
fn a_wrong_password_does_not_use_up_the_only_connection() {
    let reserved = Reserved::new();
    let mut server = Server::calling(reserved.port(), ",password=Sesame-17");
    let wrong = premote(reserved.port(), ",password=Sesame-18", &["ps"]);
    assert!(wrong.status == 255 && wrong.stderr.contains("wrong password"), "{wrong:#?}");
    server.assert_logs("wrong password");
    let mut listed = premote(reserved.port(), ",password=Sesame-17", &["ps"]);
    while listed.stderr.contains("try again") {
        listed = premote(reserved.port(), ",password=Sesame-17", &["ps"]);
    }
    assert!(listed.success().contains("dbgsrv"));
    assert_eq!(server.wait(), CLIENT_GONE);
}

#[test]
fn a_debugger_that_cannot_prove_the_password_is_told_so_and_called_again() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let _server = Server::calling(listener.local_addr().expect("it is bound").port(), ",password=Sesame-17");
    for _ in 0..2 {
        let mut client = Client::over(listener.accept().expect("the server calls").0);
        assert!(client.request("qSupported").contains("this server wants a password"));
    }
}

#[test]
fn a_server_that_listens_too_goes_on_when_the_client_it_called_is_gone() {
    let reserved = Reserved::new();
    let reverse = format!("tcp:port={},clicon=localhost", reserved.port());
    let mut server = Server::start_with(&["-t", "tcp:port=0", "-t", &reverse]);
    assert!(premote(reserved.port(), "", &["ps"]).success().contains("dbgsrv"));
    server.assert_logs("the client is gone; not calling it again");
    server.assert_still_serves();
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
}

#[test]
fn a_call_of_another_machine_than_the_one_named_is_not_taken() {
    let reserved = Reserved::new();
    let connection = format!("tcp:clicon=192.0.2.1,port={},bind=127.0.0.1", reserved.port());
    let _premote = Owned::spawn(premote::command(&[&connection, "ps"]).stdout(Stdio::null()).stderr(Stdio::null()));
    let server = Server::start_with(&["-v", "-t", &format!("tcp:port={},clicon=127.0.0.1", reserved.port())]);
    let calls = || server.log().matches("connection closed").count();
    wait_until("two calls have been closed", || calls() >= 2);
    assert!(server.workers().is_empty());
}
