//! Passwords: where they come from, who is let in by them, and who gets to see them.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use dbgsrv_protocol::control::{Request, Response};
use dbgsrv_protocol::session::{HandshakeError, PREFACE};
use dbgsrv_session::ConnectError;
use dbgsrv_tests::relay::Relay;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, dbgsrv};
use dbgsrv_tests::session::Session;
use dbgsrv_tests::{gdb, wait_until};
use nix::unistd::Pid;
use tempfile::NamedTempFile;

const PASSWORD: &str = "Sesame-17";

/// What the kernel shows of a process in `/proc`.
fn shown(pid: Pid, file: &str) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/{file}")).expect("the process is there")).into_owned()
}

fn assert_hidden(server: &Server) {
    let client = Session::connect(server.port(), Some(PASSWORD)).expect("the password is right");
    let mut debugger = Client::greeted(client.listen("test"));
    let workers = server.workers();
    assert_eq!(workers.len(), 1);
    for pid in workers.into_iter().chain([server.pid()]) {
        for file in ["cmdline", "environ"] {
            let text = shown(pid, file);
            assert!(!text.contains(PASSWORD), "{file} of {pid}: {text}");
        }
    }
    // Nor do debuggees inherit it.
    let program = debugger.run(&["/bin/sleep", "60"]);
    assert!(!shown(Pid::from_raw(program), "environ").contains(PASSWORD));
    assert!(!server.log().contains(PASSWORD), "{}", server.log());
}

#[test]
fn a_password_of_the_command_line_is_not_to_be_seen_there() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,linger=1,password={PASSWORD}"), "-v"]);
    let command_line = shown(server.pid(), "cmdline");
    assert!(command_line.starts_with(&dbgsrv().display().to_string()), "{command_line}");
    assert!(command_line.contains("tcp:port=0,linger=1,password=**"), "{command_line}");
    assert!(command_line.ends_with("\0-v\0"), "{command_line}");
    assert_hidden(&server);
}

#[test]
fn a_password_of_the_environment_is_inherited_by_nobody() {
    let first = format!("export DBGSRV_TEST_PASSWORD={PASSWORD}");
    let server = Server::start_after_with(&first, "tcp:port=0,password-env=DBGSRV_TEST_PASSWORD");
    assert_hidden(&server);
}

#[test]
fn a_password_comes_from_the_first_line_of_a_file() {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{PASSWORD}\nnot this").unwrap();
    let server = Server::start_with(&["-t", &format!("tcp:port=0,password-file={}", file.path().display())]);
    assert_hidden(&server);
    assert!(!server.log().contains("every user"), "{}", server.log());
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let server = Server::start_with(&["-t", &format!("tcp:port=0,password-file={}", file.path().display())]);
    let log = server.log();
    assert!(log.contains("every user of this machine can read") && log.contains("mode=644"), "{log}");
}

/// The exit status and the error output of a server that has this to listen on.
fn refused(transport: &str) -> (Option<i32>, String) {
    let output = Command::new(dbgsrv()).args(["-t", transport]).stdin(Stdio::null()).output();
    let output = output.expect("the server starts and ends");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn where_no_password_is_to_be_found_nothing_is_started_and_the_place_is_named() {
    let file = NamedTempFile::new().unwrap();
    let empty = file.path().display().to_string();
    for (transport, words) in [
        (format!("tcp:port=0,password-file={empty}"), [empty.as_str(), "is empty"]),
        ("tcp:port=0,password-file=/no/such/file".into(), ["/no/such/file", "No such file"]),
        ("tcp:port=0,password-file=/".into(), ["cannot read /", "directory"]),
        ("tcp:port=0,password-env=DBGSRV_NOT_SET".into(), ["DBGSRV_NOT_SET", "is not set"]),
    ] {
        let (status, message) = refused(&transport);
        assert_eq!(status, Some(2), "{message}");
        assert!(words.iter().all(|word| message.contains(word)) && message.contains("-t:"), "{message}");
    }
}

fn protected() -> Server {
    Server::start_with(&["-t", &format!("tcp:port=0,password={PASSWORD}")])
}

#[test]
fn a_debugger_that_connects_directly_is_told_to_use_premote() {
    let server = protected();
    server.assert_logs(&format!("premote tcp:server=localhost,port={} ps", server.port()));
    let transcript = gdb::batch(&[format!("target extended-remote localhost:{}", server.port())]);
    transcript.assert_has("this server wants a password, which a debugger cannot give by itself");
    transcript.assert_has("premote tcp:server=HOST,port=PORT gdb");
}

#[test]
fn who_knows_the_password_is_let_in_and_nobody_else() {
    let server = protected();
    let wrong = Session::connect(server.port(), Some("sesame-17")).unwrap_err();
    assert!(matches!(wrong, ConnectError::Handshake(HandshakeError::WrongPassword | HandshakeError::Rejected { .. })));
    server.assert_logs("wrong password count=1");
    let missing = Session::connect(server.port(), None).unwrap_err();
    assert!(matches!(missing, ConnectError::Handshake(_)), "{missing}");
    // The wait after a wrong password is for the one who knows it, too.
    let mut session = None;
    wait_until("the wait is over", || {
        session = Session::connect(server.port(), Some(PASSWORD)).ok();
        session.is_some()
    });
    let answer = session.as_mut().unwrap().ask(Request::ServerInfo).unwrap();
    let Response::ServerInfo(info) = answer else { panic!("{answer:?}") };
    assert_eq!(info.pid, server.pid().as_raw() as u32);
    assert_eq!(info.listening, [format!("tcp:port={},password=***", server.port())]);
}

#[test]
fn whoever_was_wrong_has_to_wait() {
    let server = protected();
    let guess = || Session::connect(server.port(), Some("wrong")).unwrap_err().to_string();
    let first = guess();
    assert!(first.contains("wrong password"), "{first}");
    // The first wait is a second, which may have passed on a busy machine; the seventh is a minute.
    assert!((0..7).any(|_| guess().contains("try again in")));
}

#[test]
fn strangers_who_stop_halfway_hold_up_nobody_from_the_same_address() {
    let server = protected();
    let halfway: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("the server listens");
            stream.write_all(&PREFACE).expect("the server reads");
            stream
        })
        .collect();
    // All of them are served before the next one comes.
    sleep(Duration::from_millis(200));
    // It would give up long before their time is over.
    Session::connect(server.port(), Some(PASSWORD)).expect("the password is right");
    drop(halfway);
}

#[test]
fn a_session_comes_back_while_somebody_at_the_same_address_guesses() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,linger=3,password={PASSWORD}")]);
    let relay = Relay::to(server.port());
    let mut session = Session::connect(relay.port(), Some(PASSWORD)).expect("the password is right");
    // The next wait is longer than the session lingers.
    for wait in [1, 2, 4] {
        Session::connect(server.port(), Some("wrong")).unwrap_err();
        if wait < 4 {
            sleep(Duration::from_secs(wait) + Duration::from_millis(50));
        }
    }
    relay.cut();
    let answer = session.ask(Request::ServerInfo).unwrap();
    assert!(matches!(answer, Response::ServerInfo(_)), "{answer:?}");
}
