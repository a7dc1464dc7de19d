//! The client library against the server.

use std::path::Path;
use std::process::Command;

use dbgsrv_client::{
    ClientOptions, ConnectSettings, Error, Event, FailureKind, GetProc, ProcDesc, ProcessMatch, Program, RemoteServer,
    connect_gdbserver, connect_process_server, connect_with,
};
use dbgsrv_tests::process::{self, Owned, Stray};
use dbgsrv_tests::server::Server;
use dbgsrv_tests::{guarded, program, wait_until};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

fn options(server: &Server, parameters: &str) -> ClientOptions {
    format!("tcp:server=127.0.0.1,port={}{parameters}", server.port()).parse().expect("a good connection string")
}

async fn connect(server: &Server) -> RemoteServer {
    connect_process_server(&options(server, "")).await.expect("the server lets this machine in")
}

/// The number that the server knows a process by.
fn id(pid: Pid) -> u32 {
    pid.as_raw().cast_unsigned()
}

/// A copy of `sleep` under a name of its own, and so many of it running.
fn sleepers(folder: &Path, name: &str, count: usize) -> (String, Vec<Owned>) {
    let path = folder.join(name);
    let sleep = ["/usr/bin/sleep", "/bin/sleep"].into_iter().find(|path| Path::new(path).exists());
    std::fs::copy(sleep.expect("every system has sleep"), &path).expect("there is room for a copy");
    let running = (0..count).map(|_| Owned::spawn(Command::new(&path).arg("600"))).collect();
    (path.to_str().expect("the folder has a plain name").to_owned(), running)
}

/// Sends a packet and returns the body of the reply, acknowledged.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), body: &str) -> String {
    let sum = body.bytes().fold(0u8, u8::wrapping_add);
    stream.write_all(format!("${body}#{sum:02x}").as_bytes()).await.expect("the session takes a packet");
    let mut reply = Vec::new();
    while reply.len() < 3 || reply[reply.len() - 3] != b'#' {
        reply.push(guarded(stream.read_u8()).await.expect("the server answers").expect("it goes on"));
    }
    stream.write_all(b"+").await.expect("the session takes an acknowledgement");
    let reply = String::from_utf8(reply).expect("text");
    let body = reply.trim_start_matches('+').strip_prefix('$').expect("a packet");
    body[..body.len() - 3].to_owned()
}

#[tokio::test]
async fn the_server_tells_what_it_is() {
    let server = Server::start();
    let client = connect(&server).await;
    let info = client.server_info().await.expect("it tells");
    assert_eq!(info.pid, id(server.pid()));
    assert_eq!(info.release, client.link().peer().release);
    assert_eq!(info.architecture, std::env::consts::ARCH);
    assert_eq!(info.sessions, 0);
    assert!(info.listening.iter().any(|text| text.contains(&server.port().to_string())), "{:?}", info.listening);
}

#[tokio::test]
async fn processes_are_listed_in_order_and_described() {
    let server = Server::start();
    let client = connect(&server).await;
    let pids = client.running_process_system_ids().await.expect("a list");
    assert!(pids.is_sorted() && pids.contains(&id(server.pid())) && pids.contains(&std::process::id()));
    let all = client.processes().await.expect("a list");
    let own = all.iter().find(|process| process.pid == std::process::id()).expect("the test runs");
    assert_eq!(own.executable, std::env::current_exe().expect("the test has a path").to_string_lossy());
    assert_eq!(own.command_line, std::env::args().collect::<Vec<_>>());
    assert_eq!(*own, client.describe(own.pid).await.expect("the test runs"));
    let flags = ProcDesc::NO_PATHS | ProcDesc::WITH_ARCHITECTURE;
    let words = client.running_process_description(id(server.pid()), flags).await.expect("the server runs");
    assert_eq!(words.executable, "dbgsrv");
    assert!(words.text.contains(&format!("Architecture: {}", std::env::consts::ARCH)), "{}", words.text);
}

#[tokio::test]
async fn a_process_that_does_not_exist_is_not_found() {
    let server = Server::start();
    let error = connect(&server).await.describe(0x7fff_fff0).await.expect_err("there is none");
    assert_eq!(error.failure_kind(), Some(FailureKind::NotFound));
}

