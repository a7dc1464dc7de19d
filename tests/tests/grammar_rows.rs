//! The rows of the reference's tables 2.3 and 3.2, which transport admits what, a test for each; the number is the table's.
//! What each parameter does is for the tests of tables 2.4 and 3.3.

use std::process::{Command, Stdio};
use std::thread;

use dbgsrv_client::{ClientOptions, connect_gdbserver};
use dbgsrv_tests::certificates::Certificates;
use dbgsrv_tests::line::{Faults, Line};
use dbgsrv_tests::premote;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::server::{Kind, Server, dbgsrv};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PASSWORD: &str = "Sesame17";

/// The columns of table 2.3: each transport, with all that it needs.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("npipe", &["npipe:pipe=p"]),
    ("tcp", &["tcp:port=5"]),
    ("tcp+clicon", &["tcp:port=5", "clicon=h"]),
    ("com", &["com:port=COM5", "baud=9600", "channel=0"]),
    ("spipe", &["spipe:proto=tls1", "certuser=c", "pipe=p"]),
    ("ssl", &["ssl:proto=tls1", "certuser=c", "port=5"]),
    ("ssl+clicon", &["ssl:proto=tls1", "machuser=c", "port=5", "clicon=h"]),
];

/// What `dbgsrv` says about a connection string; `None` where it takes it. Nothing is started: a second one is wrong.
fn complaint(parts: &[&str]) -> Option<String> {
    let transport = parts.join(",");
    let mut command = Command::new(dbgsrv());
    command.args(["-t", &transport, "-t", "pigeon:a=1"]).stdin(Stdio::null());
    let outcome = premote::finish(command);
    assert_eq!(outcome.status, 2, "{transport}: {outcome:?}");
    (!outcome.stderr.contains("pigeon")).then_some(outcome.stderr)
}

/// The name in `name=value`, of a first parameter too.
fn name(part: &str) -> &str {
    let parameter = part.split_once(':').map_or(part, |(_, parameter)| parameter);
    parameter.split('=').next().expect("a split text has a first part")
}

/// The transports of `columns` take the parameter, and all others refuse it by name.
fn assert_admitted_by(parameter: &str, columns: &[&str]) {
    for (column, needed) in COLUMNS {
        // Where it is needed, it is there already.
        let given: Vec<_> = needed.iter().copied().filter(|part| name(part) != name(parameter)).collect();
        let is_needed = given.len() < needed.len();
        let complaint = if is_needed { complaint(needed) } else { complaint(&[&given[..], &[parameter]].concat()) };
        match complaint {
            None => assert!(columns.contains(&column), "{column} takes {parameter}"),
            Some(text) => {
                assert!(!columns.contains(&column), "{column}: {text}");
                assert!(text.contains(&format!("`{}`", name(parameter))), "{column}: {text}");
            }
        }
    }
}

/// The transports of `columns` can't do without the parameter.
fn assert_needed_by(parameter: &str, columns: &[&str]) {
    for (column, needed) in COLUMNS {
        assert_eq!(needed.iter().any(|part| name(part) == parameter), columns.contains(&column), "{column}");
        if columns.contains(&column) {
            // Another that all take stands in its place.
            let other = |part: &str| match part.split_once(':') {
                Some((transport, rest)) if name(rest) == parameter => format!("{transport}:password=x"),
                _ if name(part) == parameter => "password=x".to_owned(),
                _ => part.to_owned(),
            };
            let rest: Vec<_> = needed.iter().map(|part| other(part)).collect();
            let complaint = complaint(&rest.iter().map(String::as_str).collect::<Vec<_>>());
            assert!(complaint.is_some_and(|text| text.contains(&format!("`{parameter}`"))), "{column}: {parameter}");
        }
    }
}

#[test]
fn table_2_3_pipe_is_needed_by_npipe_and_spipe_and_by_no_other() {
    assert_admitted_by("pipe=p", &["npipe", "spipe"]);
    assert_needed_by("pipe", &["npipe", "spipe"]);
}

