//! The examples of `docs/guide.md` and `docs/premote.md`, for each transport and each direction: the documents' own lines, run
//! on two machines that are network namespaces. What a reader replaces by names of his own is replaced here, too; a line that
//! is changed there is run as changed, and one that is gone fails its test.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::far::{Far, said};
use dbgsrv_tests::guide::{PASSWORD, Stage, line};
use dbgsrv_tests::line::{Faults, Line};
use dbgsrv_tests::network::{FAR, NEAR};
use dbgsrv_tests::premote::Outcome;
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::server::Server;

const GUIDE: &str = include_str!("../../docs/guide.md");
const PREMOTE: &str = include_str!("../../docs/premote.md");

/// What gdb is told that an example starts with `./app`.
const SESSION: &str = "\
set confirm off
set remote exec-file ./app
break square
run
continue
";

#[track_caller]
fn assert_debugs(outcome: &Outcome) {
    assert!(outcome.stdout.contains("Breakpoint 1, square (x=6)"), "{outcome:#?}");
    assert!(outcome.stdout.contains("exited with code 03]"), "{outcome:#?}");
}

#[track_caller]
fn assert_lists(outcome: Outcome) {
    let listed = outcome.success();
    assert!(listed.contains("dbgsrv"), "{listed}");
}

#[test]
fn tcp_on_one_machine() {
    let Some(stage) = Stage::new() else { return };
    let _server = stage.serve(&line(GUIDE, "Starting the server", "dbgsrv -t tcp:"));
    let connect = line(GUIDE, "Connecting from gdb", "target extended-remote localhost:");
    assert_debugs(&stage.run(true, "gdb -q ./app", &format!("{connect}\n{SESSION}")));
    let refused = stage.meant(&line(GUIDE, "Who may connect", "target extended-remote target-machine:"));
    let outcome = stage.run(false, "gdb -q", &refused);
    let answer = line(GUIDE, "Who may connect", "warning: Remote failure reply:");
    assert!((outcome.stdout.clone() + &outcome.stderr).contains(&answer), "{outcome:#?}");
}

#[test]
fn tcp_from_another_machine_with_a_password_from_the_terminal() {
    let Some(stage) = Stage::new() else { return };
    let _server = stage.serve(&line(GUIDE, "Who may connect", "dbgsrv -t tcp:port=5005,password-file="));
    let client = line(GUIDE, "Who may connect", "premote tcp:server=target-machine,port=5005 gdb");
    let mut command = stage.command(false, &format!("exec script -qec '{client}' /dev/null"));
    let mut terminal = Owned::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut keyboard = terminal.child().stdin.take().expect("it is piped");
    let mut screen = terminal.child().stdout.take().expect("it is piped");
    let mut shown = String::new();
    let mut wait_for = |text: &str| {
        while !shown.contains(text) {
            let mut byte = [0];
            screen.read_exact(&mut byte).unwrap_or_else(|_| panic!("no {text:?} in: {shown}"));
            shown.push(byte[0].into());
        }
    };
    wait_for("Password of");
    keyboard.write_all(format!("{PASSWORD}\r").as_bytes()).expect("script reads");
    wait_for("(gdb)");
    keyboard.write_all(SESSION.replace('\n', "\r").as_bytes()).expect("script reads");
    wait_for("exited with code 03]");
}

#[test]
fn tcp_from_another_machine_that_is_open_to_all() {
    let Some(stage) = Stage::new() else { return };
    let _server = stage.serve(&line(GUIDE, "Who may connect", "dbgsrv -t tcp:port=5005,open"));
    let connect = stage.meant(&line(GUIDE, "Who may connect", "target extended-remote target-machine:"));
    assert_debugs(&stage.run(false, "gdb -q ./app", &format!("{connect}\n{SESSION}")));
}

