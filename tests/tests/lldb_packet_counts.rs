//! The number of packets that LLDB needs, which over a distance is what the user waits for: never more than with lldb-server.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::program;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::wait_until;

/// The packets of each step of a script, by the step's name.
type Counts = Vec<(&'static str, Vec<String>)>;

/// Connects, breaks, steps and ends.
fn script(port: u16) -> Counts {
    let mut lldb = Lldb::connected(port, Some(&program::path("basics")));
    let mut seen = 0;
    let mut since_then = |lldb: &Lldb| {
        let packets: Vec<_> = lldb.packets().into_iter().map(|packet| packet.request).collect();
        // How many variables there are in the environment is nobody's merit.
        let new = packets[seen..].iter().filter(|request| !request.starts_with("QEnvironment")).cloned().collect();
        seen = packets.len();
        new
    };
    let mut counts = vec![("connect", since_then(&lldb))];
    lldb.run("breakpoint set --name outer");
    lldb.run_to_stop("process launch");
    counts.push(("launch and first stop", since_then(&lldb)));
    for (name, command) in [
        ("step over", "thread step-over"),
        ("step an instruction", "thread step-inst"),
        ("step out", "thread step-out"),
        ("continue to the end", "process continue"),
    ] {
        lldb.run_to_stop(command);
        counts.push((name, since_then(&lldb)));
    }
    counts
}

/// LLDB's own server, on a free port.
fn lldb_server() -> (Owned, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let port = listener.local_addr().expect("the listener is bound").port();
    drop(listener);
    let mut command = Command::new("lldb-server");
    command.args(["gdbserver", &format!("127.0.0.1:{port}")]).stdin(Stdio::null()).stdout(Stdio::null());
    let server = Owned::spawn(&mut command);
    // It serves one connection only, so nobody tries.
    let listening = format!("0100007F:{port:04X} 00000000:0000 0A");
    let table = || std::fs::read_to_string("/proc/net/tcp").expect("the table of sockets can be read");
    wait_until("lldb-server listens", || table().contains(&listening));
    (server, port)
}

#[test]
fn connecting_breaking_and_stepping_need_no_more_packets_than_with_lldb_server() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let (peer, port) = lldb_server();
    let theirs = script(port);
    drop(peer);
    let server = Server::start();
    let ours = script(server.port());
    for ((step, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        eprintln!("{step}: {} packets, {} with lldb-server", ours.len(), theirs.len());
    }
    for ((step, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let (more, than) = (ours.len(), theirs.len());
        assert!(
            more <= than,
            "{step}: {more} packets, {than} with lldb-server\n{ours:#?}\nwith lldb-server: {theirs:#?}"
        );
    }
}