#[test]
fn table_2_3_port_is_needed_by_all_but_the_pipes() {
    let columns = ["tcp", "tcp+clicon", "com", "ssl", "ssl+clicon"];
    assert_admitted_by("port=5", &columns);
    assert_needed_by("port", &columns);
}

#[test]
fn table_2_3_clicon_is_for_tcp_and_ssl() {
    assert_admitted_by("clicon=h", &["tcp", "tcp+clicon", "ssl", "ssl+clicon"]);
}

#[test]
fn table_2_3_baud_and_channel_are_needed_by_com_and_by_no_other() {
    for (parameter, given) in [("baud", "baud=9600"), ("channel", "channel=0")] {
        assert_admitted_by(given, &["com"]);
        assert_needed_by(parameter, &["com"]);
    }
}

#[test]
fn table_2_3_proto_is_needed_by_those_with_tls_and_by_no_other() {
    let columns = ["spipe", "ssl", "ssl+clicon"];
    assert_admitted_by("proto=tls1", &columns);
    assert_needed_by("proto", &columns);
}

#[test]
fn table_2_3_certuser_or_machuser_is_needed_by_those_with_tls_and_exactly_one() {
    assert_admitted_by("certuser=c", &["spipe", "ssl"]);
    assert_needed_by("certuser", &["spipe", "ssl"]);
    assert_needed_by("machuser", &["ssl+clicon"]);
    for both in ["ssl:proto=tls1,certuser=a,machuser=b,port=5", "spipe:proto=tls1,machuser=a,certuser=b,pipe=p"] {
        assert!(complaint(&[both]).is_some_and(|text| text.contains("exclude each other")), "{both}");
    }
}

#[test]
fn table_2_3_hidden_is_for_all_that_listen() {
    assert_admitted_by("hidden", &["npipe", "tcp", "com", "spipe", "ssl"]);
}

#[test]
fn table_2_3_password_is_for_all() {
    assert_admitted_by("password=x", &COLUMNS.map(|(column, _)| column));
}

#[test]
fn table_2_3_ipversion_is_for_tcp() {
    assert_admitted_by("ipversion=6", &["tcp", "tcp+clicon"]);
}

#[test]
fn table_2_3_icf_enable_is_for_npipe_and_tcp() {
    assert_admitted_by("IcfEnable", &["npipe", "tcp"]);
}

/// A name that no other test has.
fn unique(row: &str) -> String {
    format!("grammar-{row}-{}", std::process::id())
}

/// What `premote` gets told by a server with the password, which lists itself without it.
fn assert_meets(outcome: premote::Outcome, listed: &str) {
    let info = outcome.success();
    let line = info.lines().find(|line| line.starts_with("listening:")).expect("it lists that");
    assert!(line.contains(listed) && line.contains("password=***"), "{info}");
}

#[test]
fn table_2_3_and_3_2_npipe_with_everything_that_both_sides_admit() {
    let name = unique("npipe");
    let transport = format!("npipe:pipe={name},hidden,password={PASSWORD},IcfEnable");
    let _server = Server::start_with(&["-t", &transport, "-t", "tcp:port=0,bind=127.0.0.1,hidden"]);
    for connection in [
        format!("npipe:server=localhost,pipe={name},password={PASSWORD}"),
        format!(r"NPipe:Password={PASSWORD},Pipe={name},Server=\\."),
    ] {
        assert_meets(premote::run(&[&connection, "info"]), &format!("npipe:pipe={name},hidden,IcfEnable"));
    }
}

#[test]
fn table_2_3_and_3_2_tcp_with_everything_that_both_sides_admit() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,hidden,ipversion=6,password={PASSWORD}")]);
    let port = server.port();
    for connection in [
        format!("tcp:server=[::1],port={port},password={PASSWORD},ipversion=6"),
        format!("TCP:IPVersion=6,Password={PASSWORD},Port={port},Server=[::1]"),
    ] {
        assert_meets(premote::run(&[&connection, "info"]), &format!("tcp:port={port},"));
    }
}