#[tokio::test]
async fn a_process_is_found_by_its_executable() {
    let server = Server::start();
    let client = connect(&server).await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (one, single) = sleepers(folder.path(), "dbgsrv-one", 1);
    let (_, several) = sleepers(folder.path(), "dbgsrv-several", 2);
    let find = async |name: &str, flags| {
        client.running_process_system_id_by_executable_name(name, flags).await.expect("an answer")
    };
    // A child shows its own executable only after it has become it.
    for process in single.iter().chain(&several) {
        wait_until("the copies run", || process::name(process.pid()).starts_with("dbgsrv-"));
    }
    let mut pids: Vec<u32> = several.iter().map(|process| id(process.pid())).collect();
    pids.sort_unstable();
    assert_eq!(find("dbgsrv-one", GetProc::ONLY_MATCH).await, ProcessMatch::Found(id(single[0].pid())));
    assert_eq!(find(&one, GetProc::FULL_MATCH).await, ProcessMatch::Found(id(single[0].pid())));
    assert_eq!(find("dbgsrv-one", GetProc::FULL_MATCH).await, ProcessMatch::NotFound);
    assert_eq!(find("dbgsrv-several", GetProc::empty()).await, ProcessMatch::Found(pids[0]));
    assert_eq!(find("dbgsrv-several", GetProc::ONLY_MATCH).await, ProcessMatch::Several(pids));
    assert_eq!(find("dbgsrv-none", GetProc::empty()).await, ProcessMatch::NotFound);
}

#[tokio::test]
async fn a_program_is_started_suspended_where_it_was_asked_to_be_and_outlives_the_session() {
    let server = Server::start();
    let client = connect(&server).await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let directory = folder.path().canonicalize().expect("it exists");
    let program = Program {
        arguments: vec!["sleep".into(), "600".into()],
        directory: Some(directory.to_string_lossy().into_owned()),
        environment: vec!["DBGSRV_TEST=1".into()],
        suspended: true,
    };
    let pid = Pid::from_raw(client.create_process(program).await.expect("it starts").cast_signed());
    let _stray = Stray(pid);
    wait_until("it is stopped", || process::threads(pid).iter().all(|thread| thread.state == 'T'));
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).expect("it is there"), directory);
    client.disconnect().await;
    assert!(process::is_alive(pid));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).expect("it is there");
    wait_until("it runs", || process::is_left_alone(pid));
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("it is ours");
    assert!(environment.split(|byte| *byte == 0).any(|variable| variable == b"DBGSRV_TEST=1"));
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_refused() {
    let server = Server::start();
    let program = Program { arguments: vec!["/no/such/program".into()], ..Program::default() };
    let error = connect(&server).await.create_process(program).await.expect_err("there is none");
    assert_eq!(error.failure_kind(), Some(FailureKind::NotFound), "{error}");
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}

#[tokio::test]
async fn a_debug_session_is_listed_with_its_process_and_can_be_ended() {
    let server = Server::start();
    let (client, other) = (connect(&server).await, connect(&server).await);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (_, running) = sleepers(folder.path(), "dbgsrv-held", 1);
    let pid = running[0].pid();
    let mut stream = client.open_debug_session("a test").await.expect("there is room");
    assert!(ask(&mut stream, "qSupported:multiprocess+").await.contains("PacketSize="));
    let stop = ask(&mut stream, &format!("vAttach;{:x}", pid.as_raw())).await;
    assert!(stop.starts_with(['T', 'S']), "{stop}");

    let sessions = other.sessions().await.expect("a list");
    let [session] = sessions.as_slice() else { panic!("{sessions:?}") };
    assert_eq!((session.label.as_str(), session.pids.as_slice(), session.cut), ("a test", &[id(pid)][..], false));
    let described = other.describe(id(pid)).await.expect("it is there");
    assert_eq!(described.debugged_by, Some(session.session));

    other.end_session(session.session).await.expect("it is there");
    let event = guarded(client.next_event()).await.expect("the client is told");
    assert!(matches!(event, Some(Event::SessionEnded { session: ended, .. }) if ended == session.session), "{event:?}");
    // An end of file or a reset.
    let _ = guarded(stream.read_to_end(&mut Vec::new())).await.expect("the stream ends");
    wait_until("the process is let go", || process::is_left_alone(pid));
    assert_eq!(other.sessions().await.expect("a list"), []);
    let error = other.end_session(session.session).await.expect_err("it is over");
    assert_eq!(error.failure_kind(), Some(FailureKind::NotFound), "{error}");
}

