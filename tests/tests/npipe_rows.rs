//! The rows of the reference's tables that concern named pipes, a test for each; the number is the table's.
//!
//! | table | the rest of its rows |
//! |---|---|
//! | 2.3 and 3.2, what a pipe's grammar admits | `grammar_rows.rs` |
//! | 2.5 and 4.3, who finds a pipe | `discovery.rs` |
//! | 3.3, pipes of other machines, where Windows has `net use` | `remote_pipes.rs` |
//! | 6.7, relays between pipes | `relay.rs`, `relay_serial.rs` |

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use dbgsrv_tests::server::{Server, refused};
use dbgsrv_tests::{premote, program};
use nix::sys::signal::Signal;

const PASSWORD: &str = "Sesame17";

/// A name that no other test has.
fn unique() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("row-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

/// A server on a pipe of that name, with more parameters. It listens on a port too, as the tests' support wants.
fn serve(name: &str, more: &str) -> Server {
    Server::start_with(&["-t", &format!("npipe:pipe={name}{more}"), "-t", "tcp:port=0,bind=127.0.0.1,hidden"])
}

/// Asks what server it is.
fn info(connection: &str) -> premote::Outcome {
    premote::run(&[connection, "info"])
}

#[test]
fn table_2_4_pipe_refuses_spaces_and_quotation_marks_and_needs_a_name() {
    for (pipe, problem) in [
        ("pipe=two words", "has a space"),
        ("pipe=it's", "has a quotation mark"),
        ("pipe=a\"b", "has a quotation mark"),
        ("pipe=", "no value is given"),
        ("hidden", "pipe"),
    ] {
        let (status, error) = refused(&format!("npipe:{pipe}"));
        assert!(status == 2 && error.contains(problem), "{pipe}: {error}");
    }
}

#[test]
fn table_2_4_pipe_replaces_the_first_code_by_the_process_and_the_second_by_the_thread() {
    let name = unique();
    let server = serve(&format!("{name}-%x-%d"), "");
    let pid = server.pid().as_raw();
    // The thread that listens is the first, whose number is the process's.
    let answer = info(&format!("npipe:server=localhost,pipe={name}-{pid:x}-{pid}")).success();
    assert!(answer.contains(&format!("pid:          {pid}\n")), "{answer}");
}

#[test]
fn table_2_4_hidden_pipes_are_not_listed_and_serve_whoever_knows_them() {
    let name = unique();
    let _server = serve(&name, ",hidden");
    assert!(!premote::run(&["-QR", "localhost"]).success().contains(&name));
    assert!(info(&format!("npipe:server=localhost,pipe={name}")).success().contains(&name));
}

#[test]
fn table_2_4_password_of_a_pipe_is_case_sensitive() {
    let name = unique();
    let _server = serve(&name, &format!(",password={PASSWORD}"));
    let with = |password: &str| info(&format!("npipe:server=localhost,pipe={name},password={password}"));
    assert!(with(PASSWORD).success().contains(&name));
    assert!(with(&PASSWORD.to_lowercase()).failure(255).contains("wrong password"));
}

#[test]
fn table_2_8_a_pipes_name_that_is_in_use_is_an_error_that_names_it() {
    let name = unique();
    let _server = serve(&name, "");
    let (status, error) = refused(&format!("npipe:pipe={name}"));
    assert!(status == 1 && error.contains(&format!("the pipe `{name}` is in use")), "{error}");
}

#[test]
fn table_2_8_a_listed_server_that_no_longer_exists_is_an_error() {
    let name = unique();
    let mut server = serve(&name, "");
    assert!(premote::run(&["-QR", "localhost"]).success().contains(&name));
    server.signal(Signal::SIGKILL);
    server.wait();
    assert!(info(&format!("npipe:server=localhost,pipe={name}")).failure(255).contains("has ended"));
}

#[test]
fn table_2_8_the_transports_of_client_and_server_have_to_match() {
    let name = unique();
    let _server = serve(&name, "");
    for connection in ["tcp:server=localhost,pipe=a", "npipe:server=localhost,port=5005"] {
        assert_eq!(info(connection).status, 2, "{connection}");
    }
    let other = unique();
    assert!(info(&format!("npipe:server=localhost,pipe={other}")).failure(255).contains("there is no pipe"));
}

#[test]
fn table_3_3_server_of_a_pipe_takes_backslashes_names_and_addresses() {
    let name = unique();
    let _server = serve(&name, "");
    for host in [r"\\localhost", "localhost", "127.0.0.1", r"\\127.0.0.1", "[::1]", ".", r"\\."] {
        assert!(info(&format!("npipe:server={host},pipe={name}")).success().contains(&name), "{host}");
    }
    let outcome = info(&format!("npipe:pipe={name}"));
    assert!(outcome.status == 2 && outcome.stderr.contains("server"), "{outcome:?}");
}

#[test]
fn table_3_3_pipe_is_the_name_as_the_codes_made_it_and_takes_none() {
    let outcome = info("npipe:server=localhost,pipe=two words");
    assert!(outcome.status == 2 && outcome.stderr.contains("has a space"), "{outcome:?}");
    let name = unique();
    let _server = serve(&format!("{name}-%d"), "");
    assert!(info(&format!("npipe:server=localhost,pipe={name}-%d")).failure(255).contains("there is no pipe"));
}

#[test]
fn table_3_3_a_pipes_password_that_is_missing_is_asked_for() {
    let name = unique();
    let _server = serve(&name, &format!(",password={PASSWORD}"));
    // In a session without a terminal nothing can be asked.
    let mut command = Command::new("setsid");
    let connection = format!("npipe:server=localhost,pipe={name}");
    command.arg("--wait").arg(premote::path()).args([&connection, "ps"]).stdin(Stdio::null());
    assert!(premote::finish(command).failure(255).contains("asks for a password"));
}

#[test]
fn example_2_a_pipe_whose_name_is_not_known_is_found_and_a_program_created_through_it() {
    let name = unique();
    let _server = serve(&name, "");
    let list = premote::run(&["-QR", r"\\localhost"]).success();
    let found = list.lines().find(|line| line.contains(&name)).expect("it is listed");
    let string = found.strip_prefix("Remote Process Server - npipe:").expect("it is a process server on a pipe");
    // Names are read in any case, so that what is listed needs no more than the machine.
    let connection = format!("npipe:server=localhost,{string}");
    let file = format!("set remote exec-file {}", program::path("basics").display());
    let outcome = premote::run(&[&connection, "gdb", "--", "-nx", "-nh", "-q", "-batch", "-ex", &file, "-ex", "run"]);
    assert!(outcome.stdout.contains("exited with code 03]"), "{outcome:?}");
}
