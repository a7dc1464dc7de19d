//! The transport `com`: real debuggers over lines that are shared, bad, and taken over. The tests that have a table in their
//! names stand for rows of the reference.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use dbgsrv_tests::gdb::{self, SETTINGS, Transcript};
use dbgsrv_tests::line::{Faults, Line};
use dbgsrv_tests::listening::Listening;
use dbgsrv_tests::server::{Server, dbgsrv, refused, stand_in_lacks};
use dbgsrv_tests::{premote, program};
use nix::sys::signal::Signal;

const PASSWORD: &str = "Sesame-17";

/// A server on a channel. It listens on a port too, as the tests' support wants.
fn serve(line: &Line, channel: u8, more: &str) -> Server {
    Server::start_with(&["-t", &line.served(channel, more), "-t", "tcp:port=0"])
}

/// A run of `premote` over a channel.
fn at(connection: &str, arguments: &[&str]) -> premote::Outcome {
    let mut all = vec![connection];
    all.extend(arguments);
    premote::run(&all)
}

/// Has a gdb of `premote`'s run a whole program.
fn debug(connection: &str) -> Transcript {
    let program = program::path("basics");
    let exec_file = format!("set remote exec-file {}", program.display());
    let mut all = vec!["gdb", "--", "-nx", "-nh", "-q", "-batch", "-iex", "set sysroot"];
    all.extend(SETTINGS.iter().flat_map(|setting| ["-iex", setting]));
    let file = program.to_str().expect("programs have plain names");
    all.extend(["-ex", &exec_file, "-ex", "break square", "-ex", "run", "-ex", "continue", file]);
    let outcome = at(connection, &all);
    Transcript(outcome.stdout + &outcome.stderr)
}

fn assert_debugs(connection: &str) {
    let transcript = debug(connection);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

/// Has a gdb that is put straight on the line run a whole program.
fn debug_plainly(line: &Line) -> Transcript {
    let program = program::path("basics");
    let commands = [
        "set sysroot".into(),
        format!("file {}", program.display()),
        format!("target extended-remote {}", line.client_port().display()),
        format!("set remote exec-file {}", program.display()),
        "break square".into(),
        "run".into(),
        "continue".into(),
    ];
    gdb::finish(gdb::command(&["-batch", "-b", "115200"]), &commands)
}

fn assert_debugs_plainly(line: &Line) {
    let transcript = debug_plainly(line);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("exited with code 03]");
}

/// Whether the stand-in for the server is under test, which knows no channels.
fn is_stand_in() -> bool {
    stand_in_lacks("channels of a serial line")
}

#[test]
fn premote_lists_processes_and_starts_gdb_over_a_line() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(921_600, Faults::default());
    let server = serve(&line, 3, "");
    let listening = format!("listening on com {0} ({0}) channel 3 at 921600 baud", line.server_port().display());
    assert!(server.log().contains(&listening), "{}", server.log());
    let pid = server.pid().to_string();
    let table = at(&line.called(3, ""), &["ps"]).success();
    assert!(table.lines().any(|row| row.split_whitespace().next() == Some(&pid)), "{table}");
    assert_debugs(&line.called(3, ""));
}

#[test]
fn table_2_4_password_of_a_line_is_proved() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(115_200, Faults::default());
    let _server = serve(&line, 3, &format!(",password={PASSWORD}"));
    let password = format!(",password={PASSWORD}");
    assert!(at(&line.called(3, &password), &["info"]).success().contains("listening:"));
    assert!(at(&line.called(3, ",password=wrong"), &["info"]).failure(255).contains("password"));
    let refused = debug_plainly(&line);
    refused.assert_has("this server wants a password");
}

#[test]
fn table_2_4_channel_numbers_let_servers_and_clients_share_a_line() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(921_600, Faults::default());
    let servers = [serve(&line, 1, ""), serve(&line, 254, "")];
    thread::scope(|scope| {
        for channel in [1, 254] {
            let connection = line.called(channel, "");
            scope.spawn(move || assert_debugs(&connection));
        }
    });
    // A channel has one server, and a call to a channel without one is told so.
    let taken = Command::new(dbgsrv()).args(["-t", &line.served(254, "")]).stdin(Stdio::null()).output();
    let taken = taken.expect("the server starts and ends");
    assert_eq!(taken.status.code(), Some(1));
    let message = String::from_utf8_lossy(&taken.stderr);
    assert!(message.contains("channel 254") && message.contains("in use"), "{message}");
    let nobody = at(&line.called(9, ""), &["ps"]);
    assert!(nobody.stderr.contains("nobody has this channel"), "{nobody:#?}");
    drop(servers);
}

#[test]
fn table_2_4_port_of_a_line_is_a_number_with_or_without_com_or_a_device() {
    // No machine has so many.
    for port in ["COM200", "com200", "200", "/dev/ttyS199"] {
        let (status, error) = refused(&format!("com:port={port},baud=9600,channel=1"));
        assert!(status == 1 && error.contains("/dev/ttyS199"), "{port}: {error}");
    }
    for port in ["COM0", "257", "COMB", "ttyS0"] {
        let (status, error) = refused(&format!("com:port={port},baud=9600,channel=1"));
        assert!(status == 2 && error.contains("COM1 to COM256"), "{port}: {error}");
    }
}

#[test]
fn table_2_4_baud_is_any_rate_and_one_for_all_who_share_the_line() {
    for baud in [1200, 12_345, 4_000_000] {
        let line = Line::new(baud, Faults::default());
        let _server = serve(&line, 3, "");
        assert!(at(&line.called(3, ""), &["info"]).success().contains(&format!("baud={baud}")));
        let other = line.called(4, "").replace(&format!("baud={baud}"), "baud=9600");
        let _client = Listening::on(&line.called(3, ""));
        let error = at(&other, &["info"]).failure(255);
        assert!(error.contains(&baud.to_string()), "{error}");
    }
    assert_eq!(refused("com:port=COM1,baud=0,channel=1").0, 2);
}

