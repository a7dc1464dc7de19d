//! Pipes of other machines, through ssh: a real sshd on this one, at a port and with keys of its own.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::server::Server;
use dbgsrv_tests::{premote, wait_until};
use tempfile::TempDir;

const PASSWORD: &str = "Sesame-17";

/// "Another machine", called `far`, where this user can log in.
struct Far {
    place: TempDir,
    sshd: Owned,
    port: u16,
}

impl Far {
    /// `None` where there is no ssh to test with.
    fn start() -> Option<Self> {
        let sshd = Path::new("/usr/sbin/sshd");
        if !sshd.exists() || Command::new("ssh").arg("-V").output().is_err() {
            eprintln!("skipped: needs openssh-server and openssh-client");
            return None;
        }
        let place = tempfile::tempdir().expect("there is room for temporary files");
        let port = prepare(place.path()).expect("keys and configurations can be written");
        let mut command = Command::new(sshd);
        command.args(["-D", "-e", "-f"]).arg(place.path().join("sshd_config")).stdin(Stdio::null());
        let sshd = Owned::spawn(command.stderr(Stdio::null()));
        wait_until("sshd listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { place, sshd, port })
    }

    /// A command line of `premote` that finds this ssh.
    fn premote(&self, arguments: &[&str]) -> Command {
        let mut command = premote::command(arguments);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.place.path().join("bin").display()));
        command
    }

    fn run(&self, arguments: &[&str]) -> premote::Outcome {
        premote::finish(self.premote(arguments))
    }
}

/// Writes keys, configurations and the command that premote starts as `ssh`; returns the port for sshd.
fn prepare(place: &Path) -> io::Result<u16> {
    let file = |name: &str| place.join(name).display().to_string();
    for key in ["host", "user"] {
        said(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &file(key)]))?;
    }
    fs::copy(file("user.pub"), file("authorized_keys"))?;
    // Where sshd separates privileges, empty. Only root's sshd needs it, and only root can make it.
    let _ = fs::create_dir_all("/run/sshd");
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let path = std::env::var("PATH").unwrap_or_default();
    let premote = premote::path();
    let programs = premote.parent().unwrap_or(place).display();
    let (host, keys) = (file("host"), file("authorized_keys"));
    let sshd = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nPidFile none\nAuthorizedKeysFile {keys}\nStrictModes no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin yes\nPrintMotd no\n\
         SetEnv PATH={programs}:{path}\n",
    );
    fs::write(file("sshd_config"), sshd)?;
    let (key, known) = (file("user"), file("known_hosts"));
    let ssh = format!(
        "Host far\n  HostName 127.0.0.1\nHost *\n  Port {port}\n  IdentityFile {key}\n  IdentitiesOnly yes\n  \
         IdentityAgent none\n  BatchMode yes\n  UserKnownHostsFile {known}\n  StrictHostKeyChecking accept-new\n",
    );
    fs::write(file("ssh_config"), ssh)?;
    fs::create_dir(file("bin"))?;
    let real = said(Command::new("sh").args(["-c", "command -v ssh"]))?;
    fs::write(file("bin/ssh"), format!("#!/bin/sh\nexec {real} -F {} \"$@\"\n", file("ssh_config")))?;
    fs::set_permissions(file("bin/ssh"), fs::Permissions::from_mode(0o755))?;
    Ok(port)
}

/// What a command that goes well prints.
fn said(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() { Ok(text) } else { Err(io::Error::other(format!("{command:?}: {output:?}"))) }
}

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
    far.sshd.signal(nix::sys::signal::Signal::SIGKILL);
    far.sshd.wait();
    let error = far.run(&["npipe:server=far,pipe=a", "info"]).failure(255);
    assert!(error.contains(&format!("port {}: Connection refused", far.port)), "{error}");
}

#[test]
fn what_could_be_taken_for_an_option_of_ssh_is_no_machine() {
    for machine in ["-oProxyCommand=x", "-oProxyCommand=x@far", "a@-far", "a b@far", "ann;reboot@far"] {
        assert_eq!(premote::run(&[&format!("npipe:server={machine},pipe=a"), "info"]).status, 2, "{machine}");
    }
}