#[test]
fn npipe() {
    let Some(stage) = Stage::new() else { return };
    let serve = line(GUIDE, "Named pipes", "dbgsrv -t npipe:");
    let server = stage.serve(&serve);
    let listening = stage.meant(&line(GUIDE, "Named pipes", "dbgsrv 0.1.0: listening"));
    assert_eq!(server.said(), listening.replace("this user's clients and root's", "root's clients"));
    assert_debugs(&stage.run(true, &line(GUIDE, "Named pipes", "gdb -ex"), SESSION));
    assert_lists(stage.run(true, &line(GUIDE, "Named pipes", "premote npipe:server=localhost,pipe=app ps"), ""));
    let taken = stage.run(true, &serve, "").failure(1);
    assert_eq!(taken.trim_end(), stage.meant(&line(GUIDE, "Named pipes", "error: the pipe")));
}

#[test]
fn npipe_by_process_id() {
    let Some(mut stage) = Stage::new() else { return };
    let _server = stage.serve(&line(GUIDE, "Named pipes", "dbgsrv -t npipe:"));
    let target = Beats::start(1);
    stage.name("-p 1234", &format!("-p {}", target.pid()));
    let client = line(GUIDE, "Named pipes", "premote npipe:server=localhost,pipe=app gdb");
    let outcome = stage.run(true, &client, "info inferiors\n");
    assert!(outcome.stdout.contains(&format!("process {}", target.pid())), "{outcome:#?}");
    target.shared.assert_goes_on();
}

/// A line between the two, and a server on it.
fn over_a_line() -> Option<(Stage, Line)> {
    let mut stage = Stage::new()?;
    let line = Line::new(115_200, Faults::default());
    stage.name("COM2", &line.server_port().display().to_string());
    stage.name("/dev/ttyUSB0", &line.client_port().display().to_string());
    Some((stage, line))
}

#[test]
fn com() {
    let Some((stage, _line)) = over_a_line() else { return };
    let serve = line(GUIDE, "Serial lines", "dbgsrv -t com:");
    let server = stage.serve(&serve);
    let listening = line(GUIDE, "Serial lines", "dbgsrv 0.1.0: listening").replace("/dev/ttyS1", "COM2");
    assert_eq!(server.said(), stage.meant(&listening));
    let taken = stage.run(true, &serve, "").failure(1);
    assert_eq!(taken.trim_end(), stage.meant(&line(GUIDE, "Serial lines", "error: channel 3")));
    assert_lists(stage.run(
        false,
        &line(GUIDE, "Serial lines", "premote com:port=/dev/ttyUSB0,baud=115200,channel=3 ps"),
        "",
    ));
    let client = line(GUIDE, "Serial lines", "premote com:port=/dev/ttyUSB0,baud=115200,channel=3 gdb");
    assert_debugs(&stage.run(false, &client, &format!("set sysroot\n{SESSION}")));
}

#[test]
fn com_with_a_gdb_straight_on_the_line() {
    let Some((stage, _line)) = over_a_line() else { return };
    let _server = stage.serve(&line(GUIDE, "Serial lines", "dbgsrv -t com:"));
    let client = line(GUIDE, "Serial lines", "gdb -b").replace("gdb -b", "gdb -iex 'set sysroot' -b");
    assert_debugs(&stage.run(false, &client, SESSION));
}

/// Makes the guide's certificate, whose thumbprint stands for the guide's from then on.
fn with_certificate() -> Option<Stage> {
    let mut stage = Stage::new()?;
    let made = stage.run(true, &line(GUIDE, "TLS", "premote cert new"), "").success();
    let thumbprint = made.lines().find_map(|line| line.strip_prefix("SHA-256:")).expect("it is told").trim();
    stage.name("SHA256", thumbprint);
    Some(stage)
}

#[test]
fn ssl() {
    let Some(stage) = with_certificate() else { return };
    let _server = stage.serve(&line(GUIDE, "TLS", "dbgsrv -t ssl:proto=tls1,certuser=app"));
    let client = line(GUIDE, "TLS", "premote ssl:proto=tls1,server=target-machine,port=5005,thumbprint=SHA256 ps");
    let client = client.replace(" ps", ",password-file=/etc/dbgsrv.password ps");
    assert_lists(stage.run(false, &client, ""));
}

