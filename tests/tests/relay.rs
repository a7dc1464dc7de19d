//! `premote relay`, between clients and servers, on ports and pipes. The tests that have a table in their names stand for rows
//! of the reference, 6.7 being that of the repeater. Lines are in `relay_serial.rs`.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::network::outer_address;
use dbgsrv_tests::process::{self, Owned};
use dbgsrv_tests::repeater::Repeater;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::server::{Server, dbgsrv};
use dbgsrv_tests::{gdb, premote, program, rsp, wait_until};
use nix::sys::signal::Signal;

const PASSWORD: &str = "Sesame-17";

/// A name that no other test has.
fn unique() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("relay-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

fn tcp(server: &Server) -> String {
    format!("tcp:server=127.0.0.1,port={}", server.port())
}

/// What gdb prints that runs a whole program at a port.
fn assert_gdb_runs_a_program(port: u16) {
    let connect = format!("target extended-remote localhost:{port}");
    let program = program::path("basics");
    let file = format!("file {}", program.display());
    let remote = format!("set remote exec-file {}", program.display());
    let commands = [file, connect, remote, "break square".into(), "run".into(), "continue".into()];
    let transcript = gdb::batch(&commands);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

fn server() -> Server {
    Server::start_with(&["-t", "tcp:port=0,bind=127.0.0.1"])
}

#[test]
fn table_6_7_relays_bytes_between_tcp_and_npipe_in_either_order() {
    let (inner, outer) = (unique(), unique());
    let server = Server::start_with(&["-t", &format!("npipe:pipe={inner}"), "-t", "tcp:port=0,bind=127.0.0.1"]);
    let relay = Repeater::start(&format!("npipe:server=localhost,pipe={inner}"), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    assert_gdb_runs_a_program(relay.port());
    let _piped = Repeater::start(&tcp(&server), &format!("npipe:pipe={outer}"), &["-p"]);
    let info = premote::run(&[&format!("npipe:server=localhost,pipe={outer}"), "info"]).success();
    assert!(info.contains(&format!("pid:          {}\n", server.pid())), "{info}");
    let spare = unique();
    let _both =
        Repeater::start(&format!("npipe:server=localhost,pipe={inner}"), &format!("npipe:pipe={spare}"), &["-p"]);
    assert!(premote::run(&[&format!("npipe:server=localhost,pipe={spare}"), "info"]).success().contains(&inner));
}

#[test]
fn table_6_7_a_chain_of_two_relays_carries_gdb_and_sessions() {
    let server = server();
    let first = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    let second = Repeater::start(&first.connection(), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    assert_gdb_runs_a_program(second.port());
    let info = premote::run(&[&second.connection(), "info"]).success();
    assert!(info.contains(&format!("pid:          {}\n", server.pid())), "{info}");
}

#[test]
fn table_6_7_the_password_is_asked_from_the_client_and_the_relay_sees_a_sealed_session() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,bind=127.0.0.1,password={PASSWORD}")]);
    let relay = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    let info = premote::run(&[&format!("{},password={PASSWORD}", relay.connection()), "info"]).success();
    assert!(info.contains("connection:   encrypted"), "{info}");
    for (option, other) in [("-c", "-s"), ("-s", "-c")] {
        let (with, without) = (format!("{option} tcp:port=1,password={PASSWORD}"), format!("{other} tcp:port=2"));
        let line = format!("relay {with} {without}").replace("-c tcp:", "-c tcp:server=localhost,");
        let outcome = premote::run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(&format!("{option}: a relay has no use for a password")), "{outcome:?}");
        assert!(!outcome.stderr.contains(PASSWORD), "{outcome:?}");
    }
}

#[test]
fn table_6_7_a_wrong_password_ends_relay_and_client() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,bind=127.0.0.1,password={PASSWORD}")]);
    let mut relay = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", &[]);
    let outcome = premote::run(&[&format!("{},password=wrong", relay.connection()), "info"]);
    assert!(outcome.failure(255).contains("wrong password"));
    assert_eq!(relay.process().wait(), 0);
}

#[test]
fn table_6_7_the_servers_end_ends_the_relay_unless_it_is_to_stay() {
    for stays in [false, true] {
        let mut server = server();
        let mut relay = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", if stays { &["-p"] } else { &[] });
        let _client = rsp::Client::greeted(relay.port());
        server.signal(Signal::SIGTERM);
        assert_eq!(server.wait(), 0);
        if stays {
            // Who comes now is told nothing, and the relay's user that the server is not there.
            drop(TcpStream::connect(("127.0.0.1", relay.port())).unwrap());
            assert!(relay.line().contains("cannot connect"));
            relay.process().signal(Signal::SIGTERM);
        }
        assert_eq!(relay.process().wait(), 0);
    }
}

#[test]
fn table_6_7_all_connections_gone_ends_the_relay_unless_it_is_to_stay() {
    let server = server();
    let mut relay = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", &[]);
    assert_gdb_runs_a_program(relay.port());
    assert_eq!(relay.process().wait(), 0);
    let relay = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    for _ in 0..2 {
        assert_gdb_runs_a_program(relay.port());
    }
}

#[test]
fn table_6_7_the_relays_end_does_not_end_the_session_of_a_smart_client() {
    let server = server();
    let relay = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    let port = relay.port();
    let mut command = premote::command(&[&relay.connection(), "listen", "127.0.0.1:0"]);
    let mut client = Owned::spawn(command.stdout(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(client.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
    let listening = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    drop(relay);
    let _again = Repeater::start(&tcp(&server), &format!("tcp:port={port},bind=127.0.0.1"), &["-p"]);
    assert_gdb_runs_a_program(listening);
}

#[test]
fn table_6_7_the_relay_may_come_before_the_server_and_says_so_when_there_is_none() {
    let reserved = Reserved::new();
    let port = reserved.port();
    let server = format!("tcp:server=127.0.0.1,port={port}");
    let mut relay = Repeater::start(&server, "tcp:port=0,bind=127.0.0.1", &[]);
    drop(TcpStream::connect(("127.0.0.1", relay.port())).unwrap());
    assert!(relay.line().starts_with(&format!("premote: 127.0.0.1 port {port}: cannot connect: ")));
    assert_eq!(relay.process().wait(), 255);
    let relay = Repeater::start(&server, "tcp:port=0,bind=127.0.0.1", &[]);
    let _server = Server::start_with(&["-t", &format!("tcp:port={port},bind=127.0.0.1")]);
    assert_gdb_runs_a_program(relay.port());
}

#[test]
fn table_4_3_a_repeater_is_never_listed_hidden_or_not() {
    let name = unique();
    let server = server();
    for more in ["", ",hidden"] {
        let _relay = Repeater::start(&tcp(&server), &format!("npipe:pipe={name}{more}"), &["-p"]);
        assert!(!premote::run(&["servers", "localhost"]).success().contains(&name));
    }
}

#[test]
fn table_6_7_ranges_and_codes_are_those_of_a_server() {
    let server = server();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let low = taken.local_addr().unwrap().port();
    let range = format!("tcp:port={low}:{},bind=127.0.0.1", low.saturating_add(100));
    assert!(Repeater::start(&tcp(&server), &range, &["-p"]).port() > low);
    let name = unique();
    let mut relay = Repeater::start(&tcp(&server), &format!("npipe:pipe={name}-%d"), &["-p"]);
    let named = format!("npipe {name}-{} (", relay.process().pid());
    assert!(relay.place().contains(&named), "{}", relay.place());
}

#[test]
fn table_6_7_tls_gdbservers_and_the_same_serial_port_are_refused_with_what_to_do() {
    let (server, clients) = ("tcp:server=localhost,port=1", "tcp:port=2");
    for (server, clients, part) in [
        ("ssl:proto=tls1,server=a,port=1", clients, "-c: a relay has no part in TLS; allowed: tcp where"),
        (server, "spipe:proto=tls1,certuser=a,pipe=b", "-s: a relay has no part in TLS; allowed: tcp where"),
        ("gdb:server=a,port=1", clients, "-c: a gdbserver"),
        ("com:port=COM2,baud=9600,channel=1", "com:port=2,baud=9600,channel=2", "the same serial port"),
        ("tcp:server=a", clients, "-c: "),
        (server, "tcp:port=70000", "-s: "),
    ] {
        let outcome = premote::run(&["relay", "-c", server, "-s", clients]);
        assert!(outcome.status == 2 && outcome.stderr.contains(part), "{server} {clients}: {outcome:?}");
    }
    for arguments in [&["relay"] as &[_], &["relay", "-s", clients], &["relay", "-c", server]] {
        assert_eq!(premote::run(arguments).status, 2, "{arguments:?}");
    }
}

#[test]
fn clients_of_other_machines_get_through_to_a_server_of_this_one_only_where_that_is_said() {
    let Some(address) = outer_address() else {
        eprintln!("skipped: this machine is in no network");
        return;
    };
    let server = Server::start_with(&["-t", &format!("tcp:port=0,bind=127.0.0.1,password={PASSWORD}")]);
    for (more, admitted) in [("", false), (",open", true)] {
        let relay = Repeater::start(&tcp(&server), &format!("tcp:port=0{more}"), &["-p"]);
        let connection = format!("tcp:server={address},port={},password={PASSWORD}", relay.port());
        let outcome = premote::run(&[&connection, "info"]);
        assert_eq!(outcome.status == 0, admitted, "{outcome:?}");
        if !admitted {
            let line = relay.line();
            assert!(line.contains(&format!("a client of another machine ({address}:")), "{line}");
            assert!(line.ends_with("allowed: `open` in -s"), "{line}");
        }
    }
}

#[test]
fn standard_input_and_output_can_stand_for_the_client() {
    let server = server();
    let mut command = Command::new("sh");
    let relay = format!("printf '$?#3f' | exec {} relay -c {} --stdio", premote::path().display(), tcp(&server));
    command.args(["-c", &relay]).stdin(Stdio::null());
    let outcome = premote::finish(command);
    assert_eq!(outcome.stdout.lines().next(), Some("premote relay: connected"), "{outcome:?}");
    assert!(outcome.stdout.contains("+$"), "the server answers: {outcome:?}");
}

#[test]
fn a_relay_that_is_killed_takes_no_debuggee_with_it() {
    let server = server();
    let mut relay = Repeater::start(&tcp(&server), "tcp:port=0,bind=127.0.0.1", &["-p"]);
    let target = Beats::start(1);
    let mut client = rsp::Client::greeted(relay.port());
    client.attach(target.pid());
    relay.process().signal(Signal::SIGKILL);
    wait_until("the session has ended", || server.workers().is_empty());
    target.shared.assert_goes_on();
    assert!(process::is_left_alone(target.pid()));
}

/// A client that waits for a call at `port`, from whichever address, and asks what server it is.
fn waiting_client(port: u16) -> std::thread::JoinHandle<premote::Outcome> {
    let connection = format!("tcp:clicon=127.0.0.20,port={port},bind=127.0.0.30");
    std::thread::spawn(move || premote::run(&[&connection, "info"]))
}

#[test]
fn example_4_a_reverse_connection_through_a_relay_client_first_and_server_last() {
    let (clients, servers) = (Reserved::new(), Reserved::new());
    let client = waiting_client(clients.port());
    let near = format!("tcp:port={},clicon=127.0.0.30", clients.port());
    let far = format!("tcp:clicon=127.0.0.10,port={},bind=127.0.0.20", servers.port());
    let mut relay = Repeater::start(&far, &near, &[]);
    assert!(relay.place().contains("for the server that calls tcp port"), "{}", relay.place());
    let transport = format!("tcp:port={},clicon=127.0.0.20", servers.port());
    let mut server = Owned::spawn(Command::new(dbgsrv()).args(["-t", &transport]).stderr(Stdio::null()));
    let info = client.join().unwrap().success();
    assert!(info.contains(&format!("pid:          {}\n", server.pid())), "{info}");
    // The client is gone: so is the relay, and so is the server, to which it was the client.
    assert_eq!((relay.process().wait(), server.wait()), (0, 3));
}

#[test]
fn example_10_a_relay_between_two_firewalls_and_the_servers_password_from_the_client() {
    let servers = Reserved::new();
    let far = format!("tcp:port={},clicon=127.0.10.10,bind=127.0.20.20", servers.port());
    let relay = Repeater::start(&far, "tcp:port=0,bind=127.0.20.20", &["-p"]);
    let transport = format!("tcp:port={},clicon=127.0.20.20,password={PASSWORD}", servers.port());
    let mut server = Command::new(dbgsrv());
    let server = Owned::spawn(server.args(["-t", &transport]).stdout(Stdio::null()).stderr(Stdio::null()));
    let connection = format!("tcp:server=127.0.20.20,port={},password=", relay.port());
    assert!(premote::run(&[&format!("{connection}wrong"), "info"]).failure(255).contains("wrong password"));
    // The relay stays, and takes the server's next call.
    let mut outcome = premote::run(&[&format!("{connection}{PASSWORD}"), "info"]);
    while outcome.stderr.contains("try again") {
        outcome = premote::run(&[&format!("{connection}{PASSWORD}"), "info"]);
    }
    assert!(outcome.success().contains(&format!("pid:          {}\n", server.pid())));
}

#[test]
fn table_6_7_one_side_may_be_reverse_and_the_other_not() {
    let server = server();
    let port = Reserved::new();
    let client = waiting_client(port.port());
    let mut relay = Repeater::start(&tcp(&server), &format!("tcp:port={},clicon=127.0.0.30", port.port()), &[]);
    assert!(client.join().unwrap().success().contains(&format!("pid:          {}\n", server.pid())));
    assert_eq!(relay.process().wait(), 0);

    let port = Reserved::new();
    let waiting = format!("tcp:clicon=127.0.0.10,port={},bind=127.0.0.20", port.port());
    let mut relay = Repeater::start(&waiting, "tcp:port=0,bind=127.0.0.1", &[]);
    let transport = format!("tcp:port={},clicon=127.0.0.20", port.port());
    let calling = Owned::spawn(Command::new(dbgsrv()).args(["-t", &transport]).stderr(Stdio::null()));
    let info = premote::run(&[&relay.connection(), "info"]).success();
    assert!(info.contains(&format!("pid:          {}\n", calling.pid())), "{info}");
    assert_eq!(relay.process().wait(), 0);
}