#[tokio::test]
async fn many_callers_and_sessions_share_one_connection() {
    let server = Server::start();
    let client = connect(&server).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..16 {
        let client = client.clone();
        tasks.spawn(async move {
            let mut stream = client.open_debug_session(&number.to_string()).await.expect("there is room");
            assert_eq!(ask(&mut stream, "?").await, "W00");
            assert!(!client.running_process_system_ids().await.expect("a list").is_empty());
            assert_eq!(client.describe(std::process::id()).await.expect("the test runs").pid, std::process::id());
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task fails");
    }
}

#[tokio::test]
async fn a_password_seals_and_a_wrong_one_and_a_missing_one_are_told_apart() {
    let server = Server::start_with(&["-t", "tcp:port=0,password=Secret1"]);
    let client = connect_process_server(&options(&server, ",password=Secret1")).await.expect("it is right");
    assert_eq!(client.server_info().await.expect("it tells").pid, id(server.pid()));
    let error = connect_process_server(&options(&server, "")).await.expect_err("none was given");
    assert!(matches!(error, Error::PasswordNeeded { .. }), "{error}");
    let settings = ConnectSettings::default().password("Secret1".parse().expect("a good password"));
    connect_with(&options(&server, ""), settings).await.expect("it is right");
    // The last, since it slows down all further guesses from this address.
    let error = connect_process_server(&options(&server, ",password=Secret2")).await.expect_err("it is wrong");
    assert!(matches!(error, Error::WrongPassword { .. }), "{error}");
    server.assert_logs("wrong password");
    assert!(!server.log().contains("Secret"), "{}", server.log());
}

#[tokio::test]
async fn a_file_is_digested_in_whole_and_in_part() {
    let server = Server::start();
    let client = connect(&server).await;
    let path = program::path("basics");
    let path = path.to_str().expect("the target directory has a plain name");
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum is there");
    let expected = String::from_utf8_lossy(&output.stdout)[..64].to_owned();
    let length = std::fs::metadata(path).expect("it is there").len();
    assert_eq!(client.digest(path, None).await.expect("it can be read"), (expected, length));
    // Of nothing: FIPS 180-4's well-known value.
    let (empty, length) = client.digest(path, Some(0)).await.expect("it can be read");
    assert_eq!((&empty[..8], length), ("e3b0c442", 0));
    let error = client.digest("/no/such/file", None).await.expect_err("there is none");
    assert_eq!(error.failure_kind(), Some(FailureKind::NotFound), "{error}");
}

#[tokio::test]
async fn the_doctor_looks_at_the_machine_and_at_a_process() {
    let server = Server::start();
    let client = connect(&server).await;
    let general = client.doctor(None).await.expect("it looks");
    let particular = client.doctor(Some(std::process::id())).await.expect("it looks");
    assert!(!general.is_empty() && particular.len() > general.len(), "{general:?} {particular:?}");
}

#[tokio::test]
async fn the_server_is_ended_and_every_client_told() {
    let mut server = Server::start();
    let (client, other) = (connect(&server).await, connect(&server).await);
    client.end_process_server().await.expect("it may be ended");
    let event = guarded(other.next_event()).await.expect("the other client is told");
    assert_eq!(event, Some(Event::ServerEnding));
    guarded(client.closed()).await.expect("the session ends");
    guarded(other.closed()).await.expect("the session ends");
    assert_eq!(server.wait(), 0);
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_the_server_running() {
    let server = Server::start();
    connect(&server).await.disconnect().await;
    assert!(connect(&server).await.server_info().await.is_ok());
    server.assert_still_serves();
}

#[tokio::test]
async fn a_gdbserver_is_reached_without_a_session() {
    let server = Server::start();
    let Ok(ClientOptions::Gdb(gdb)) = format!("gdb:server=localhost,port={}", server.port()).parse() else {
        panic!("a good connection string")
    };
    let mut stream = connect_gdbserver(&gdb).await.expect("it is there");
    assert_eq!(ask(&mut stream, "?").await, "W00");
}

#[tokio::test]
async fn what_a_client_that_is_gone_has_asked_for_keeps_nothing_from_others() {
    let server = Server::start_with(&["-t", "tcp:port=0", "-v"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("endless").to_str().expect("text").to_owned();
    std::fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a file with nothing in it");
    // As many as the server works on at the same time.
    for _ in 0..4 {
        let client = connect(&server).await;
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let (client, path) = (client.clone(), path.clone());
                tokio::spawn(async move { client.digest(&path, None).await })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        client.disconnect().await;
        for asked in asking {
            asked.await.expect("no panic").expect_err("the session is over");
        }
    }
    wait_until("their connections are forgotten", || server.log().matches("connection ended").count() == 4);
    let ids = guarded(async { connect(&server).await.running_process_system_ids().await }).await;
    assert!(!ids.expect("there is a thread for it").expect("a list").is_empty());
}
