//! `dbgsrv` under the name of gdbserver: the same command lines, words and exit statuses.

use std::process::{Command, Stdio};

use dbgsrv_tests::gdb::{Transcript, batch};
use dbgsrv_tests::named::{Link, Running};
use dbgsrv_tests::process::{Owned, Stray, threads};
use dbgsrv_tests::{program, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

fn link() -> Link {
    Link::new("gdbserver")
}

fn port_of(server: &mut Running) -> String {
    server.after("Listening on port ")
}

fn gdb(connect: &str, commands: &[&str]) -> Transcript {
    let file = format!("file {}", program::path("basics").display());
    let first = [file.as_str(), "set sysroot /", connect];
    batch(&first.iter().chain(commands).map(|&command| command.to_owned()).collect::<Vec<_>>())
}

fn basics() -> String {
    program::path("basics").display().to_string()
}

#[test]
fn a_program_with_arguments_is_started_and_the_server_ends_with_it() {
    let link = link();
    let mut server = link.start(&["localhost:0", "/bin/sh", "-c", "echo \"<$0>\" \"<$1>\"; exit 3", "a  b", "$HOME"]);
    let pid = server.after("Process /bin/sh created; pid = ");
    assert!(pid.parse::<u32>().is_ok(), "{pid}");
    let port = port_of(&mut server);
    let transcript = batch(&["set sysroot /".into(), format!("target remote localhost:{port}"), "continue".into()]);
    transcript.assert_has("exited with code 03]");
    assert_eq!(server.end(), 0);
    for text in ["Remote debugging from host 127.0.0.1, port ", "<a  b> <$HOME>", "\nChild exited with status 3\n"] {
        server.assert_said(text);
    }
}

#[test]
fn the_program_of_a_connection_that_was_closed_is_there_for_the_next() {
    let link = link();
    let mut server = link.start(&["localhost:0", &basics()]);
    let port = port_of(&mut server);
    let target = format!("target remote localhost:{port}");
    gdb(&target, &["break square", "continue", "disconnect"]).assert_has("Breakpoint 1, square (x=6)");
    server.after("Remote side has terminated connection.");
    port_of(&mut server);
    let transcript = gdb(&target, &["backtrace", "continue"]);
    transcript.assert_has("square (x=6)");
    transcript.assert_has("exited with code 03]");
    assert_eq!(server.end(), 0);
}

#[test]
fn the_next_client_finds_the_thread_and_the_signal_of_the_last_stop() {
    let link = link();
    let trials = program::path("trials").display().to_string();
    let file = format!("file {trials}");
    let stops = [
        (["hits", "1"], "break counted", "hit Breakpoint 1, ", "thread", "[Current thread is 2 "),
        (["raises", ""], "info line", "received signal SIGUSR1", "info threads", "* 1 "),
    ];
    for (arguments, before, stop, question, answer) in stops {
        let mut server = link.start(&[&["localhost:0", trials.as_str()][..], &arguments].concat());
        let port = port_of(&mut server);
        let target = format!("target remote localhost:{port}");
        gdb(&target, &[&file, before, "continue", "disconnect"]).assert_has(stop);
        server.after("Remote side has terminated connection.");
        // The program would end with status 4 where its signal were lost.
        let after = ["handle SIGUSR1 nostop noprint", "delete", "break turn if turns == 2", "continue", "kill"];
        let transcript = gdb(&target, &[&[file.as_str(), question][..], &after].concat());
        transcript.assert_has(answer);
        if arguments[0] == "raises" {
            transcript.assert_has("Breakpoint 1, turn ()");
        }
    }
}

#[test]
fn gdb_begins_in_non_stop_mode_with_a_process_of_many_threads() {
    let link = link();
    let process = Owned::spawn(Command::new(program::path("trials")).args(["crowd", "5"]));
    wait_until("its threads are there", || threads(process.pid()).len() == 7);
    for mode in ["maint set target-non-stop on", "set non-stop on"] {
        let mut server = link.start(&["--once", "--attach", "localhost:0", &process.pid().to_string()]);
        let port = port_of(&mut server);
        let target = format!("target remote localhost:{port}");
        let transcript = batch(&["set sysroot /".into(), mode.into(), target, "info threads".into(), "detach".into()]);
        transcript.assert_has("  7  ");
        transcript.assert_has("detached]");
        assert_eq!(server.end(), 0);
        wait_until("it goes on", || threads(process.pid()).iter().all(|thread| thread.tracer == 0));
    }
}

#[test]
fn once_means_one_connection() {
    let link = link();
    let mut server = link.start(&["--once", "localhost:0", &basics()]);
    let pid = server.after(&format!("Process {} created; pid = ", basics()));
    let port = port_of(&mut server);
    gdb(&format!("target remote localhost:{port}"), &["disconnect"]);
    assert_eq!(server.end(), 0);
    server.assert_said(&format!("Killing process(es): {pid}\n"));
}

#[test]
fn killing_the_program_ends_the_server() {
    let link = link();
    let mut server = link.start(&["localhost:0", &basics()]);
    let port = port_of(&mut server);
    gdb(&format!("target remote localhost:{port}"), &["kill"]);
    assert_eq!(server.end(), 0);
}

#[test]
fn a_detached_program_is_waited_for() {
    let link = link();
    let mut server = link.start(&["localhost:0", "/bin/sh", "-c", "echo done"]);
    let port = port_of(&mut server);
    batch(&["set sysroot /".into(), format!("target remote localhost:{port}"), "detach".into()])
        .assert_has("detached]");
    assert_eq!(server.end(), 0);
    server.assert_said("Detaching from process ");
    server.assert_said("done\n");
}

#[test]
fn multi_serves_on_until_it_is_told_to_end() {
    let link = link();
    let mut server = link.start(&["--multi", "localhost:0"]);
    let port = port_of(&mut server);
    let target = format!("target extended-remote localhost:{port}");
    let executable = format!("set remote exec-file {}", basics());
    for _ in 0..2 {
        let transcript = gdb(&target, &[&executable, "break square", "run", "continue"]);
        transcript.assert_has("Breakpoint 1, square (x=6)");
        transcript.assert_has("exited with code 03]");
        server.after("Process ");
        server.after("Remote side has terminated connection.");
    }
    gdb(&target, &["monitor exit"]);
    assert_eq!(server.end(), 0);
}

#[test]
fn sigterm_kills_what_was_created_and_detaches_what_was_attached_to() {
    let link = link();
    let mut created = link.start(&["localhost:0", "/bin/sleep", "100"]);
    let pid = Pid::from_raw(created.after("Process /bin/sleep created; pid = ").parse().expect("a number"));
    let _stray = Stray(pid);
    port_of(&mut created);
    created.process.signal(Signal::SIGTERM);
    assert_eq!(created.end(), 0);
    wait_until("the created program is gone", || threads(pid).is_empty());

    let other = Owned::spawn(Command::new("sleep").arg("100"));
    let mut attached = link.start(&["--attach", "localhost:0", &other.pid().to_string()]);
    attached.after("Attached; pid = ");
    port_of(&mut attached);
    assert_eq!(threads(other.pid())[0].tracer, attached.process.pid().as_raw());
    attached.process.signal(Signal::SIGTERM);
    assert_eq!(attached.end(), 0);
    attached.assert_said("Detaching process(es):");
    assert!(threads(other.pid()).iter().all(|thread| thread.tracer == 0 && thread.state == 'S'));
}

#[test]
fn standard_input_and_output_can_be_the_connection() {
    let link = link();
    for comm in ["-", "stdio"] {
        let target = format!("target remote | {} {comm} {}", link.path().display(), basics());
        let transcript = gdb(&target, &["break square", "continue", "continue"]);
        transcript.assert_has("Remote debugging using stdio");
        transcript.assert_has("Breakpoint 1, square (x=6)");
        transcript.assert_has("exited with code 03]");
    }
}

#[test]
fn a_wrapper_starts_the_program_with_a_shell_or_without() {
    let link = link();
    for shell in ["--startup-with-shell", "--no-startup-with-shell"] {
        let wrapper = ["--wrapper", "env", "WRAPPED=a b", "--"];
        let arguments = [&[shell][..], &wrapper, &["localhost:0", "/bin/sh", "-c", "echo \"<$WRAPPED>\""]].concat();
        let mut server = link.start(&arguments);
        let port = port_of(&mut server);
        let target = format!("target remote localhost:{port}");
        batch(&["set sysroot /".into(), target, "continue".into()]).assert_has("exited normally]");
        assert_eq!(server.end(), 0);
        server.assert_said("<a b>");
    }
}

#[test]
fn packets_that_are_switched_off_are_not_missed() {
    let link = link();
    for packets in ["T", "Tthread", "vCont", "threads"] {
        let mut server = link.start(&[&format!("--disable-packet={packets}"), "localhost:0", &basics()]);
        let port = port_of(&mut server);
        let transcript = gdb(&format!("target remote localhost:{port}"), &["break square", "continue", "continue"]);
        transcript.assert_has("Breakpoint 1, square (x=6)");
        transcript.assert_has("exited with code 03]");
        assert_eq!(server.end(), 0);
    }
}

#[test]
fn what_cannot_be_served_is_said_and_the_exit_status_is_gdbservers() {
    let link = link();
    let cases: [&[&str]; 8] = [
        &[],
        &["--no-such-option"],
        &[":0"],
        &["--attach", ":0", "self"],
        &["localhost:0", "/no/such/program"],
        &["--attach", "localhost:0", "999999999"],
        &["/etc/passwd", "/bin/true"],
        &["no-such-host.invalid:0", "/bin/true"],
    ];
    for arguments in cases {
        let mut server = link.start(arguments);
        assert_eq!(server.end(), 1, "{arguments:?}");
        assert!(!server.said.is_empty(), "{arguments:?}");
        if arguments[..].first().is_some_and(|comm| comm.contains("invalid")) {
            server.assert_said("no-such-host.invalid:0: cannot resolve name: ");
        }
        let original = Command::new("gdbserver").args(arguments).stdin(Stdio::null()).output().expect("gdbserver runs");
        assert_eq!(original.status.code(), Some(1), "gdbserver {arguments:?}");
    }
    for (option, text) in
        [("--version", "gdbserver"), ("--help", "gdbserver"), ("--selftest", "Selftests have been disabled")]
    {
        let mut server = link.start(&[option]);
        assert_eq!(server.end(), 0, "{option}");
        server.assert_said(text);
    }
}

#[test]
fn listening_beyond_this_machine_is_warned_of() {
    let link = link();
    for (comm, warned) in [(":0", true), ("localhost:0", false), ("127.0.0.1:0", false)] {
        let mut server = link.start(&["--multi", comm]);
        port_of(&mut server);
        assert_eq!(server.said.contains("warning: "), warned, "{comm}: {}", server.said);
    }
}