#[test]
fn table_2_4_channel_is_0_to_254() {
    let line = Line::new(921_600, Faults::default());
    let _servers = [serve(&line, 0, ""), serve(&line, 254, "")];
    for channel in [0, 254] {
        assert!(at(&line.called(channel, ""), &["info"]).success().contains(&format!("channel={channel}")));
    }
    let (status, error) = refused(&line.served(255, ""));
    assert!(status == 2 && error.contains("0 to 254"), "{error}");
}

#[test]
fn table_2_4_hidden_lines_are_not_listed_and_the_others_are() {
    let line = Line::new(921_600, Faults::default());
    let _servers = [serve(&line, 1, ""), serve(&line, 2, ",hidden")];
    let list = premote::run(&["-QR", "localhost"]).success();
    let listed = |channel: u8| {
        let server = format!("com:Port={},Baud=921600,Channel={channel}", line.server_port().display());
        list.lines().any(|line| line == format!("Remote Process Server - {server}"))
    };
    assert!(listed(1) && !listed(2), "{list}");
    assert!(at(&line.called(2, ""), &["info"]).success().contains("hidden"));
}

#[test]
fn table_3_3_port_of_a_line_is_a_number_with_or_without_com_or_a_device() {
    for port in ["COM200", "200", "/dev/ttyS199"] {
        let error = at(&format!("com:port={port},baud=9600,channel=1"), &["ps"]).failure(255);
        assert!(error.contains("/dev/ttyS199"), "{error}");
    }
}

#[test]
fn table_3_3_baud_and_channel_are_the_servers() {
    let line = Line::new(115_200, Faults::default());
    let _server = serve(&line, 3, "");
    assert!(at(&line.called(3, ""), &["info"]).success().contains("channel=3"));
    assert!(at(&line.called(4, ""), &["info"]).failure(255).contains("nobody has this channel"));
    for lacking in ["com:port=COM1,channel=3", "com:port=COM1,baud=9600"] {
        assert_eq!(at(lacking, &["info"]).status, 2, "{lacking}");
    }
}

/// A directory with a file of 200 KB in it that is no repetition of itself.
fn file() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let bytes: Vec<u8> = std::iter::repeat_with(next).take(200_000).collect();
    fs::write(directory.path().join("file"), &bytes).expect("the directory is writable");
    (directory, bytes)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("directories for temporary files have plain names")
}

#[test]
fn whoever_has_the_port_is_killed_in_the_middle_of_traffic_and_nothing_is_lost() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(230_400, Faults::default());
    // The first to come have the ports.
    let owner = serve(&line, 1, "");
    let _server = serve(&line, 2, "");
    let mut client = Listening::on(&line.called(1, ""));
    let (directory, bytes) = file();
    let (remote, local) = (directory.path().join("file"), directory.path().join("copy"));
    let connection = line.called(2, "");
    let part = directory.path().join("copy.part");
    thread::scope(|scope| {
        let copying = scope.spawn(|| at(&connection, &["get", text(&remote), text(&local)]));
        let comes = |least: u64| part.metadata().is_ok_and(|found| found.len() >= least) || copying.is_finished();
        dbgsrv_tests::wait_until("the copy has begun", || comes(20_000));
        owner.signal(Signal::SIGKILL);
        dbgsrv_tests::wait_until("the copy goes on", || comes(90_000));
        client.process().signal(Signal::SIGKILL);
        assert_eq!(copying.join().expect("premote runs").success(), "");
    });
    assert!(fs::read(&local).expect("the copy is there") == bytes);
}

#[test]
fn a_gdb_straight_on_the_line_is_served_as_over_tcp_until_somebody_calls() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(921_600, Faults::default());
    let server = serve(&line, 3, "");
    assert_debugs_plainly(&line);
    // The line does not say that it has left; the next one is known all the same.
    assert_debugs_plainly(&line);
    assert_debugs(&line.called(3, ""));
    assert_debugs_plainly(&line);
    server.assert_logs("peer=com");
}

#[test]
fn gdb_debugs_over_a_line_that_flips_and_loses_bytes() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(230_400, Faults::BAD);
    let _server = serve(&line, 3, "");
    assert_debugs(&line.called(3, ""));
    let (directory, bytes) = file();
    let (remote, local) = (directory.path().join("file"), directory.path().join("copy"));
    assert_eq!(at(&line.called(3, ""), &["get", text(&remote), text(&local)]).success(), "");
    assert!(fs::read(&local).expect("the copy is there") == bytes);
}

#[test]
fn a_server_that_is_started_again_is_reached_again() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(921_600, Faults::default());
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let mut server = serve(&line, 3, "");
        let mut client = Listening::on(&line.called(3, ""));
        server.signal(signal);
        server.wait();
        // Noise, as of a machine that boots.
        fs::write(line.server_port(), b"\x00\xffBIOS 1.0\r\n$#+").expect("it is a terminal");
        client.process().signal(Signal::SIGKILL);
        let _server = serve(&line, 3, "");
        assert!(at(&line.called(3, ""), &["info"]).success().contains("listening:"));
    }
}

#[test]
fn a_slow_line_keeps_its_session_while_others_use_it() {
    if is_stand_in() {
        return;
    }
    let line = Line::new(9600, Faults::default());
    let server = serve(&line, 3, "");
    let pid = server.pid().to_string();
    assert!(at(&line.called(3, ""), &["describe", &pid]).success().contains(&pid));
}
