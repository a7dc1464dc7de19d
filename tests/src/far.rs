//! Another machine, to be reached through ssh: a real sshd on this one, at a port and with keys of its own.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::Owned;
use crate::{premote, wait_until};

/// "Another machine", called `far`, where this user can log in.
#[derive(Debug)]
pub struct Far {
    place: TempDir,
    sshd: Owned,
    port: u16,
}

impl Far {
    /// `None`, with a word, where there is no ssh to test with.
    ///
    /// # Panics
    /// Where there is, and it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
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

    /// Its sshd.
    pub fn sshd(&mut self) -> &mut Owned {
        &mut self.sshd
    }

    /// The port of that.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A command line of `premote` that finds this ssh.
    #[must_use]
    pub fn premote(&self, arguments: &[&str]) -> Command {
        let mut command = premote::command(arguments);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.place.path().join("bin").display()));
        command
    }

    /// Runs such a command line to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> premote::Outcome {
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
///
/// # Errors
/// With what came of it instead.
pub fn said(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() { Ok(text) } else { Err(io::Error::other(format!("{command:?}: {output:?}"))) }
}