#[test]
fn table_2_3_and_3_2_tcp_reverse_with_everything_that_both_sides_admit() {
    let reserved = Reserved::new();
    let port = reserved.port();
    let server = format!("tcp:port={port},clicon=127.0.0.1,ipversion=4,password={PASSWORD}");
    let connection = format!("tcp:clicon=127.0.0.1,port={port},ipversion=4,password={PASSWORD}");
    let client = thread::spawn(move || premote::run(&[&connection, "info"]));
    let _server = Server::start_with(&["-t", &server]);
    assert_meets(client.join().expect("it ends"), &format!("tcp:port={port},clicon=127.0.0.1"));
}

#[test]
fn table_2_3_and_3_2_com_with_everything_that_both_sides_admit() {
    let line = Line::new(115_200, Faults::default());
    let served = line.served(7, &format!(",hidden,password={PASSWORD}"));
    let _server = Server::start_with(&["-t", &served, "-t", "tcp:port=0,bind=127.0.0.1,hidden"]);
    assert_meets(
        premote::run(&[&line.called(7, &format!(",password={PASSWORD}")), "info"]),
        "baud=115200,channel=7,hidden",
    );
}

/// A store with a certificate for the server and one for the client, and what a client says of both.
fn certificates() -> (Certificates, String) {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    certificates.sign("ann", "clientAuth", 30);
    let more = format!("certuser=ann,cafile={},password={PASSWORD}", certificates.path("ca.crt").display());
    (certificates, more)
}

#[test]
fn table_2_3_and_3_2_spipe_with_everything_that_both_sides_admit() {
    let (certificates, more) = certificates();
    let transport = format!("spipe:proto=tls1,certuser=app,pipe=app,hidden,password={PASSWORD} -t tcp:port=0,hidden");
    let _server = certificates.serve(&transport);
    let connection = format!("spipe:proto=tls1,server=localhost,pipe=app,{more}");
    assert_meets(certificates.run(&[&connection, "info"]), "spipe:proto=tls1,certuser=app,pipe=app,hidden");
}

#[test]
fn table_2_3_and_3_2_ssl_with_everything_that_both_sides_admit() {
    let (certificates, more) = certificates();
    let server = certificates.serve(&format!("ssl:proto=tls1,certuser=app,port=0,hidden,password={PASSWORD}"));
    let connection = format!("ssl:proto=tls1,server=localhost,port={},{more}", server.port());
    let listed = format!("ssl:proto=tls1,certuser=app,port={},hidden", server.port());
    assert_meets(certificates.run(&[&connection, "info"]), &listed);
}

#[test]
fn table_2_3_and_3_2_ssl_reverse_with_everything_that_both_sides_admit() {
    let (certificates, more) = certificates();
    let reserved = Reserved::new();
    let port = reserved.port();
    let call = format!("ssl:proto=tls1,certuser=app,port={port},clicon=127.0.0.1,password={PASSWORD}");
    let _server = certificates.serve(&format!("{call} -t tcp:port=0,hidden"));
    let connection = format!("ssl:proto=tls1,clicon=localhost,port={port},{more}");
    let listed = format!("ssl:proto=tls1,certuser=app,port={port},clicon=127.0.0.1");
    assert_meets(certificates.run(&[&connection, "info"]), &listed);
}

#[tokio::test]
async fn table_3_2_gdb_is_a_gdbserver_which_is_no_process_server() {
    let server = Server::start_as(Kind::Gdbserver);
    let text = format!("gdb:server=127.0.0.1,port={},threadEvents=true", server.port());
    let Ok(ClientOptions::Gdb(options)) = text.parse() else { panic!("a good connection string") };
    let mut stream = connect_gdbserver(&options).await.expect("it is there");
    stream.write_all(b"$?#3f").await.expect("it reads");
    let mut reply = [0; 5];
    stream.read_exact(&mut reply).await.expect("it answers");
    assert_eq!(reply, *b"+$W00");
    let outcome = tokio::task::spawn_blocking(move || premote::run(&[&text, "ps"])).await.expect("it ends");
    assert!(outcome.status == 2 && outcome.stderr.contains("gdbserver"), "{outcome:?}");
}