#[test]
fn ssl_without_the_certificate() {
    let Some(stage) = Stage::new() else { return };
    let _ = stage.run(true, "premote cert new --name other", "").success();
    let error = stage.run(true, &line(GUIDE, "TLS", "dbgsrv -t ssl:"), "").stderr;
    let told = stage.meant(&line(GUIDE, "TLS", "error: -t: parameter `certuser`"));
    assert_eq!(error.lines().next(), Some(told.as_str()));
}

#[test]
fn ssl_for_a_gdb_that_has_tls_by_another_program() {
    let Some(stage) = with_certificate() else { return };
    let server = line(GUIDE, "TLS", "dbgsrv -t ssl:").replace(",password-file=/etc/dbgsrv.password", "");
    let _server = stage.serve(&server);
    for client in
        ["gdb -ex 'target extended-remote | premote ssl:", "gdb -ex 'target extended-remote | openssl s_client"]
    {
        let client = line(GUIDE, "TLS", client).replace("gdb -ex", "gdb ./app -ex");
        assert_debugs(&stage.run(true, &client, SESSION));
    }
}

#[test]
fn spipe() {
    let Some(stage) = with_certificate() else { return };
    let _server = stage.serve(&line(GUIDE, "TLS", "dbgsrv -t spipe:"));
    assert_lists(stage.run(true, &line(GUIDE, "TLS", "premote spipe:"), ""));
    // The second of its kind is the pipe's.
    let pipe = GUIDE.lines().find(|line| line.contains("s_client") && line.contains("-unix")).expect("there is one");
    assert_debugs(&stage.run(true, &pipe.replace("gdb -ex", "gdb ./app -ex"), SESSION));
}

/// Runs a client that waits, with what it is told, until the server has called it.
fn called(stage: &Stage, client: &str, input: &str, server: &str) -> (Outcome, i32) {
    thread::scope(|scope| {
        let client = scope.spawn(|| stage.run(false, client, input));
        let mut server = stage.serve(server);
        (client.join().expect("it ends"), server.process().wait())
    })
}

#[test]
fn tcp_reverse() {
    let Some(stage) = Stage::new() else { return };
    let server = line(GUIDE, "Reverse connections", "dbgsrv -t tcp:");
    let client = line(GUIDE, "Reverse connections", "premote tcp:clicon=");
    let (outcome, status) = called(&stage, &client, SESSION, &server);
    assert_debugs(&outcome);
    assert_eq!(status, 3);
    let waiting = stage.meant(&line(GUIDE, "Reverse connections", "premote: waiting at"));
    assert!(outcome.stderr.contains(&waiting), "{outcome:#?}");
}

#[test]
fn tcp_reverse_to_a_stock_gdb() {
    let Some(stage) = Stage::new() else { return };
    let server = line(GUIDE, "Reverse connections", "dbgsrv -t tcp:");
    let (outcome, status) = called(&stage, &line(GUIDE, "Reverse connections", "gdb -ex"), SESSION, &server);
    assert_debugs(&outcome);
    assert_eq!(status, 3);
}

#[test]
fn ssl_reverse() {
    let Some(stage) = with_certificate() else { return };
    let client = line(GUIDE, "TLS", "premote ssl:proto=tls1,clicon=");
    let server = line(GUIDE, "TLS", "dbgsrv -t ssl:proto=tls1,certuser=app,port=5005,clicon=");
    let (outcome, _) = called(&stage, &client, &format!("file app\n{SESSION}"), &server);
    assert_debugs(&outcome);
}

#[test]
fn relay_between_ports() {
    let Some(mut stage) = Stage::new() else { return };
    let target = Beats::start(1);
    stage.name("server=third", "server=localhost");
    stage.name("-p 815", &format!("-p {}", target.pid()));
    // One that encrypts, since it leaves the machine.
    let _server = stage.serve(&line(GUIDE, "Who may connect", "dbgsrv -t tcp:port=5005,open"));
    let relay = stage.start(false, &line(PREMOTE, "Relays", "premote relay -c tcp:server="));
    assert!(relay.said().contains("listening on tcp port 5006"), "{}", relay.said());
    let client = line(PREMOTE, "Relays", "premote tcp:server=third,port=5006 gdb");
    let outcome = stage.run(false, &client, "info inferiors\n");
    assert!(outcome.stdout.contains(&format!("process {}", target.pid())), "{outcome:#?}");
    target.shared.assert_goes_on();
}

