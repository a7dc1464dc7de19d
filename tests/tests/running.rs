//! Programs that the server starts: to their end, with what they are given, and when they can't be started.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dbgsrv_tests::gdb::Transcript;
use dbgsrv_tests::program;
use dbgsrv_tests::rsp::{Client, hex};
use dbgsrv_tests::server::{Server, stand_in_lacks};
use tempfile::TempDir;

/// Runs `surroundings` after `commands` and returns what it reports, and what gdb printed.
fn surroundings(server: &Server, arguments: &str, commands: &[&str]) -> (String, Transcript) {
    let directory = TempDir::new().expect("a temporary directory can be made");
    let report = directory.path().join("report");
    let arguments = format!("set args {} {arguments}", report.display());
    let all: Vec<_> = commands.iter().copied().chain([arguments.as_str(), "run"]).collect();
    let transcript = server.gdb(Some(&program::path("surroundings")), &all);
    let text = fs::read_to_string(&report).unwrap_or_else(|error| panic!("no report: {error}\n{}", transcript.0));
    (text, transcript)
}

#[track_caller]
fn assert_line(report: &str, line: &str) {
    assert!(report.lines().any(|found| found == line), "no line {line:?} in the report:\n{report}");
}

/// gdb has told its user that a program was not started, and why.
fn assert_not_started(transcript: &Transcript, program: &str, reason: &str) {
    transcript.assert_has("on the remote target failed");
    if !stand_in_lacks("reasons that gdb shows") {
        transcript.assert_has(program);
        transcript.assert_has(reason);
    }
}

#[test]
fn a_program_runs_to_its_end_and_gdb_shows_its_exit_code() {
    let server = Server::start();
    let transcript = server.gdb(Some(&program::path("basics")), &["run", "print $_exitcode"]);
    transcript.assert_has("exited with code 03]");
    transcript.assert_has("$1 = 3");
    server.assert_still_serves();
}

#[test]
fn a_program_runs_three_times_in_one_session() {
    let server = Server::start();
    let transcript =
        server.gdb(Some(&program::path("basics")), &["run", "break square", "run", "kill", "run", "continue"]);
    assert_eq!(transcript.count("exited with code 03]"), 2, "{}", transcript.0);
    assert_eq!(transcript.count("Breakpoint 1, square"), 2, "{}", transcript.0);
    server.assert_still_serves();
}

#[test]
fn a_static_program_and_one_at_fixed_addresses_run() {
    let server = Server::start();
    for name in ["basics-static", "basics-no-pie"] {
        let transcript = server.gdb(Some(&program::path(name)), &["break square", "run", "backtrace", "continue"]);
        transcript.assert_has("#1  0x");
        transcript.assert_has("outer (x=6)");
        transcript.assert_has("exited with code 03]");
    }
    server.assert_still_serves();
}

#[test]
fn a_program_for_i386_runs_and_shows_its_registers() {
    let Some(program) = program::i386() else {
        eprintln!("skipped: the compiler makes no i386 programs here");
        return;
    };
    let server = Server::start();
    let commands = [
        "break square",
        "run",
        "print $eax == *(int*)($ebp + 8)",
        "info registers eip",
        "p $ebx = 0x1234",
        "info registers ebx",
        "p $xmm3.v4_int32[2] = 77",
        "p $xmm3.v4_int32[2]",
        "set $ebx = 0",
        "finish",
        "stepi",
        "continue",
    ];
    let transcript = server.gdb(Some(&program), &commands);
    transcript.assert_has("Breakpoint 1, square (x=6)");
    transcript.assert_has("<square+");
    transcript.assert_has("ebx            0x1234");
    transcript.assert_has("$4 = 77");
    transcript.assert_has("Value returned is $5 = 36");
    server.assert_still_serves();
}

#[test]
fn arguments_arrive_as_gdb_was_given_them_with_and_without_a_shell() {
    let server = Server::start();
    for shell in ["on", "off"] {
        if shell == "off" && stand_in_lacks("arguments with spaces without a shell") {
            continue;
        }
        let (report, _) = surroundings(
            &server,
            r#"plain "two words" 'semi;colon' "" 'a*b?' last"#,
            &[&format!("set startup-with-shell {shell}")],
        );
        let arguments: Vec<_> = report.lines().filter_map(|line| line.strip_prefix("argument ")).collect();
        assert_eq!(arguments, ["plain", "two words", "semi;colon", "", "a*b?", "last"], "shell {shell}");
    }
    server.assert_still_serves();
}

