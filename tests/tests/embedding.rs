//! A process server inside another program, with its sessions on threads of that.

use std::fs;
use std::time::Duration;

use dbgsrv::process_server::{
    ProcessServer, ServerSettings, start_process_server, start_process_server_with, wait_for_process_server_end,
};
use dbgsrv::worker::SessionHost;
use dbgsrv_client::{ConnectSettings, Connector};
use dbgsrv_protocol::options::ServerOptions;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::dbgsrv;
use dbgsrv_tests::trial::{self, Trial};
use dbgsrv_tests::{GUARD, gdb, guarded, process, program, wait_until};
use nix::unistd::Pid;

fn start(host: SessionHost) -> (ProcessServer, u16) {
    let options: ServerOptions = "tcp:port=0,bind=127.0.0.1".parse().expect("the options are right");
    let server = start_process_server(&[options], host).expect("the server starts");
    let [listening] = server.listening() else { panic!("one transport was given: {:?}", server.listening()) };
    let (_, port) = listening.split_once("port=").expect("it says which port");
    let port = port.split(',').next().and_then(|port| port.parse().ok()).expect("the port is a number");
    (server, port)
}

fn debug(port: u16) {
    let program = program::path("basics");
    let transcript = gdb::batch(&[
        format!("file {}", program.display()),
        format!("target extended-remote localhost:{port}"),
        format!("set remote exec-file {}", program.display()),
        "break square".into(),
        "run".into(),
        "stepi 100".into(),
        "delete".into(),
        "continue".into(),
    ]);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

/// The thread of this process that traces `pid`.
fn tracer(pid: Pid) -> i32 {
    let tracer = process::threads(pid).first().map_or(0, |thread| thread.tracer);
    assert!(fs::exists(format!("/proc/self/task/{tracer}")).expect("/proc is there"), "{tracer} is no thread of ours");
    tracer
}

#[test]
fn sessions_on_threads_debug_side_by_side() {
    let (server, port) = start(SessionHost::Threads);
    let targets = [Trial::start("calls", 0), Trial::start("calls", 0)];
    let mut clients = targets.each_ref().map(|target| {
        let mut client = Client::greeted(port);
        client.attach(target.pid());
        client.set_breakpoint(trial::symbol("called"));
        client
    });
    let [first, second] = targets.each_ref().map(|target| tracer(target.pid()));
    assert_ne!(first, second, "each session has a thread of its own");
    debug(port);
    for _ in 0..20 {
        for client in &mut clients {
            assert!(client.request("vCont;c").contains("swbreak"));
        }
    }
    // One runs until its client asks for a stop, the other's client just leaves.
    let [mut staying, leaving] = clients;
    assert_eq!(staying.request(&format!("z0,{:x},1", trial::symbol("called"))), "OK");
    drop(leaving);
    targets[0].run_a_while(&mut staying);
    drop(staying);
    for target in &targets {
        target.assert_left_as_it_was_found();
    }
    debug(port);
    assert!(!server.wait(Some(Duration::ZERO)));
}

#[tokio::test]
async fn an_embedded_server_calls_its_client_and_has_a_program_ready_for_it() {
    let reserved = Reserved::new();
    let port = reserved.port();
    let options: ServerOptions = format!("tcp:port={port},clicon=127.0.0.1").parse().expect("the options are right");
    let settings = ServerSettings::default().implicit_command_line(["/bin/sleep", "60"]);
    let server = start_process_server_with(&[options], SessionHost::Threads, settings).expect("the server starts");
    let connection = format!("tcp:clicon=127.0.0.1,port={port}").parse().expect("a good connection string");
    let connector = Connector::new(&connection).expect("this build has it");
    let place = connector.listen().await.expect("the port is reserved").expect("it waits");
    assert!(place.starts_with(&format!("tcp port {port} ")), "{place}");
    let client =
        guarded(connector.connect(ConnectSettings::default())).await.expect("it is called").expect("a session");
    let info = client.server_info().await.expect("it tells");
    assert_eq!(info.implicit_command_line, ["/bin/sleep", "60"]);
    assert_eq!(info.listening, [format!("tcp:port={port},clicon=127.0.0.1")]);
    client.disconnect().await;
    assert!(server.wait(Some(GUARD)), "the server ends with its client");
}

#[test]
fn the_end_of_a_server_lets_its_sessions_go() {
    for host in [SessionHost::Threads, SessionHost::Processes(dbgsrv())] {
        let (server, port) = start(host);
        let [running, stopped] = [Trial::start("calls", 0), Trial::start("calls", 0)];
        let mut clients = [&running, &stopped].map(|target| {
            let mut client = Client::greeted(port);
            client.attach(target.pid());
            client
        });
        let created =
            clients[1].run(&[program::path("basics").to_str().expect("the target directory has a plain name")]);
        clients[0].send("vCont;c");
        running.assert_goes_on();
        server.end();
        assert!(server.wait(Some(GUARD)), "the server ends");
        for target in [running, stopped] {
            target.assert_left_as_it_was_found();
        }
        wait_until("the created program has ended", || !process::is_alive(Pid::from_raw(created)));
        assert!(wait_for_process_server_end(None));
    }
}
