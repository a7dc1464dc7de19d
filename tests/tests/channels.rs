//! Many debug sessions over one connection, and what the control channel beside them does.

use dbgsrv_protocol::control::{Event, FailureKind, Request, Response, SessionInfo};
use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::CloseCode;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::session::Session;
use dbgsrv_tests::{gdb, process, program, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

const PASSWORD: &str = "Sesame-17";

fn start() -> (Server, Session) {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,linger=1,password={PASSWORD}")]);
    let session = Session::connect(server.port(), Some(PASSWORD)).expect("the password is right");
    (server, session)
}

fn sessions(client: &mut Session) -> Vec<SessionInfo> {
    match client.ask(Request::Sessions { after: 0 }).expect("sessions are listed") {
        Response::Sessions { sessions, more: false } => sessions,
        other => panic!("{other:?}"),
    }
}

#[test]
fn gdb_debugs_over_a_channel_as_it_does_directly() {
    let (_server, session) = start();
    let program = program::path("basics");
    let transcript = gdb::batch(&[
        format!("file {}", program.display()),
        format!("target extended-remote localhost:{}", session.listen("gdb")),
        format!("set remote exec-file {}", program.display()),
        "break square".into(),
        "run".into(),
        "continue".into(),
    ]);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

#[test]
fn three_channels_are_three_sessions_that_are_listed_with_what_they_debug() {
    let (server, mut session) = start();
    let port = session.listen("three");
    let mut clients: Vec<_> = (0..3).map(|_| Client::greeted(port)).collect();
    let pids: Vec<_> = clients.iter_mut().map(|client| client.run(&["/bin/sleep", "60"]) as u32).collect();
    let listed = sessions(&mut session);
    assert_eq!(listed.iter().map(|session| session.session).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        listed.iter().map(|session| session.pids.clone()).collect::<Vec<_>>(),
        pids.iter().map(|pid| vec![*pid]).collect::<Vec<_>>()
    );
    assert!(
        listed.iter().all(|session| session.label == "three" && session.peer.starts_with("127.0.0.1:") && !session.cut)
    );
    let Response::Processes { processes, .. } = session.ask(Request::Describe { pids: vec![pids[1]] }).unwrap() else {
        panic!("no description");
    };
    assert_eq!(processes[0].debugged_by, Some(2));
    drop(clients);
    wait_until("the sessions have ended", || sessions(&mut session).is_empty());
    assert!(server.workers().is_empty());
    assert!(pids.into_iter().all(|pid| !process::is_alive(Pid::from_raw(pid as i32))));
}

#[test]
fn a_session_can_be_ended_and_its_connection_is_told() {
    let (_server, mut session) = start();
    let port = session.listen("doomed");
    let (mut first, mut second) = (Client::greeted(port), Client::greeted(port));
    let pid = Pid::from_raw(first.run(&["/bin/sleep", "60"]));
    let doomed = sessions(&mut session).iter().find(|session| session.pids == [pid.as_raw() as u32]).unwrap().session;
    assert_eq!(session.ask(Request::EndSession { session: doomed }), Ok(Response::Done));
    assert_eq!(session.next_event(), Some(Event::SessionEnded { session: doomed, outcome: "ended".into() }));
    assert!(!process::is_alive(pid));
    assert_eq!(first.byte(), None);
    assert!(second.request("qC").is_empty() || second.request("vMustReplyEmpty").is_empty());
    let failure = session.ask(Request::EndSession { session: doomed }).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
}

#[test]
fn a_process_that_a_session_holds_is_refused_to_others_by_that_sessions_name() {
    let (_server, session) = start();
    let port = session.listen("gdb");
    let (mut holder, mut other) = (Client::greeted(port), Client::greeted(port));
    let pid = holder.run(&["/bin/sleep", "60"]);
    assert!(other.request(&format!("vAttach;{pid:x}")).starts_with('E'));
    let why = other.request(&format!("qRcmd,{}", dbgsrv_tests::rsp::hex(b"why")));
    let text = dbgsrv_tests::rsp::hex(b"is already debugged by session 1 of this server, of the client at 127.0.0.1:");
    assert!(why.contains(&text) || other.reply().contains(&text), "{why}");
}

#[test]
fn a_channel_of_a_kind_that_nobody_knows_is_refused() {
    let (_server, session) = start();
    let refusal = session.open(Kind::Unknown(9), "").unwrap_err();
    assert!(refusal.contains("knows no such kind"), "{refusal}");
}

#[test]
fn a_client_that_vanishes_leaves_its_sessions_for_as_long_as_they_linger() {
    let (server, session) = start();
    let mut client = Client::greeted(session.listen("lost"));
    let pid = Pid::from_raw(client.run(&["/bin/sleep", "60"]));
    assert!(process::is_alive(pid));
    drop(session);
    wait_until("the session has ended", || !process::is_alive(pid) && server.workers().is_empty());
}

#[test]
fn who_ends_the_server_is_answered_and_all_are_told() {
    let (mut server, mut session) = start();
    let mut other = Session::connect(server.port(), Some(PASSWORD)).unwrap();
    let mut debugger = Client::greeted(other.listen("gdb"));
    let pid = Pid::from_raw(debugger.run(&["/bin/sleep", "60"]));
    assert_eq!(session.ask(Request::EndServer), Ok(Response::Done));
    for session in [&mut session, &mut other] {
        assert_eq!(session.next_event(), Some(Event::ServerEnding));
        assert_eq!(session.closed().code, CloseCode::ServerEnds);
    }
    assert_eq!(server.wait(), 0);
    assert!(!process::is_alive(pid));
    server.assert_logs("a client ends the server");
}

#[test]
fn a_server_that_is_terminated_tells_its_clients_and_ends_at_once() {
    let (mut server, mut session) = start();
    let _debugger = Client::greeted(session.listen("gdb"));
    server.signal(Signal::SIGTERM);
    assert_eq!(session.next_event(), Some(Event::ServerEnding));
    assert_eq!(session.closed().code, CloseCode::ServerEnds);
    assert_eq!(server.wait(), 0);
}
