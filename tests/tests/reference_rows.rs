//! The rows of the reference's tables that concern tcp and the command line, a test for each; the number is the table's.
//!
//! | table | the rest of its rows |
//! |---|---|
//! | 2.2, options; 8, examples 5 and 6 | `starting_programs.rs` |
//! | 2.3 and 3.2, what each transport admits | `grammar_rows.rs` |
//! | 2.4 and 3.3, pipes, serial lines, TLS | `npipe_rows.rs`, `serial_lines.rs`, `tls.rs` and `tls_certificates.rs` |
//! | 2.4, `IcfEnable` | `firewall.rs` |
//! | 2.4 and 3.3, `clicon`; 2.8, a connection that is refused or breaks | `reverse.rs` |
//! | 2.8, versions | `versions.rs` |
//! | 4.3, what is listed | `discovery.rs` |
//! | 6.7, the repeater; 8, examples 4 and 10 | `relay.rs`, `relay_serial.rs` |

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use dbgsrv_tests::process::Owned;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, dbgsrv};
use dbgsrv_tests::{gdb, premote, program};

const PASSWORD: &str = "Sesame17";

/// The exit status, the output and the errors of a server that ends at once.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(dbgsrv());
    command.args(arguments).stdin(Stdio::null());
    let outcome = premote::finish(command);
    (outcome.status, outcome.stdout, outcome.stderr)
}

#[track_caller]
fn assert_refused(transport: &str, named: &str) {
    let (status, _, message) = run(&["-t", transport]);
    assert_eq!(status, 2, "{transport}: {message}");
    assert!(message.contains(named), "{transport}: no {named} in: {message}");
}

/// What a server lists of what it listens on.
fn listening(server: &Server) -> String {
    let info = premote::at(server, &["info"]).success();
    info.lines().find(|line| line.starts_with("listening:")).expect("it lists that").to_owned()
}

/// A running `sleep`.
fn sleeper() -> Owned {
    Owned::spawn(Command::new("sleep").arg("600"))
}

#[test]
fn table_2_2_question_mark_shows_the_help_and_so_does_its_long_form() {
    for option in ["-?", "--help"] {
        let (status, help, _) = run(&[option]);
        assert_eq!(status, 0, "{help}");
        for part in ["-t, --transport", "-c, --create", "-cs, --create-suspended", "-x, --ignore-rest", "-pc", "-sifeo"]
        {
            assert!(help.contains(part), "{option}: no {part} in: {help}");
        }
    }
}

#[test]
fn table_2_2_t_is_required() {
    let (status, _, message) = run(&["-c", "sleep", "1"]);
    assert!(status == 2 && message.contains("--transport"), "{message}");
}

#[test]
fn table_2_4_port_takes_the_first_free_one_of_a_range_which_is_listed_with_the_last() {
    let taken = TcpListener::bind(("0.0.0.0", 0)).expect("there is a free port");
    let low = taken.local_addr().expect("it is bound").port();
    let high = low.saturating_add(30);
    let server = Server::start_with(&["-t", &format!("tcp:port={low}:{high}")]);
    let used = server.port();
    assert!(low < used && used <= high, "{used}");
    assert!(listening(&server).contains(&format!("tcp:port={used}:{high}")), "{}", listening(&server));
}

#[test]
fn table_2_4_port_refuses_ranges_that_are_reversed_or_empty() {
    for range in ["60:51", "51:", ":60", "0:60", "51:0", "51:60:70", "51-60", ":"] {
        assert_refused(&format!("tcp:port={range}"), "LOW:HIGH");
    }
}

#[test]
fn table_2_4_port_of_a_server_that_calls_is_one_port() {
    for port in ["51:60", "0"] {
        assert_refused(&format!("tcp:port={port},clicon=BOX17"), "1 to 65535");
    }
}

