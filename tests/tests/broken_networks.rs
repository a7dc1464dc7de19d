//! Connections that are cut under a session: the debugger notices nothing but a pause, and a client that does not come
//! back has ended its session.

use dbgsrv_tests::gdb::Transcript;
use dbgsrv_tests::listening::{Listening, connection};
use dbgsrv_tests::relay::Relay;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Kind, Server};
use dbgsrv_tests::trial::{self, Trial};
use dbgsrv_tests::{gdb, process, program, wait_until};
use nix::sys::signal::Signal;

/// Steps 2,000 instructions and says where that leads.
fn step(port: u16) -> Transcript {
    let program = program::path("loops");
    let commands = [
        format!("file {}", program.display()),
        format!("target extended-remote localhost:{port}"),
        format!("set remote exec-file {}", program.display()),
        "break main".to_owned(),
        "run".to_owned(),
        "stepi 2000".to_owned(),
        "info registers".to_owned(),
        "kill".to_owned(),
    ];
    gdb::batch(&commands)
}

/// The registers in what gdb printed.
fn registers(transcript: &Transcript) -> Vec<&str> {
    transcript
        .0
        .lines()
        .skip_while(|line| !line.starts_with("rax "))
        .take_while(|line| !line.contains("killed"))
        .collect()
}

#[test]
fn a_session_whose_connection_is_cut_twenty_times_loses_and_doubles_nothing() {
    let server = Server::start_as(Kind::Dbgsrv);
    let expected = step(server.port());
    let relay = Relay::to(server.port());
    let premote = Listening::on(&connection(relay.port(), ""));
    // Spread over the steps, of which each takes some hundred bytes both ways.
    relay.cut_every(5_000, 20);
    let transcript = step(premote.port());
    assert_eq!(relay.cuts_left(), 0, "{}", transcript.0);
    assert!(registers(&expected).len() > 20, "{}", expected.0);
    assert_eq!(registers(&transcript), registers(&expected), "{}", transcript.0);
    server.assert_still_serves();
}

#[test]
fn a_client_that_does_not_come_back_leaves_what_it_attached_to_running() {
    let server = Server::start_with(&["-t", "tcp:port=0,linger=1"]);
    let mut premote = Listening::on(&connection(server.port(), ""));
    let target = Trial::start("calls", 0);
    let mut client = Client::greeted(premote.port());
    client.attach(target.pid());
    client.set_breakpoint(trial::symbol("called"));
    assert!(client.request("vCont;c").contains("swbreak"));
    let program = program::path("basics");
    let mut other = Client::greeted(premote.port());
    let created = other.run(&[program.to_str().expect("the target directory has a plain name")]);
    premote.process().signal(Signal::SIGKILL);
    wait_until("the created program is killed", || !process::is_alive(nix::unistd::Pid::from_raw(created)));
    target.assert_left_as_it_was_found();
    wait_until("the workers are gone", || server.workers().is_empty());
    server.assert_still_serves();
}
