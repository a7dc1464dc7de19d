//! The transports `ssl` and `spipe`, with gdb, premote and openssl at the other end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use dbgsrv_protocol::session::PREFACE;
use dbgsrv_tests::certificates::{Certificates, openssl};
use dbgsrv_tests::gdb::{self, Transcript};
use dbgsrv_tests::listening::Listening;
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::relay::Relay;
use dbgsrv_tests::reserved::Reserved;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::{premote, program, wait_until};

const PASSWORD: &str = "Sesame-17";
/// What a server says of itself that is reached over TLS.
const SECURED: &str = "TLS";
/// A client's connection failed.
const NO_CONNECTION: i32 = 255;

/// A server on a port, with a certificate of its authority.
fn ssl(more: &str) -> (Certificates, Server) {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    let server = certificates.serve(&format!("ssl:proto=tls1,certuser=app,port=0{more}"));
    (certificates, server)
}

/// What `premote` takes that trusts the authority.
fn connection(certificates: &Certificates, server: &Server, more: &str) -> String {
    let authority = certificates.path("ca.crt");
    format!("ssl:proto=tls1,server=localhost,port={},cafile={}{more}", server.port(), authority.display())
}

/// The error of a client that is not let in.
fn refusal(certificates: &Certificates, connection: &str) -> String {
    certificates.run(&[connection, "info"]).failure(NO_CONNECTION)
}

/// Has gdb run a whole program through what `target extended-remote` takes.
fn debug(mut debugger: Command, target: &str) -> Transcript {
    let program = program::path("basics");
    debugger.arg(&program);
    let commands = [
        format!("target extended-remote {target}"),
        format!("set remote exec-file {}", program.display()),
        "break square".into(),
        "run".into(),
        "continue".into(),
    ];
    gdb::finish(debugger, &commands)
}

#[track_caller]
fn assert_debugs(transcript: &Transcript) {
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

fn s_client(more: &str) -> String {
    // By itself it would neither end with gdb nor leave letters at the beginning of what gdb sends alone.
    format!("| openssl s_client -quiet -no_ign_eof -nocommands {more} 2>/dev/null")
}

#[test]
fn gdb_debugs_over_ssl_through_openssls_s_client_in_both_versions() {
    let (certificates, server) = ssl("");
    let authority = certificates.path("ca.crt");
    for version in ["-tls1_2", "-tls1_3"] {
        let check = format!("-verify_return_error -verify_hostname localhost -CAfile {}", authority.display());
        let target = s_client(&format!("{version} {check} -connect localhost:{}", server.port()));
        assert_debugs(&debug(gdb::command(&["-batch"]), &target));
    }
    wait_until("the workers are gone", || server.workers().is_empty());
}

#[test]
fn gdb_debugs_over_ssl_as_the_server_says() {
    let certificates = Certificates::new();
    let made = certificates.run(&["cert", "new", "--name", "app"]).success();
    assert!(made.contains("server:") && made.contains("dbgsrv -t ssl:proto=tls1,certuser=app,port=5005"), "{made}");
    let server = certificates.serve("ssl:proto=tls1,certuser=app,port=0");
    server.assert_logs("connect with: gdb");
    let log = server.log();
    let (_, advice) = log.split_once("connect with: gdb -ex 'target extended-remote ").expect("it gives advice");
    let target = advice.split_once('\'').expect("it is quoted").0;
    assert!(target.starts_with("| premote ssl:proto=tls1,thumbprint="), "{target}");
    let target = target.replace("premote", premote::path().to_str().expect("the target directory has a plain name"));
    let mut debugger = gdb::command(&["-batch"]);
    debugger.env_remove("DBGSRV_CONNECTION");
    assert_debugs(&debug(debugger, &target));
}

#[test]
fn premote_starts_gdb_over_ssl_and_seals_nothing_twice() {
    let (certificates, server) = ssl("");
    let connection = connection(&certificates, &server, "");
    let info = certificates.run(&[&connection, "info"]).success();
    assert!(info.contains(SECURED) && info.contains("ssl:proto=tls1,certuser=app,port="), "{info}");
    let program = program::path("basics");
    let exec_file = format!("set remote exec-file {}", program.display());
    let gdb = ["gdb", "--", "-nx", "-nh", "-q", "-batch", program.to_str().expect("a plain name"), "-ex", &exec_file];
    let commands = ["-ex", "break square", "-ex", "run", "-ex", "continue"];
    let outcome = certificates.run(&[&[connection.as_str()], &gdb[..], &commands[..]].concat());
    assert_debugs(&Transcript(outcome.stdout + &outcome.stderr));
}

#[test]
fn gdb_debugs_over_spipe_through_s_client_and_through_premote() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    let server = certificates.serve("spipe:proto=tls1,certuser=app,pipe=app -t tcp:port=0");
    server.assert_logs("listening on spipe app (");
    let log = server.log();
    let (_, rest) = log.split_once("listening on spipe app (").expect("just seen");
    let path = rest.split_once(')').expect("its path is in brackets").0;
    assert_debugs(&debug(gdb::command(&["-batch"]), &s_client(&format!("-unix {path}"))));
    let authority = certificates.path("ca.crt");
    let connection = format!("spipe:proto=tls1,server=.,pipe=app,cafile={}", authority.display());
    let info = certificates.run(&[&connection, "info"]).success();
    assert!(info.contains(SECURED) && info.contains("spipe:proto=tls1,certuser=app,pipe=app"), "{info}");
    let program = program::path("basics");
    let exec_file = format!("set remote exec-file {}", program.display());
    let gdb = ["gdb", "--", "-nx", "-nh", "-q", "-batch", "-ex", &exec_file, "-ex", "run"];
    let outcome = certificates.run(&[&[connection.as_str()], &gdb[..]].concat());
    assert!(outcome.stdout.contains("exited with code 03]"), "{outcome:#?}");
}

