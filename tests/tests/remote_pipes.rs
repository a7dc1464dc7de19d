//! Pipes of other machines, through ssh: a real sshd on this one, at a port and with keys of its own.

use std::process::Command;

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::far::{Far, said};
use dbgsrv_tests::premote;
use dbgsrv_tests::server::Server;
use nix::sys::signal::Signal;

const PASSWORD: &str = "Sesame-17";

/// A server on a pipe that no other test has, and the pipe's name.
fn serve(more: &str) -> (Server, String) {
    let name = format!("far-{}-{:?}", std::process::id(), std::thread::current().id()).replace(['(', ')'], "");
    let server = Server::start_with(&["-t", &format!("npipe:pipe={name}{more}"), "-t", "tcp:port=0,bind=127.0.0.1"]);
    (server, name)
}

#[test]
fn a_pipe_of_another_machine_is_reached_through_ssh_with_and_without_a_users_name() {
    let Some(far) = Far::start() else { return };
    let (server, name) = serve("");
    for machine in
        ["far".into(), r"\\far".into(), format!("{}@127.0.0.1", said(Command::new("id").arg("-un")).unwrap())]
    {
        let info = far.run(&[&format!("npipe:server={machine},pipe={name}"), "info"]).success();
        assert!(info.contains(&format!("pid:          {}\n", server.pid())), "{machine}: {info}");
    }
}

#[test]
fn gdb_debugs_through_ssh_and_leaves_the_program_running() {
    let Some(far) = Far::start() else { return };
    let (_server, name) = serve("");
    let target = Beats::start(1);
    let (connection, pid) = (format!("npipe:server=far,pipe={name}"), target.pid().to_string());
    let mut arguments = vec![connection.as_str(), "gdb", "-p", &pid, "--", "-nx", "-nh", "-q", "-batch"];
    arguments.extend(["-iex", "set debuginfod enabled off", "-iex", "set sysroot"]);
    arguments.extend(["-ex", "info threads", "-ex", "detach"]);
    let outcome = far.run(&arguments);
    assert!(outcome.status == 0 && outcome.stdout.contains("Thread"), "{outcome:?}");
    target.shared.assert_goes_on();
}

#[test]
fn a_password_is_proved_through_ssh_too() {
    let Some(far) = Far::start() else { return };
    let (_server, name) = serve(&format!(",password={PASSWORD}"));
    let with = |password: &str| far.run(&[&format!("npipe:server=far,pipe={name},password={password}"), "info"]);
    assert!(with(PASSWORD).success().contains(&name));
    assert!(with("wrong").failure(255).contains("wrong password"));
}

#[test]
fn what_keeps_ssh_or_the_other_machine_from_it_is_told() {
    let Some(mut far) = Far::start() else { return };
    let error = far.run(&["npipe:server=far,pipe=no-such-pipe", "info"]).failure(255);
    assert!(error.contains("pipe no-such-pipe on far: cannot connect: ssh: premote: "), "{error}");
    assert!(error.contains("there is no pipe of that name in "), "{error}");
    let error = far.run(&["npipe:server=no-such-user-x@far,pipe=a", "info"]).failure(255);
    assert!(error.contains("pipe a on no-such-user-x@far: ") && error.contains("Permission denied"), "{error}");
    far.sshd().signal(Signal::SIGKILL);
    far.sshd().wait();
    let error = far.run(&["npipe:server=far,pipe=a", "info"]).failure(255);
    assert!(error.contains(&format!("port {}: Connection refused", far.port())), "{error}");
}

#[test]
fn what_could_be_taken_for_an_option_of_ssh_is_no_machine() {
    for machine in ["-oProxyCommand=x", "-oProxyCommand=x@far", "a@-far", "a b@far", "ann;reboot@far"] {
        assert_eq!(premote::run(&[&format!("npipe:server={machine},pipe=a"), "info"]).status, 2, "{machine}");
    }
}