#[test]
fn relay_from_a_pipe_to_a_network() {
    let Some(stage) = Stage::new() else { return };
    let _server = stage.serve(&format!("dbgsrv -t npipe:pipe=app,password={PASSWORD}"));
    let relay = stage.start(true, &line(PREMOTE, "Relays", "premote relay -p -c npipe:"));
    assert!(relay.said().contains("listening on tcp port 5006"), "{}", relay.said());
    let client = format!("premote tcp:server={FAR},port=5006,password={PASSWORD} ps");
    assert_lists(stage.run(false, &client, ""));
}

#[test]
fn relay_that_is_called_and_calls() {
    let Some(mut stage) = Stage::new() else { return };
    // The client is on the third machine.
    stage.name("clicon=desk", "clicon=localhost");
    stage.name("clicon=third", &format!("clicon={NEAR}"));
    stage.name("clicon=third,port=1033", "clicon=localhost,port=1033");
    let client = line(PREMOTE, "Relays", "premote tcp:clicon=third,port=1033 gdb");
    let outcome = thread::scope(|scope| {
        let client = scope.spawn(|| stage.run(false, &client, SESSION));
        let relay = stage.start(false, &line(PREMOTE, "Relays", "premote relay -c tcp:clicon="));
        assert!(relay.said().contains("calling tcp port 1033"), "{}", relay.said());
        let _server = stage.serve(&line(PREMOTE, "Relays", "dbgsrv -t tcp:port=1025,clicon="));
        client.join().expect("it ends")
    });
    assert_debugs(&outcome);
}

#[test]
fn relay_from_a_line() {
    let Some((mut stage, line_of_both)) = over_a_line() else { return };
    let _server = stage.serve(&format!("dbgsrv -t {}", line_of_both.served(3, "")));
    stage.name("COM2", &line_of_both.client_port().display().to_string());
    let relay = stage.start(false, &line(PREMOTE, "Relays", "premote relay -p -c com:"));
    assert!(relay.said().contains("listening on tcp port 5006"), "{}", relay.said());
    assert_lists(stage.run(false, "premote tcp:server=localhost,port=5006 ps", ""));
}

#[test]
fn relay_to_a_line() {
    let Some((stage, line_of_both)) = over_a_line() else { return };
    let _server = stage.serve(&line(GUIDE, "Who may connect", "dbgsrv -t tcp:port=5005,open"));
    let _relay = stage.start(false, &line(PREMOTE, "Relays", "premote relay -p -c tcp:server=box17"));
    assert_lists(stage.run(false, &format!("premote {} ps", line_of_both.called(3, "")), ""));
}

