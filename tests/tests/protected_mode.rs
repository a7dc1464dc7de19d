//! Without a password, a listener serves this machine only, unless it is told to be open.

use dbgsrv_protocol::control::Request;
use dbgsrv_tests::network::outer_address;
use dbgsrv_tests::program;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::session::Session;

#[test]
fn a_client_from_the_network_is_told_why_it_is_not_served_and_others_are() {
    if stand_in_lacks("a protected mode") {
        return;
    }
    let Some(address) = outer_address() else {
        eprintln!("skipped: this machine is in no network");
        return;
    };
    let server = Server::start();
    let connect = format!("target extended-remote {address}:{}", server.port());
    let run = format!("set remote exec-file {}", program::path("basics").display());
    let transcript = dbgsrv_tests::gdb::batch(&[connect, run, "run".into()]);
    transcript.assert_lacks("exited with code");
    server.assert_logs(&address.to_string());
    server.assert_still_serves();
}

#[test]
fn an_open_listener_serves_clients_from_the_network() {
    if stand_in_lacks("a protected mode") {
        return;
    }
    let Some(address) = outer_address() else {
        eprintln!("skipped: this machine is in no network");
        return;
    };
    let server = Server::start_with(&["-t", "tcp:port=0,open"]);
    let connect = format!("target extended-remote {address}:{}", server.port());
    let run = format!("set remote exec-file {}", program::path("basics").display());
    dbgsrv_tests::gdb::batch(&[connect, run, "run".into()]).assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn premote_from_the_network_is_told_in_its_own_protocol() {
    let Some(address) = outer_address() else {
        eprintln!("skipped: this machine is in no network");
        return;
    };
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let refusal = Session::connect_to((address, server.port()).into(), None).unwrap_err().to_string();
    assert!(refusal.contains("no password and so serves clients on its own machine only"), "{refusal}");
    assert!(refusal.contains("`password-file=PATH`") && refusal.contains("add `open`"), "{refusal}");
    Session::connect(server.port(), None).expect("clients on this machine are served");
}

#[test]
fn premote_at_an_open_listener_is_encrypted_and_the_log_says_that_nobody_knows_who_it_is() {
    let Some(address) = outer_address() else {
        eprintln!("skipped: this machine is in no network");
        return;
    };
    let server = Server::start_with(&["-t", "tcp:port=0,open"]);
    let mut session = Session::connect_to((address, server.port()).into(), None).expect("everybody is served");
    session.ask(Request::ServerInfo).expect("the server answers");
    server.assert_logs("the client is not authenticated");
    server.assert_logs("protection=Sealed");
}
