//! The command `premote` with real debuggers, over real connections.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::process::{self, Owned, Stray};
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::{premote, program, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

const PASSWORD: &str = "Sesame-17";

fn text(path: &Path) -> &str {
    path.to_str().expect("directories for temporary files have plain names")
}

/// A server with a password, and what connects to it without one.
fn secret_server() -> (Server, String) {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,password={PASSWORD}")]);
    let connection = premote::connection(&server);
    (server, connection)
}

#[test]
fn processes_are_listed_as_a_table_and_as_json() {
    let server = Server::start();
    let target = Beats::start(1);
    let pid = target.pid().to_string();
    let table = premote::at(&server, &["ps"]).success();
    assert!(table.lines().next().is_some_and(|line| line.trim_start().starts_with("PID")), "{table}");
    let row = table.lines().find(|line| line.split_whitespace().next() == Some(&pid));
    assert!(row.is_some_and(|row| row.contains("beats")), "{table}");
    let filtered = premote::at(&server, &["ps", "--name", "beats"]).success();
    assert!(filtered.contains(&pid) && !filtered.contains("dbgsrv -t"), "{filtered}");
    let nobody = premote::at(&server, &["ps", "--user", "no-such-user"]).success();
    assert_eq!(nobody, "");
    let json = premote::at(&server, &["ps", "--json"]).success();
    assert!(json.starts_with('[') && json.contains(&format!("\"pid\": {pid},")), "{json}");
}

#[test]
fn the_connection_may_come_from_the_environment() {
    let server = Server::start();
    let mut command = premote::command(&["info"]);
    command.env("DBGSRV_CONNECTION", premote::connection(&server));
    let info = premote::finish(command).success();
    assert!(info.contains(&format!("pid:          {}\n", server.pid())), "{info}");
}

#[test]
fn a_process_is_described_and_one_that_does_not_exist_is_an_error() {
    let server = Server::start();
    let target = Beats::start(1);
    let description = premote::at(&server, &["describe", &target.pid().to_string()]).success();
    for part in ["pid: ", text(&program::path("beats")), "started: ", "user: "] {
        assert!(description.contains(part), "{description}");
    }
    let error = premote::at(&server, &["describe", "4194999"]).failure(1);
    assert!(error.contains("4194999"), "{error}");
}

#[test]
fn a_session_is_listed_with_its_process_and_can_be_ended() {
    let server = Server::start();
    let mut client = Client::greeted(server.port());
    let pid = client.run(&[text(&program::path("basics"))]);
    let sessions = premote::at(&server, &["sessions"]).success();
    let row = sessions.lines().find(|line| line.ends_with(&format!(" {pid}"))).expect("the session is listed");
    let number = row.split_whitespace().next().expect("the row has a number");
    let description = premote::at(&server, &["describe", &pid.to_string()]).success();
    assert!(description.contains(&format!("debugged by:  session {number}\n")), "{description}");
    assert_eq!(premote::at(&server, &["end-session", number]).success(), "");
    wait_until("the session's program has ended", || !process::is_alive(Pid::from_raw(pid)));
    assert!(premote::at(&server, &["end-session", "999999"]).failure(1).contains("999999"));
    server.assert_still_serves();
}

#[test]
fn the_doctor_says_what_it_looked_at() {
    let server = Server::start();
    let target = Beats::start(1);
    for arguments in [&["doctor"] as &[_], &["doctor", &target.pid().to_string()]] {
        let outcome = premote::at(&server, arguments);
        assert!(outcome.status == 0 || outcome.status == 1, "{outcome:#?}");
        assert!(outcome.stdout.starts_with("VERDICT"), "{outcome:#?}");
        assert!(outcome.stdout.lines().count() > 1, "{outcome:#?}");
    }
    target.assert_left_as_it_was_found();
}

#[test]
fn gdb_runs_a_program_through_premote_and_its_exit_status_is_premotes() {
    let server = Server::start();
    let program = program::path("basics");
    let exec_file = format!("set remote exec-file {}", text(&program));
    let file = format!("file {}", text(&program));
    let commands = [&file, &exec_file, "break square", "run", "backtrace", "continue", "quit 7"];
    let (status, transcript) = premote::gdb(&server, &[], &commands);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("in outer (x=6)");
    transcript.assert_has("exited with code 03]");
    assert_eq!(status, 7, "{}", transcript.0);
    server.assert_still_serves();
}

#[test]
fn gdb_attaches_to_a_process_and_leaves_it_as_it_was() {
    let server = Server::start();
    let target = Beats::start(2);
    let (status, transcript) = premote::gdb(&server, &["-p", &target.pid().to_string()], &["info threads", "detach"]);
    assert_eq!(status, 0, "{}", transcript.0);
    transcript.assert_has(&format!("[Inferior 1 (process {}) detached]", target.pid()));
    target.assert_left_as_it_was_found();
    let missing = premote::at(&server, &["gdb", "-n", "no-such-executable"]).failure(1);
    assert!(missing.contains("no-such-executable"), "{missing}");
}

#[test]
fn a_name_that_several_processes_have_is_an_error_that_lists_them() {
    let server = Server::start();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let copy = directory.path().join(format!("sleeps-{}", std::process::id()));
    fs::copy("/bin/sleep", &copy).expect("there is sleep(1)");
    let sleep = || Owned::spawn(Command::new(&copy).arg("600").stdin(Stdio::null()));
    let name = copy.file_name().and_then(|name| name.to_str()).expect("it has a plain name");
    let first = sleep();
    for name in [name, text(&copy)] {
        let (status, transcript) = premote::gdb(&server, &["-pn", name], &["detach"]);
        assert_eq!(status, 0, "{}", transcript.0);
        transcript.assert_has(&format!("(process {}) detached]", first.pid()));
    }
    let second = sleep();
    let error = premote::at(&server, &["gdb", "-n", name]).failure(1);
    for pid in [first.pid(), second.pid()] {
        assert!(error.contains(&pid.to_string()), "no {pid} in: {error}");
    }
}

#[test]
fn a_debugger_that_is_not_there_is_named() {
    let server = Server::start();
    let error = premote::at(&server, &["gdb", "--gdb", "/no/such/gdb"]).failure(1);
    assert!(error.contains("/no/such/gdb"), "{error}");
}

#[test]
fn gdb_connects_through_a_pipe() {
    let server = Server::start();
    let connect = format!("target extended-remote | {} {} pipe", text(&premote::path()), premote::connection(&server));
    let program = program::path("basics");
    let commands = [
        format!("file {}", text(&program)),
        connect,
        format!("set remote exec-file {}", text(&program)),
        "break square".into(),
        "run".into(),
        "continue".into(),
    ];
    let transcript = dbgsrv_tests::gdb::batch(&commands);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
    server.assert_still_serves();
}

#[test]
fn a_pipe_ends_when_its_input_does() {
    let server = Server::start();
    let mut command = premote::command(&[&premote::connection(&server), "pipe"]);
    let mut pipe = Owned::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut input = pipe.child().stdin.take().expect("it is piped");
    let mut output = pipe.child().stdout.take().expect("it is piped");
    // `vMustReplyEmpty` and the empty reply, acknowledged (GDB manual, "Packets").
    input.write_all(b"$vMustReplyEmpty#3a").expect("premote reads");
    let mut reply = [0; 5];
    output.read_exact(&mut reply).expect("premote answers");
    assert_eq!(&reply, b"+$#00");
    pipe.signal(Signal::SIGINT);
    input.write_all(b"+$vMustReplyEmpty#3a").expect("premote is still there");
    output.read_exact(&mut reply).expect("premote answers");
    drop(input);
    assert_eq!(pipe.wait(), 0);
}

/// `premote … listen`, and the address that it prints.
fn listen(server: &Server, arguments: &[&str]) -> (Owned, String) {
    let connection = premote::connection(server);
    let mut command = premote::command(&[&connection, "listen"]);
    let mut listen = Owned::spawn(command.args(arguments).stdout(Stdio::piped()));
    let mut line = String::new();
    let output = listen.child().stdout.as_mut().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("an address is text");
    (listen, line.trim_end().to_owned())
}

fn run_basics(address: &str) {
    let program = program::path("basics");
    let file = format!("file {}", text(&program));
    let exec_file = format!("set remote exec-file {}", text(&program));
    let connect = format!("target extended-remote {address}");
    let commands = [file, connect, exec_file, "break square".into(), "run".into(), "continue".into()];
    dbgsrv_tests::gdb::batch(&commands).assert_has("exited with code 03]");
}

#[test]
fn each_connection_to_a_local_port_is_a_session_of_its_own() {
    let server = Server::start();
    let (mut listen, address) = listen(&server, &[]);
    let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address has a port");
    let mut clients: Vec<_> = (0..8).map(|_| Client::greeted(port)).collect();
    let pids: Vec<_> = clients.iter_mut().map(|client| client.run(&[text(&program::path("basics"))])).collect();
    let sessions = premote::at(&server, &["sessions"]).success();
    assert!(pids.iter().all(|pid| sessions.contains(&format!(" {pid}\n"))), "{pids:?}\n{sessions}");
    run_basics(&address);
    listen.signal(Signal::SIGTERM);
    assert_eq!(listen.wait(), 0);
    wait_until("the programs have ended", || pids.iter().all(|&pid| !process::is_alive(Pid::from_raw(pid))));
    server.assert_still_serves();
}

#[test]
fn a_local_socket_serves_and_goes_with_premote() {
    let server = Server::start();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("rsp");
    let (mut listen, address) = listen(&server, &[&format!("unix:{}", text(&path))]);
    assert_eq!(address, text(&path));
    run_basics(&address);
    listen.signal(Signal::SIGINT);
    assert_eq!(listen.wait(), 0);
    assert!(!path.exists());
}

#[test]
fn a_local_port_that_others_can_reach_is_refused() {
    let server = Server::start();
    let outcome = premote::at(&server, &["listen", "0.0.0.0:0"]);
    assert_eq!(outcome.status, 2, "{outcome:#?}");
    assert!(outcome.stderr.contains("--open"), "{outcome:#?}");
}

#[test]
fn a_local_port_ends_with_the_server() {
    let mut server = Server::start();
    let (mut listen, _) = listen(&server, &[]);
    assert_eq!(premote::at(&server, &["end"]).success(), "");
    assert_eq!(server.wait(), 0);
    assert_eq!(listen.wait(), 255);
    assert!(premote::at(&server, &["ps"]).failure(255).contains("refused"));
}

#[test]
fn a_program_is_started_with_its_surroundings_and_not_debugged() {
    let server = Server::start();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let facts = directory.path().join("facts");
    let surroundings = program::path("surroundings");
    let arguments = ["run", "--cwd", text(directory.path()), "--env", "DBGSRV_TEST_VARIABLE=a b", "--"];
    let outcome = premote::at(&server, &[&arguments[..], &[text(&surroundings), text(&facts), "x y", "-v"]].concat());
    let pid: i32 = outcome.success().trim().parse().expect("a process id is printed");
    wait_until("the program has ended", || !process::is_alive(Pid::from_raw(pid)));
    let facts = fs::read_to_string(&facts).expect("the program has written its facts");
    let directory = directory.path().canonicalize().expect("the directory is there");
    for fact in ["variable a b\n", &format!("directory {}\n", text(&directory)), "argument x y\n", "argument -v\n"] {
        assert!(facts.contains(fact), "no {fact:?} in:\n{facts}");
    }
    assert!(premote::at(&server, &["run", "--", "/no/such/program"]).failure(1).contains("/no/such/program"));
}

#[test]
fn a_suspended_program_waits_for_its_debugger() {
    let server = Server::start();
    let program = program::path("basics");
    let pid: i32 = premote::at(&server, &["run", "--suspended", "--", text(&program)])
        .success()
        .trim()
        .parse()
        .expect("a process id is printed");
    let _stray = Stray(Pid::from_raw(pid));
    assert!(process::threads(Pid::from_raw(pid)).iter().all(|thread| thread.state == 'T' && thread.tracer == 0));
    let commands = [&format!("file {}", text(&program)), "break square", "continue", "continue"];
    let (_, transcript) = premote::gdb(&server, &["-p", &pid.to_string()], &commands);
    transcript.assert_has("square (x=6)");
}

#[test]
fn a_password_is_needed_and_a_wrong_one_is_refused_without_being_repeated() {
    let (server, connection) = secret_server();
    let with = |password: &str| premote::run(&[&format!("{connection},password={password}"), "info"]);
    assert!(with(PASSWORD).success().contains("encrypted"));
    // In a session without a terminal nothing can be asked.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(premote::path()).args([&connection, "info"]).stdin(Stdio::null());
    let none = premote::finish(command).failure(255);
    assert!(none.contains("asks for a password") && none.contains("password-file="), "{none}");
    // Last, since the server makes this address wait after it.
    let wrong = with("Sesame-18").failure(255);
    assert!(wrong.contains("wrong password") && !wrong.contains("Sesame"), "{wrong}");
    server.assert_logs("wrong password");
    assert!(!server.log().contains("Sesame"), "{}", server.log());
}

#[test]
fn what_the_user_is_warned_of_is_told_once_without_verbosity() {
    let (_server, connection) = secret_server();
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    fs::write(file.path(), PASSWORD).expect("the file is ours");
    let connection = format!("{connection},password-file={}", file.path().display());
    for (mode, warnings) in [(0o600, 0), (0o644, 1)] {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("the file is ours");
        let outcome = premote::run(&[&connection, "info"]);
        assert_eq!((outcome.status, outcome.stderr.lines().count()), (0, warnings), "{outcome:#?}");
        let warning = "premote: warning: every user of this machine can read the password's file";
        assert_eq!(outcome.stderr.matches(warning).count(), warnings, "{outcome:#?}");
    }
}

#[test]
fn a_password_is_asked_for_at_the_terminal_until_it_is_right() {
    let (_server, connection) = secret_server();
    let command = format!("{} {connection} info", text(&premote::path()));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = Owned::spawn(&mut script);
    let mut keyboard = terminal.child().stdin.take().expect("it is piped");
    let mut screen = terminal.child().stdout.take().expect("it is piped");
    let mut shown = String::new();
    let mut wait_for = |text: &str, times: usize| {
        while shown.matches(text).count() < times {
            let mut byte = [0];
            screen.read_exact(&mut byte).unwrap_or_else(|_| panic!("no {text:?} in: {shown}"));
            shown.push(byte[0].into());
        }
        shown.clone()
    };
    wait_for("Password of", 1);
    keyboard.write_all(b"Sesame-18\r").expect("script reads");
    wait_for("Password of", 2);
    keyboard.write_all(format!("{PASSWORD}\r").as_bytes()).expect("script reads");
    let shown = wait_for("encrypted", 1);
    assert!(shown.contains("try again") && !shown.contains("Sesame"), "{shown}");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let error = premote::run(&["tcp:server=localhost,port=1", "ps"]).failure(255);
    assert!(error.contains("localhost"), "{error}");
}

#[test]
fn bash_takes_the_completions() {
    let script = premote::run(&["completions", "bash"]).success();
    let mut bash = Command::new("bash");
    let check = bash.args(["-n", "/dev/stdin"]).stdin(Stdio::piped()).spawn();
    let mut check = check.expect("there is bash");
    check.stdin.take().expect("it is piped").write_all(script.as_bytes()).expect("bash reads");
    assert!(check.wait().expect("bash ends").success());
}