#[test]
fn table_2_4_clicon_goes_with_neither_hidden_nor_a_firewall_to_open() {
    for flag in ["hidden", "IcfEnable", "open", "bind=127.0.0.1"] {
        let name = flag.split('=').next().expect("a split text has a first part");
        assert_refused(&format!("tcp:port=5005,clicon=BOX17,{flag}"), name);
    }
}

#[test]
fn table_2_4_clicon_takes_backslashes_before_the_machines_name() {
    let reserved = Reserved::new();
    let transport = format!(r"tcp:port={},clicon=\\localhost", reserved.port());
    let server = Server::start_with(&["-t", &transport]);
    server.assert_logs(&format!("calling tcp port {} of localhost", reserved.port()));
}

#[test]
fn table_2_4_password_is_case_sensitive() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,password={PASSWORD}")]);
    let connect = |password: &str| {
        let connection = format!("{},password={password}", premote::connection(&server));
        premote::run(&[&connection, "info"])
    };
    assert!(connect(&PASSWORD.to_lowercase()).failure(255).contains("wrong password"));
    let mut outcome = connect(PASSWORD);
    while outcome.stderr.contains("try again") {
        outcome = connect(PASSWORD);
    }
    assert!(outcome.success().contains("encrypted"));
}

#[test]
fn table_2_4_hidden_servers_are_served_to_who_knows_where_they_are() {
    let server = Server::start_with(&["-t", "tcp:port=0,hidden"]);
    assert!(listening(&server).contains(",hidden"));
    server.assert_still_serves();
}

#[test]
fn table_2_4_ipversion_narrows_to_one_version_and_bind_to_one_address() {
    for (narrowed, there, not_there) in [
        ("ipversion=4", "127.0.0.1", "::1"),
        ("ipversion=6", "::1", "127.0.0.1"),
        ("bind=127.0.0.2", "127.0.0.2", "127.0.0.1"),
        ("bind=[::1]", "::1", "127.0.0.1"),
    ] {
        let server = Server::start_with(&["-t", &format!("tcp:port=0,{narrowed}")]);
        assert!(TcpStream::connect((there, server.port())).is_ok(), "{narrowed}");
        assert!(TcpStream::connect((not_there, server.port())).is_err(), "{narrowed}");
    }
    assert_refused("tcp:port=5005,ipversion=5", "4 or 6");
    assert_refused("tcp:port=5005,ipversion=6,bind=127.0.0.1", "exclude each other");
}

#[test]
fn table_2_8_no_free_port_in_a_range_is_an_error_that_names_both_its_ends() {
    let taken: Vec<_> = std::iter::successors(Some(TcpListener::bind(("127.0.0.1", 0)).ok()), |first| {
        let port = first.as_ref()?.local_addr().ok()?.port();
        Some(TcpListener::bind(("127.0.0.1", port.checked_add(1)?)).ok())
    })
    .take(2)
    .flatten()
    .collect();
    // Whoever has the second one, it is taken.
    let low = taken[0].local_addr().expect("it is bound").port();
    if taken.len() < 2 || low == u16::MAX {
        return eprintln!("skipped: somebody else has the next port");
    }
    let (status, _, message) = run(&["-t", &format!("tcp:port={low}:{},bind=127.0.0.1", low + 1)]);
    assert_eq!(status, 1, "{message}");
    assert!(message.contains(&format!("any tcp port from {low} to {}", low + 1)), "{message}");
}

#[test]
fn table_2_8_pc_as_the_last_element_is_a_syntax_error() {
    for arguments in [&["-t", "tcp:port=0", "-pc"][..], &["-t", "tcp:port=0", "-c", "sleep", "600", "-pc"]] {
        let (status, _, message) = run(arguments);
        assert!(status == 2 && message.contains("-pc: no program follows"), "{message}");
    }
}

#[test]
fn table_2_8_sifeo_without_c_is_an_error() {
    let (status, _, message) = run(&["-t", "tcp:port=0", "-sifeo", "app", "-pc", "app"]);
    assert!(status == 2 && message.contains("-sifeo app: no -c follows"), "{message}");
}

