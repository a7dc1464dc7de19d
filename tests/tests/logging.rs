//! What the server writes to its log: who, which session, which process, how it ended, and nothing from memory.

use std::process::Command;

use dbgsrv_tests::program;
use dbgsrv_tests::rsp::{Client, hex};
use dbgsrv_tests::server::{Server, dbgsrv, stand_in_lacks};
use dbgsrv_tests::wait_until;
use nix::sys::signal::Signal;

/// What the session writes into memory, and what must not be found in the log.
const SECRET: &str = "Sesame-17";

/// A session with something of everything, and the whole log of the server that it was at.
fn log_of_a_session(arguments: &[&str]) -> (String, i32) {
    let mut server = Server::start_with(&[&["-t", "tcp:port=0"], arguments].concat());
    let mut client = Client::greeted(server.port());
    assert!(client.request("vAttach;7fffffff").starts_with('E'));
    assert!(client.request(&format!("vRun;{}", hex(b"/no/such\nINFO forged\x1b[31m"))).starts_with('E'));
    let program = program::path("basics");
    let pid = client.run(&[program.to_str().expect("the target directory has a plain name")]);
    let stack = client.request("p7");
    let stack = u64::from_str_radix(&stack, 16).expect("the stack pointer is hexadecimal").swap_bytes();
    let length = SECRET.len();
    assert_eq!(client.request(&format!("M{stack:x},{length:x}:{}", hex(SECRET.as_bytes()))), "OK");
    assert_eq!(client.request(&format!("m{stack:x},{length:x}")), hex(SECRET.as_bytes()));
    drop(client);
    wait_until("the worker is gone", || server.workers().is_empty());
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    wait_until("the log is complete", || server.log().contains("\"ended\"") || server.log().contains(" ended\n"));
    (server.log(), pid)
}

/// The one line of the log that has `text`.
#[track_caller]
fn line<'a>(log: &'a str, text: &str) -> &'a str {
    let lines: Vec<_> = log.lines().filter(|line| line.contains(text)).collect();
    let [line] = lines[..] else { panic!("{} lines have {text:?} in:\n{log}", lines.len()) };
    line
}

#[test]
fn each_line_of_a_session_says_whose_it_is() {
    if stand_in_lacks("a log") {
        return;
    }
    let (log, pid) = log_of_a_session(&["-v"]);
    let peer = "connection{id=1 peer=127.0.0.1:";
    assert!(line(&log, "connection accepted").contains(peer), "{log}");
    for text in ["session started", "session ended"] {
        let line = line(&log, text);
        assert!(line.contains(peer) && line.contains(":session{id=1 worker="), "{line}");
    }
    let process = format!("pid={pid}");
    for text in ["debugging", "debuggee released"] {
        let line = line(&log, text);
        assert!(line.contains("session{id=1 peer=127.0.0.1:") && line.contains(&process), "{line}");
    }
    assert!(line(&log, "debuggee released").contains("ending=Killed"), "{log}");
    assert!(line(&log, "there is no process 2147483647").contains("session{id=1 peer=127.0.0.1:"), "{log}");
}

#[test]
fn json_lines_carry_the_same() {
    if stand_in_lacks("a log") {
        return;
    }
    let (log, pid) = log_of_a_session(&["-v", "--log-format", "json"]);
    // The line for the user is no part of the log.
    let lines: Vec<_> = log.lines().filter(|line| !line.starts_with("dbgsrv ")).collect();
    assert!(lines.iter().all(|line| line.starts_with("{\"timestamp\":\"") && line.ends_with('}')), "{log}");
    let started = line(&log, "session started");
    for part in ["\"level\":\"INFO\"", "\"name\":\"connection\"", "\"peer\":\"127.0.0.1:", "\"id\":1", "\"worker\":"] {
        assert!(started.contains(part), "no {part} in {started}");
    }
    let debugging = line(&log, "\"debugging\"");
    for part in ["\"name\":\"session\"", "\"peer\":\"127.0.0.1:", &format!("\"pid\":{pid}")] {
        assert!(debugging.contains(part), "no {part} in {debugging}");
    }
}

#[test]
fn no_memory_content_is_logged_and_no_client_can_forge_a_line() {
    if stand_in_lacks("a log") {
        return;
    }
    for format in ["text", "json"] {
        let (log, _) = log_of_a_session(&["-vv", "--log-format", format]);
        assert!(!log.contains(SECRET) && !log.contains(&hex(SECRET.as_bytes())), "{log}");
        assert!(line(&log, "INFO forged").contains("/no/such\\nINFO forged\\u"), "{log}");
        assert!(!log.contains('\x1b'), "{log}");
    }
}

#[test]
fn the_environment_says_what_is_logged() {
    if stand_in_lacks("a log") {
        return;
    }
    let server = Server::start_after("export RUST_LOG=warn");
    assert!(Client::greeted(server.port()).request("vAttach;7fffffff").starts_with('E'));
    server.assert_logs("there is no process");
    assert!(line(&server.log(), "there is no process").contains("WARN"));
    assert!(!server.log().contains("INFO"), "{}", server.log());
    let refused = Command::new(dbgsrv()).args(["-t", "tcp:port=0"]).env("RUST_LOG", "a=b=c").output();
    assert_eq!(refused.expect("it starts").status.code(), Some(2));
}