#[test]
fn a_server_is_refused_that_has_another_thumbprint_authority_or_name() {
    let (certificates, server) = ssl("");
    let at = |host: &str, more: &str| format!("ssl:proto=tls1,server={host},port={},{more}", server.port());
    let pin = certificates.thumbprint("app");
    assert!(certificates.run(&[&at("127.0.0.1", &format!("thumbprint={pin}")), "info"]).success().contains(SECURED));
    let wrong = at("localhost", &format!("thumbprint={}", "ab".repeat(32)));
    assert!(
        refusal(&certificates, &wrong)
            .contains(&format!("it has the thumbprint {}", pin.replace(':', "").to_lowercase()))
    );
    let other = Certificates::new();
    let authority = |certificates: &Certificates| format!("cafile={}", certificates.path("ca.crt").display());
    let error = refusal(&certificates, &at("localhost", &authority(&other)));
    assert!(error.contains("allowed: cafile=PATH with its authority, or thumbprint=DIGITS"), "{error}");
    let error = refusal(&certificates, &at("127.0.0.1", &authority(&certificates)));
    assert!(error.contains("not valid for"), "{error}");
    let error = refusal(&certificates, &at("localhost", "password=x").replace(",password=x", ""));
    assert!(error.contains("allowed: cafile=PATH"), "the system's authorities: {error}");
    server.assert_logs("the client gave up");
    assert!(!server.log().contains("session started"), "{}", server.log());
}

#[test]
fn table_3_3_certuser_is_shown_to_a_server_that_lets_in_whom_its_authority_has_signed() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    certificates.sign("ann", "clientAuth", 30);
    let authority = certificates.path("ca.crt");
    let server = certificates.serve(&format!("ssl:proto=tls1,certuser=app,port=0,clientca={}", authority.display()));
    server.assert_logs("for clients with a certificate of its authority");
    assert!(
        certificates.run(&[&connection(&certificates, &server, ",certuser=ann"), "info"]).success().contains(SECURED)
    );
    server.assert_logs("client=\"ann\"");
    let none = refusal(&certificates, &connection(&certificates, &server, ""));
    assert!(none.contains("it wants a certificate; allowed: certuser=NAME or machuser=NAME"), "{none}");
    server.assert_logs("the client shows no certificate");
    let stranger = Certificates::new();
    stranger.sign("eve", "clientAuth", 30);
    let refused = refusal(&stranger, &connection(&certificates, &server, ",certuser=eve"));
    assert!(refused.contains("it does not take this side's certificate"), "{refused}");
    let store = certificates.store();
    let shown = format!("-cert {0}/ann.crt -key {0}/ann.key", store.display());
    let target = s_client(&format!("{shown} -connect localhost:{}", server.port()));
    assert_debugs(&debug(gdb::command(&["-batch"]), &target));
}

#[test]
fn a_certificate_that_nobody_asks_for_does_no_harm() {
    let (certificates, server) = ssl("");
    assert!(
        certificates.run(&[&connection(&certificates, &server, ",certuser=app"), "info"]).success().contains(SECURED)
    );
}

#[test]
fn table_3_3_proto_of_both_sides_meets_or_both_say_that_it_does_not() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    for (own, other) in [("tls1.2", "tls1.3"), ("tls1.3", "tls1.2")] {
        let server = certificates.serve(&format!("ssl:proto={own},certuser=app,port=0"));
        let at = |proto: &str| connection(&certificates, &server, "").replace("proto=tls1", &format!("proto={proto}"));
        for proto in [own, "tls1"] {
            assert!(certificates.run(&[&at(proto), "info"]).success().contains(SECURED));
        }
        let error = refusal(&certificates, &at(other));
        assert!(error.contains("no version of TLS is spoken by both sides"), "{error}");
        let flag = format!("-{}", other.replace('.', "_"));
        let address = format!("localhost:{}", server.port());
        let output = openssl(&["s_client", &flag, "-connect", &address]).output().expect("openssl is there");
        assert!(!output.status.success(), "{own} {other}");
    }
}