#[test]
fn an_apostrophe_in_an_argument_arrives_with_and_without_a_shell() {
    if stand_in_lacks("a right way to quote apostrophes for the shell") {
        return;
    }
    let server = Server::start();
    for shell in ["on", "off"] {
        let (report, _) = surroundings(&server, r#""it's" last"#, &[&format!("set startup-with-shell {shell}")]);
        assert_line(&report, "argument it's");
        assert_line(&report, "argument last");
    }
    server.assert_still_serves();
}

#[test]
fn environment_variables_are_set_and_unset_for_the_program() {
    let server = Server::start();
    let (report, _) = surroundings(&server, "", &[]);
    assert_line(&report, "variable (unset)");
    assert_line(&report, "cargo's variable set");
    let commands = ["set environment DBGSRV_TEST_VARIABLE = some value", "unset environment CARGO_MANIFEST_DIR"];
    let (report, _) = surroundings(&server, "", &commands);
    assert_line(&report, "variable some value");
    assert_line(&report, "cargo's variable (unset)");
    // What one session sets is its own.
    let (report, _) = surroundings(&server, "", &[]);
    assert_line(&report, "variable (unset)");
    server.assert_still_serves();
}

#[test]
fn the_program_starts_in_the_directory_that_gdb_sets() {
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let directory = directory.path().canonicalize().expect("it exists");
    let (report, _) = surroundings(&server, "", &[&format!("set cwd {}", directory.display())]);
    assert_line(&report, &format!("directory {}", directory.display()));
    server.assert_still_serves();
}

#[test]
fn address_space_randomization_is_as_gdb_sets_it() {
    let server = Server::start();
    for (disable, randomized) in [("on", "no"), ("off", "yes")] {
        let (report, _) = surroundings(&server, "", &[&format!("set disable-randomization {disable}")]);
        assert_line(&report, &format!("randomized {randomized}"));
    }
    server.assert_still_serves();
}

#[test]
fn a_program_that_is_not_there_is_an_error_and_the_session_goes_on() {
    if stand_in_lacks("a session that goes on after a failed start") {
        return;
    }
    let server = Server::start();
    for shell in ["on", "off"] {
        let good = format!("set remote exec-file {}", program::path("basics").display());
        let shell = format!("set startup-with-shell {shell}");
        let transcript = server.gdb(None, &[&shell, "set remote exec-file /nowhere/program", "run", &good, "run"]);
        assert_not_started(&transcript, "/nowhere/program", "there is no program");
        transcript.assert_has("exited with code 03]");
    }
    server.assert_still_serves();
}

#[test]
fn a_file_that_is_no_program_is_an_error_and_the_session_goes_on() {
    if stand_in_lacks("a session that goes on after a failed start") {
        return;
    }
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let good = format!("set remote exec-file {}", program::path("basics").display());
    let plain = directory.path().join("plain");
    fs::write(&plain, "no program\n").expect("the directory is writable");
    let garbage = directory.path().join("garbage");
    fs::write(&garbage, [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 9, 9, 9]).expect("the directory is writable");
    fs::set_permissions(&garbage, fs::Permissions::from_mode(0o755)).expect("the file is the test's own");
    let itself = directory.path().to_path_buf();
    for (file, reason) in [(&plain, "chmod +x"), (&garbage, "neither an ELF program"), (&itself, "is a directory")] {
        for shell in ["on", "off"] {
            let shell = format!("set startup-with-shell {shell}");
            let bad = format!("set remote exec-file {}", file.display());
            let transcript = server.gdb(None, &[&shell, &bad, "run", &good, "run"]);
            assert_not_started(&transcript, &file.display().to_string(), reason);
            transcript.assert_has("exited with code 03]");
        }
    }
    server.assert_still_serves();
}

#[test]
fn the_reason_why_a_program_does_not_start_is_shown() {
    if stand_in_lacks("reasons in error replies") {
        return;
    }
    let server = Server::start();
    let reply = Client::greeted(server.port()).request(&format!("vRun;{}", hex(b"/nowhere/program")));
    assert!(reply.starts_with("E.") && reply.contains("/nowhere/program"), "{reply}");
    // This gdb does not print the reply's text, but can be asked for it.
    let transcript =
        server.gdb(None, &["set remote exec-file /nowhere/elsewhere", "run", "echo \\nwhy:", "monitor why"]);
    assert!(transcript.after("why:").contains("/nowhere/elsewhere"), "{}", transcript.0);
    server.assert_still_serves();
}

#[test]
fn a_gdb_on_this_machine_need_not_name_the_program_that_it_was_started_with() {
    if stand_in_lacks("an idea of the program that gdb was started with") {
        return;
    }
    let server = Server::start();
    let basics = program::path("basics");
    server.gdb(Some(&basics), &["run"]).assert_has("exited with code 03]");
    // Nothing is guessed where gdb has no program either.
    server.gdb(None, &["run"]).assert_has("no program was named");
    server.assert_still_serves();
}

#[test]
fn a_name_without_a_slash_is_that_of_a_file_in_the_working_directory_or_of_one_in_the_path() {
    if stand_in_lacks("a look into the working directory") {
        return;
    }
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    fs::copy(program::path("basics"), directory.path().join("basics")).expect("the directory is writable");
    for shell in ["0", "1"] {
        let mut client = Client::greeted(server.port());
        assert_eq!(client.request(&format!("QStartupWithShell:{shell}")), "OK");
        let directory = directory.path().to_str().expect("the path is UTF-8").as_bytes();
        assert_eq!(client.request(&format!("QSetWorkingDir:{}", hex(directory))), "OK");
        for name in ["basics", "true"] {
            let stop = client.request(&format!("vRun;{}", hex(name.as_bytes())));
            assert!(stop.starts_with("T05"), "{name}: {stop}");
            client.send("k");
        }
    }
    server.assert_still_serves();
}