#[test]
fn table_2_8_a_wrong_password_is_an_error_of_its_own() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,password={PASSWORD}")]);
    let connection = format!("{},password=other", premote::connection(&server));
    assert!(premote::run(&[&connection, "ps"]).failure(255).contains("wrong password"));
}

#[test]
fn table_2_8_a_server_that_is_no_longer_there_is_an_error() {
    let reserved = Reserved::new();
    let connection = format!("tcp:server=127.0.0.1,port={}", reserved.port());
    let message = premote::run(&[&connection, "ps"]).failure(255);
    assert!(message.contains(&format!("127.0.0.1 port {}: cannot connect", reserved.port())), "{message}");
}

#[test]
fn table_3_3_server_takes_backslashes_names_and_addresses() {
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    for host in [r"\\localhost", "localhost", "127.0.0.1", r"\\127.0.0.1", "[::1]"] {
        let connection = format!("tcp:server={host},port={}", server.port());
        assert!(premote::run(&[&connection, "ps"]).success().contains("dbgsrv"), "{host}");
    }
}

#[test]
fn table_3_3_ipversion_is_the_version_of_the_address_that_is_connected_to() {
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    for (host, version, other) in [("[::1]", 6, 4), ("127.0.0.1", 4, 6)] {
        let with = |version: u8| {
            premote::run(&[&format!("tcp:server={host},port={},ipversion={version}", server.port()), "ps"])
        };
        assert!(with(version).success().contains("dbgsrv"));
        assert!(with(other).failure(255).contains(&format!("it has no address of IP version {other}")));
    }
}

#[test]
fn table_3_3_clicon_and_server_exclude_each_other() {
    let message = premote::run(&["tcp:server=a,clicon=b,port=5005", "ps"]);
    assert!(message.status == 2 && message.stderr.contains("server"), "{message:#?}");
}

#[test]
fn table_3_3_a_password_that_is_missing_is_asked_for() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,password={PASSWORD}")]);
    // In a session without a terminal nothing can be asked.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(premote::path()).args([&premote::connection(&server), "ps"]).stdin(Stdio::null());
    assert!(premote::finish(command).failure(255).contains("asks for a password"));
}

#[test]
fn example_1_attach_by_process_id_over_tcp() {
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let target = sleeper();
    let (status, transcript) = premote::gdb(&server, &["-p", &target.pid().to_string()], &["info inferiors", "detach"]);
    assert_eq!(status, 0, "{}", transcript.0);
    transcript.assert_has(&format!("process {}", target.pid()));
}

#[test]
fn example_3_a_debugger_on_a_third_machine_goes_through_the_one_in_the_middle() {
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let middle = dbgsrv_tests::listening::Listening::on(&premote::connection(&server));
    let target = sleeper();
    let mut third = Client::greeted(middle.port());
    third.attach(target.pid());
}

#[test]
fn example_8_of_a_range_the_client_names_the_port_that_is_used() {
    let taken = TcpListener::bind(("0.0.0.0", 0)).expect("there is a free port");
    let low = taken.local_addr().expect("it is bound").port();
    let server = Server::start_with(&["-t", &format!("tcp:port={low}:{}", low.saturating_add(30))]);
    assert!(premote::at(&server, &["ps"]).success().contains("dbgsrv"));
    let connection = format!("tcp:server=localhost,port={low}:{}", low.saturating_add(30));
    let refused = premote::run(&[&connection, "ps"]);
    assert!(refused.status == 2 && refused.stderr.contains("is not a single port"), "{refused:#?}");
}

#[test]
fn example_9_a_multi_target_gdbserver_s_clients_start_programs_here_too() {
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let program = program::path("basics");
    let transcript = gdb::batch(&[
        format!("target extended-remote localhost:{}", server.port()),
        "info os processes".to_owned(),
        format!("set remote exec-file {}", program.display()),
        "run".to_owned(),
    ]);
    transcript.assert_has("dbgsrv");
    transcript.assert_has("exited with code 03]");
}
