//! The command line of `dbgsrv`: what is refused, how, and that nothing is started then.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use dbgsrv_tests::process::Owned;
use dbgsrv_tests::server::{Server, dbgsrv, stand_in_lacks};

/// The exit status and the error output for these arguments.
fn run(arguments: &[&str]) -> (i32, String) {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut command = Command::new(dbgsrv());
    let mut process = Owned::spawn(command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer));
    drop(command);
    let status = process.wait();
    (status, std::io::read_to_string(reader).expect("error messages are text"))
}

#[test]
fn what_is_wrong_with_the_command_line_is_named_and_the_exit_status_is_2() {
    let cases: [(&[&str], &str); 16] = [
        (&[], "-t"),
        (&["-t"], "-t"),
        (&["-t", "tcp"], "port"),
        (&["-t", "tcp:port=70000"], "70000"),
        (&["-t", "tcp:port=here"], "here"),
        (&["-t", "tcp:port=5005,port=5006"], "port"),
        (&["-t", "tcp:port=5005,colour=red"], "colour"),
        (&["-t", "carrier:pigeon=1"], "carrier"),
        (&["-t", "tcp:port=5005", "--no-such-option"], "--no-such-option"),
        (&["-t", "tcp:port=5005,ipversion=5"], "ipversion"),
        (&["-t", "tcp:port=5005", "-c"], "-c"),
        (&["-t", "tcp:port=5005", "-cs"], "-cs"),
        (&["-t", "tcp:port=5005", "-pc"], "-pc"),
        (&["-t", "tcp:port=5005", "-c", "sleep", "600", "-pc"], "-pc"),
        (&["-t", "tcp:port=5005", "-sifeo", "app"], "-sifeo"),
        (&["-t", "tcp:port=5005", "-C", "sleep"], "-C"),
    ];
    for (arguments, named) in cases {
        let (status, message) = run(arguments);
        assert_eq!(status, 2, "{arguments:?}: {message}");
        assert!(message.contains(named), "{arguments:?}: no {named} in: {message}");
    }
}

#[test]
fn a_port_in_use_is_named_and_the_exit_status_is_1() {
    let taken = TcpListener::bind(("localhost", 0)).expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port();
    let (status, message) = run(&["-t", &format!("tcp:port={port}")]);
    assert_eq!(status, 1, "{message}");
    assert!(message.contains(&port.to_string()) && message.contains("in use"), "{message}");
}

#[test]
fn a_second_server_on_the_same_port_ends_and_the_first_serves_on() {
    if stand_in_lacks("an exit status of its own") {
        return;
    }
    let server = Server::start();
    let (status, message) = run(&["-t", &format!("tcp:port={}", server.port())]);
    assert_eq!(status, 1, "{message}");
    assert!(message.contains("in use"), "{message}");
    server.assert_still_serves();
}

#[test]
fn no_password_is_repeated() {
    for arguments in [&["-t", "tcp:port=70000,password=Sesame-17"] as &[_], &["tcp:port=5005,password=Sesame-17"]] {
        let (status, message) = run(arguments);
        assert_eq!(status, 2, "{message}");
        assert!(message.contains("port") && !message.contains("Sesame"), "{message}");
    }
}