#[test]
fn openssls_s_server_reads_what_premote_says_first() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    for version in ["-tls1_2", "-tls1_3"] {
        let reserved = Reserved::new();
        let mut command = openssl(&["s_server", "-quiet", version, "-accept", &reserved.port().to_string()]);
        let file = |extension: &str| certificates.store().join(format!("app.{extension}"));
        command.arg("-cert").arg(file("crt")).arg("-key").arg(file("key"));
        let mut server = Owned::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut output = server.child().stdout.take().expect("it is piped");
        let authority = certificates.path("ca.crt");
        let connection =
            format!("ssl:proto=tls1,server=localhost,port={},cafile={}", reserved.port(), authority.display());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let mut first = [0; 8];
            let _ = output.read_exact(&mut first).map(|()| sender.send(first));
        });
        let mut premote = None;
        // It is refused until s_server listens, and waits for an answer afterwards.
        wait_until("premote has a connection", || {
            let running = premote
                .as_mut()
                .is_some_and(|premote: &mut Owned| premote.child().try_wait().is_ok_and(|end| end.is_none()));
            if !running {
                premote = Some(Owned::spawn(certificates.premote(&[&connection, "ps"]).stderr(Stdio::null())));
            }
            said.try_recv().is_ok_and(|first| first == PREFACE)
        });
    }
}

#[test]
fn a_password_is_wanted_inside_tls_too() {
    let (certificates, server) = ssl(&format!(",password={PASSWORD}"));
    let with = |password: &str| connection(&certificates, &server, &format!(",password={password}"));
    let info = certificates.run(&[&with(PASSWORD), "info"]).success();
    assert!(info.contains(SECURED) && info.contains("password=***"), "{info}");
    assert!(refusal(&certificates, &with("wrong")).contains("wrong password"));
    let transcript =
        gdb::batch(&[format!("target extended-remote {}", s_client(&format!("-connect localhost:{}", server.port())))]);
    transcript.assert_has("premote ssl:proto=tls1,server=HOST,port=PORT gdb");
}

#[test]
fn clients_that_are_slow_in_their_handshake_hold_up_nobody() {
    let (certificates, server) = ssl("");
    let slow: Vec<_> = (0..100)
        .map(|number| {
            let mut stream = TcpStream::connect(("localhost", server.port())).expect("the server listens");
            // Half of a record's header, or nothing at all.
            if number % 2 == 0 {
                stream.write_all(b"\x16\x03").expect("the server reads");
            }
            stream
        })
        .collect();
    assert!(certificates.run(&[&connection(&certificates, &server, ""), "info"]).success().contains(SECURED));
    drop(slow);
}

#[test]
fn table_2_8_transports_that_differ_by_tls_make_no_session_and_both_sides_say_so() {
    let (certificates, server) = ssl("");
    let transcript = gdb::batch(&[format!("target extended-remote localhost:{}", server.port())]);
    transcript.assert_has("this server speaks TLS, which a debugger cannot by itself");
    transcript.assert_has("start it with: premote ssl:proto=tls1,server=HOST,port=PORT gdb");
    server.assert_logs("this server speaks TLS");
    let plain = format!("tcp:server=localhost,port={}", server.port());
    assert!(certificates.run(&[&plain, "info"]).failure(NO_CONNECTION).contains("this server speaks TLS"));
    assert!(certificates.run(&[&connection(&certificates, &server, ""), "info"]).success().contains(SECURED));
}

#[test]
fn a_session_over_tls_comes_back_after_each_cut() {
    let (certificates, server) = ssl("");
    let relay = Relay::to(server.port());
    let pin = certificates.thumbprint("app").replace(':', "");
    let premote = Listening::on(&format!("ssl:proto=tls1,server=localhost,port={},thumbprint={pin}", relay.port()));
    relay.cut_every(20_000, 5);
    let program = program::path("loops");
    let commands = [
        format!("file {}", program.display()),
        format!("target extended-remote localhost:{}", premote.port()),
        format!("set remote exec-file {}", program.display()),
        "break main".to_owned(),
        "run".to_owned(),
        "stepi 1000".to_owned(),
        "info registers rip".to_owned(),
        "kill".to_owned(),
    ];
    let transcript = gdb::batch(&commands);
    assert_eq!(relay.cuts_left(), 0, "{}", transcript.0);
    transcript.assert_has("rip ");
    transcript.assert_has("killed]");
}

#[test]
fn table_3_2_ssl_reverse_calls_a_client_that_waits_for_it() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    let reserved = Reserved::new();
    let call = format!("ssl:proto=tls1,certuser=app,port={},clicon=127.0.0.1 -t tcp:port=0", reserved.port());
    let _server = certificates.serve(&call);
    let authority = certificates.path("ca.crt");
    let at =
        |server: &str, port: u16| format!("ssl:proto=tls1,clicon={server},port={port},cafile={}", authority.display());
    let info = certificates.run(&[&at("localhost", reserved.port()), "info"]).success();
    assert!(info.contains(SECURED) && info.contains("clicon=127.0.0.1"), "{info}");
}
