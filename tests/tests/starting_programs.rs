//! Programs of the server's own command line: `-c`, `-cs`, `-sifeo`, `-x`, `-pc`. The tests that have a table or an example
//! in their names stand for what the reference has there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use dbgsrv_tests::process::{self, Owned, Stray};
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, dbgsrv};
use dbgsrv_tests::{premote, program, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// A server with these arguments behind its `-t`.
fn start(arguments: &[&str]) -> Server {
    let mut all = vec!["-t", "tcp:port=0"];
    all.extend(arguments);
    Server::start_with(&all)
}

/// The process that the server says that it has started.
fn started(server: &Server) -> Stray {
    server.assert_logs(": started process ");
    let log = server.log();
    let (_, rest) = log.split_once(": started process ").expect("it has just been found");
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next();
    Stray(Pid::from_raw(digits.and_then(|digits| digits.parse().ok()).expect("a process id")))
}

fn basics() -> String {
    program::path("basics").to_str().expect("the target directory has a plain name").to_owned()
}

/// The state of the first thread.
fn state(pid: Pid) -> char {
    process::threads(pid).first().map_or(' ', |thread| thread.state)
}

fn is_suspended(pid: Pid) -> bool {
    process::threads(pid).iter().all(|thread| thread.state == 'T' && thread.tracer == 0)
}

#[test]
fn table_2_2_c_starts_a_program_that_nobody_debugs_and_prints_its_process_id() {
    let server = start(&["-c", "sleep", "600"]);
    let Stray(pid) = &started(&server);
    assert_eq!(process::name(*pid), "sleep");
    assert!(process::is_left_alone(*pid));
    let listed = premote::at(&server, &["describe", &pid.to_string()]).success();
    assert!(listed.contains("sleep 600") && !listed.contains("stopped"), "{listed}");
    let mut client = Client::greeted(server.port());
    client.attach(*pid);
}

#[test]
fn what_c_started_goes_on_when_the_server_ends_however_it_does() {
    for (option, signal) in [("-c", Signal::SIGTERM), ("-c", Signal::SIGKILL), ("-cs", Signal::SIGTERM)] {
        let mut server = start(&[option, "sleep", "600"]);
        let Stray(pid) = &started(&server);
        let before = state(*pid);
        server.signal(signal);
        server.wait();
        assert!(process::is_alive(*pid), "{option} {signal}");
        assert_eq!(state(*pid) == 'T', before == 'T', "{option} {signal}");
    }
}

#[test]
fn table_2_2_cs_leaves_the_program_stopped_before_its_first_instruction_and_everybody_sees_it() {
    let server = start(&["-cs", &basics()]);
    let Stray(pid) = &started(&server);
    assert!(is_suspended(*pid));
    assert!(server.log().contains(&format!("gdb -pb -p {pid}")), "{}", server.log());
    let listed = premote::at(&server, &["ps", "--name", "basics"]).success();
    assert!(listed.lines().any(|line| line.contains(&pid.to_string()) && line.contains("(stopped) ")), "{listed}");
    let described = premote::at(&server, &["describe", &pid.to_string()]).success();
    assert!(described.contains("state:        stopped"), "{described}");
    let json = premote::at(&server, &["describe", &pid.to_string(), "--json"]).success();
    assert!(json.contains("\"stopped\": true"), "{json}");
}

#[test]
fn example_6_a_program_that_was_started_suspended_is_resumed_by_attaching_with_pb() {
    let server = start(&["-cs", &basics()]);
    let Stray(pid) = &started(&server);
    let (status, transcript) = premote::gdb(&server, &["-pb", "-p", &pid.to_string()], &["info inferiors"]);
    transcript.assert_has("exited with code 03]");
    assert_eq!(status, 0, "{}", transcript.0);
}

#[test]
fn table_2_2_cs_s_program_is_resumed_by_a_clients_continue() {
    let server = start(&["-cs", &basics()]);
    let Stray(pid) = &started(&server);
    let mut client = Client::greeted(server.port());
    client.attach(*pid);
    let mut stop = client.request("vCont;c");
    for _ in 0..10 {
        if !stop.starts_with('T') {
            break;
        }
        stop = client.request("vCont;c");
    }
    assert!(stop.starts_with("W03"), "{stop}");
}

#[test]
fn table_2_2_x_ends_a_command_line_and_the_rest_is_ignored() {
    let server = start(&["-c", "sleep", "600", "-x", "-c", "no-such-program"]);
    let Stray(pid) = &started(&server);
    let listed = premote::at(&server, &["describe", &pid.to_string(), "--json"]).success();
    assert!(listed.contains("600") && !listed.contains("no-such"), "{listed}");
    let _ = start(&["-x", "--no-such-option", "-t"]);
}

#[test]
fn table_2_2_pc_keeps_the_rest_of_the_line_for_a_client_that_asks_for_it() {
    let server = start(&["-pc", &basics(), "-x", "a b", "it's"]);
    assert_eq!(server.workers(), []);
    let info = premote::at(&server, &["info", "--json"]).success();
    assert!(info.contains("\"implicit-command-line\"") && info.contains("a b"), "{info}");
    let commands = ["info inferiors", "show args", "break square", "continue", "kill"];
    let (status, transcript) = premote::gdb(&server, &["-cimp"], &commands);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("basics");
    assert!(transcript.0.contains("a b"), "{}", transcript.0);
    assert_eq!(status, 0, "{}", transcript.0);
}

#[test]
fn example_5_the_implicit_command_line_is_launched_by_cimp_and_by_nobody_else() {
    let server = start(&["-pc", &basics()]);
    assert_eq!(process::children(server.pid()), []);
    let (status, transcript) = premote::gdb(&server, &["-cimp"], &["continue"]);
    transcript.assert_has("exited with code 03]");
    assert_eq!(status, 0, "{}", transcript.0);
}

#[test]
fn cimp_without_a_pc_says_what_is_missing() {
    let server = start(&[]);
    let message = premote::at(&server, &["gdb", "-cimp"]).failure(1);
    assert!(message.contains("no implicit command line") && message.contains("-pc"), "{message}");
}

#[test]
fn table_2_2_sifeo_looks_past_links_of_the_programs_name_that_lead_to_the_server() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [links, real, written] = ["links", "real", "written"].map(|name| folder.path().join(name));
    fs::create_dir(&links).expect("there is room");
    fs::create_dir(&real).expect("there is room");
    symlink(dbgsrv(), links.join("app")).expect("there is room");
    let script = format!("#!/bin/sh\necho \"$@\" > {0}.part; mv {0}.part {0}\n", written.display());
    fs::write(real.join("app"), script).expect("there is room");
    fs::set_permissions(real.join("app"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let set_path = format!("PATH={}:{}:$PATH", links.display(), real.display());
    for program in ["app".to_owned(), links.join("app").display().to_string()] {
        let transport = format!("tcp:port=0 -sifeo app -c {program} one two");
        let server = Server::start_after_with(&set_path, &transport);
        let _stray = started(&server);
        wait_until("the real program has run", || written.exists());
        assert_eq!(fs::read_to_string(&written).expect("it is there"), "one two\n", "{}", server.log());
        fs::remove_file(&written).expect("it is there");
    }
}

#[test]
fn a_program_that_cannot_be_started_ends_the_server_with_the_reason() {
    for arguments in [&["-c", "/no/such/program"][..], &["-sifeo", "no-such-program", "-cs", "no-such-program"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let mut command = Command::new(dbgsrv());
        command.args(["-t", "tcp:port=0"]).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
        let mut process = Owned::spawn(&mut command);
        drop(command);
        assert_eq!(process.wait(), 1, "{arguments:?}");
        let message = std::io::read_to_string(reader).expect("errors are text");
        assert!(message.contains("error: cannot start the program: there is no"), "{message}");
    }
}