#[test]
fn pipes_of_other_machines() {
    let Some(far) = Far::start() else { return };
    let name = format!("guide-{}", std::process::id());
    let _server = Server::start_with(&["-t", &format!("npipe:pipe={name}"), "-t", "tcp:port=0,bind=127.0.0.1,hidden"]);
    let target = Beats::start(1);
    let user = said(Command::new("id").arg("-un")).expect("everybody has a name");
    let words = |line: String| {
        let line = line
            .replace("box17", "far")
            .replace("ann@", &format!("{user}@"))
            .replace("pipe=app", &format!("pipe={name}"));
        line.replace("-p 815", &format!("-p {}", target.pid()))
            .split(' ')
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let run = |line: String| far.run(&words(line).iter().map(String::as_str).collect::<Vec<_>>());
    assert_lists(run(line(PREMOTE, "Pipes of other machines", "premote npipe:server=box17,pipe=app ps")));
    let outcome = run(line(PREMOTE, "Pipes of other machines", "premote npipe:server=ann@box17,pipe=app gdb"));
    assert!(outcome.status == 0 && outcome.stdout.contains("Remote debugging using"), "{outcome:#?}");
    target.shared.assert_goes_on();
}

#[test]
fn servers_are_found() {
    let Some(stage) = Stage::new() else { return };
    let _server = stage.serve(&line(GUIDE, "Named pipes", "dbgsrv -t npipe:"));
    let list = stage.run(true, &line(GUIDE, "Finding servers", "premote -QR"), "").success();
    let listed =
        ["Servers on ", "Remote Process Server - npipe:"].map(|beginning| line(GUIDE, "Finding servers", beginning));
    assert_eq!(list.trim_end().lines().collect::<Vec<_>>(), listed);
}

#[test]
fn programs_of_the_command_line() {
    const HEADING: &str = "Programs of the server's command line";
    let Some(mut stage) = Stage::new() else { return };
    stage.name("server=target-machine", "server=localhost");
    let server = stage.serve(&line(GUIDE, HEADING, "dbgsrv -t tcp:port=5005 -cs"));
    assert_eq!(server.said(), line(GUIDE, HEADING, "dbgsrv 0.1.0: listening"));
    let started = server.line();
    let (_, advice) = started.split_once("debug it with: ").expect("it gives advice");
    let pid = advice.rsplit(' ').next().expect("a split text has a last part");
    assert_eq!(started, line(GUIDE, HEADING, "dbgsrv 0.1.0: started process").replace("4711", pid));
    let outcome = stage.run(true, advice, "");
    assert!(outcome.stdout.contains("exited with code 03]"), "{outcome:#?}");
    drop(server);
    let _server = stage.serve(&line(GUIDE, HEADING, "dbgsrv -t tcp:port=5005 -pc"));
    let outcome =
        stage.run(true, &line(GUIDE, HEADING, "premote tcp:server=target-machine,port=5005 gdb -cimp"), "continue\n");
    assert!(
        outcome.stdout.contains("Breakpoint 1, main") && outcome.stdout.contains("exited with code 03]"),
        "{outcome:#?}"
    );
}

#[test]
fn a_port_is_opened_in_the_firewall_and_closed_by_hand() {
    const HEADING: &str = "Through the firewall";
    let Some(mut stage) = Stage::new() else { return };
    // Those that this machine has are not the target's.
    for (tool, script) in [("ufw", "echo 'Status: inactive'"), ("firewall-cmd", "exit 252")] {
        let path = stage.programs().join(tool);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("there is room for files");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let chain =
        "nft 'add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }'";
    let _ = stage.run(true, chain, "").success();
    // As if somebody had the first port of the range.
    stage.name("port=5005:5010", "port=5006:5010");
    let server = stage.serve(&line(GUIDE, HEADING, "dbgsrv -t tcp:port=5005:5010"));
    assert_eq!(server.line(), line(GUIDE, HEADING, "dbgsrv 0.1.0: opened"));
    let rules = stage.run(true, &line(GUIDE, HEADING, "nft -a list chain"), "").success();
    let opened = rules.lines().find(|rule| rule.contains("opened by dbgsrv")).expect("there is the rule");
    let (_, handle) = opened.split_once("# handle ").expect("nft was asked for it");
    stage.name("handle 7", &format!("handle {handle}"));
    let _ = stage.run(true, &line(GUIDE, HEADING, "nft delete rule"), "").success();
    assert!(!stage.run(true, "nft list ruleset", "").success().contains("5006"));
}

#[test]
fn ssl_with_certificates_on_both_sides() {
    let Some(mut stage) = Stage::new() else { return };
    let target = Beats::start(1);
    for name in ["app", "ann"] {
        let _ = stage.run(true, &format!("premote cert new --name {name} --host {FAR}"), "").success();
    }
    // The machine's store is in /etc, which is not ours to write to.
    stage.name("machuser", "certuser");
    stage.name("/etc/dbgsrv/clients.pem", ".config/dbgsrv/certificates/ann.pem");
    stage.name("authority.pem", ".config/dbgsrv/certificates/app.pem");
    stage.name("-p 1234", &format!("-p {}", target.pid()));
    let _server = stage.serve(&line(GUIDE, "TLS", "dbgsrv -t ssl:proto=tls1,machuser="));
    let client = line(GUIDE, "TLS", "premote ssl:proto=tls1,certuser=ann");
    let outcome = stage.run(false, &client, "info inferiors\n");
    assert!(outcome.stdout.contains(&format!("process {}", target.pid())), "{outcome:#?}");
    target.shared.assert_goes_on();
}
