//! `premote relay` with a serial line at one end or at both: rows of the reference's table 6.7, of the repeater.

use dbgsrv_tests::gdb::{self, Transcript};
use dbgsrv_tests::line::{Faults, Line};
use dbgsrv_tests::network::outer_address;
use dbgsrv_tests::repeater::Repeater;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::{premote, program};

const PASSWORD: &str = "Sesame-17";
const BAUD: u32 = 921_600;

/// A name that no other test has.
fn unique(what: &str) -> String {
    format!("line-{what}-{}", std::process::id())
}

fn line() -> Line {
    Line::new(BAUD, Faults::default())
}

/// A server on these transports, and on a port, as the tests' support wants.
fn serve(transport: &str) -> Server {
    Server::start_with(&["-t", transport, "-t", "tcp:port=0,bind=127.0.0.1,hidden"])
}

/// A client gets through to this server.
#[track_caller]
fn assert_reaches(connection: &str, server: &Server) {
    let info = premote::run(&[connection, "info"]).success();
    assert!(info.contains(&format!("pid:          {}\n", server.pid())), "{info}");
}

/// Has gdb run a whole program at what `target extended-remote` takes.
fn debug(target: &str) -> Transcript {
    let program = program::path("basics");
    let commands = [
        "set sysroot".into(),
        format!("file {}", program.display()),
        format!("target extended-remote {target}"),
        format!("set remote exec-file {}", program.display()),
        "break square".into(),
        "run".into(),
        "continue".into(),
    ];
    gdb::finish(gdb::command(&["-batch", "-b", "115200"]), &commands)
}

#[track_caller]
fn assert_debugs(target: &str) {
    let transcript = debug(target);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

#[test]
fn table_6_7_com_to_the_server_and_tcp_to_the_clients() {
    let line = line();
    let server = serve(&line.served(3, ""));
    let relay = Repeater::start(&line.called(3, ""), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    // One after another: the line has one channel for them.
    for _ in 0..2 {
        assert_reaches(&relay.connection(), &server);
        assert_debugs(&format!("localhost:{}", relay.port()));
    }
}

#[test]
fn table_6_7_tcp_to_the_server_and_com_to_the_clients() {
    let line = line();
    let server = serve(&format!("tcp:port=0,bind=127.0.0.1,password={PASSWORD}"));
    let behind = format!("tcp:server=127.0.0.1,port={}", server.port());
    let relay = Repeater::start(&behind, &line.served(3, ""), &["-p"]);
    assert!(relay.place().contains("channel 3 at 921600 baud"), "{}", relay.place());
    for _ in 0..2 {
        assert_reaches(&line.called(3, &format!(",password={PASSWORD}")), &server);
    }
}

#[test]
fn table_6_7_com_to_the_server_and_npipe_to_the_clients() {
    let line = line();
    let server = serve(&line.served(3, ""));
    let name = unique("out");
    let _relay = Repeater::start(&line.called(3, ""), &format!("npipe:pipe={name}"), &["-p"]);
    assert_reaches(&format!("npipe:server=localhost,pipe={name}"), &server);
}

#[test]
fn table_6_7_npipe_to_the_server_and_com_to_the_clients() {
    let line = line();
    let name = unique("in");
    let server = serve(&format!("npipe:pipe={name},password={PASSWORD}"));
    let _relay = Repeater::start(&format!("npipe:server=localhost,pipe={name}"), &line.served(3, ""), &["-p"]);
    assert_reaches(&line.called(3, &format!(",password={PASSWORD}")), &server);
}

#[test]
fn table_6_7_a_gdb_straight_on_the_line_is_relayed_too() {
    let line = line();
    let name = unique("gdb");
    let _server = serve(&format!("npipe:pipe={name}"));
    let _relay = Repeater::start(&format!("npipe:server=localhost,pipe={name}"), &line.served(3, ""), &["-p"]);
    assert_debugs(&line.client_port().display().to_string());
}

#[test]
fn table_6_7_com_at_both_ends_of_a_relay_of_two_lines() {
    let (inner, outer) = (line(), line());
    let server = serve(&inner.served(3, ""));
    let _relay = Repeater::start(&inner.called(3, ""), &outer.served(5, ""), &["-p"]);
    assert_reaches(&outer.called(5, ""), &server);
}

#[test]
fn table_6_7_com_to_the_server_and_a_call_to_the_client() {
    let line = line();
    let server = serve(&line.served(3, ""));
    let reserved = Reserved::new();
    let call = format!("tcp:port={},clicon=127.0.0.1", reserved.port());
    let mut relay = Repeater::start(&line.called(3, ""), &call, &[]);
    assert_reaches(&format!("tcp:clicon=127.0.0.1,port={}", reserved.port()), &server);
    // All connections have ended.
    assert_eq!(relay.process().wait(), 0);
}

#[test]
fn table_6_7_a_server_that_calls_and_com_to_the_clients() {
    let line = line();
    let reserved = Reserved::new();
    let waiting = format!("tcp:clicon=127.0.0.1,port={},bind=127.0.0.1", reserved.port());
    let mut relay = Repeater::start(&waiting, &line.served(3, ""), &[]);
    let server = Server::calling(reserved.port(), &format!(",password={PASSWORD}"));
    assert_reaches(&line.called(3, &format!(",password={PASSWORD}")), &server);
    assert_eq!(relay.process().wait(), 0);
}

#[test]
fn clients_of_other_machines_get_through_to_a_line_only_where_that_is_said() {
    let Some(address) = outer_address() else {
        eprintln!("skipped: this machine is in no network");
        return;
    };
    let line = line();
    let _server = serve(&line.served(3, ""));
    for (more, admitted) in [("", false), (",open", true)] {
        let relay = Repeater::start(&line.called(3, ""), &format!("tcp:port=0{more}"), &["-p"]);
        let outcome = premote::run(&[&format!("tcp:server={address},port={}", relay.port()), "info"]);
        assert_eq!(outcome.status == 0, admitted, "{outcome:?}");
        if !admitted {
            assert!(relay.line().contains(&format!("a client of another machine ({address}:")), "{outcome:?}");
        }
    }
}

#[test]
fn table_6_7_the_same_serial_port_at_both_ends_is_refused() {
    let line = line();
    let outcome = premote::run(&["relay", "-c", &line.called(1, ""), "-s", &line.called(2, "")]);
    assert!(outcome.status == 2 && outcome.stderr.contains("the same serial port"), "{outcome:?}");
}
