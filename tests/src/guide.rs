//! The examples of the guides, and two machines to run them on.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::network::{FAR, Link, NEAR};
use crate::premote::{self, Outcome};
use crate::process::Owned;
use crate::server::dbgsrv;
use crate::{lines_of, program, receive};

/// What the guide's file with the password has.
pub const PASSWORD: &str = "Sesame-17";

/// The line that begins so in a code block under a heading, without the prompt before it and the comment behind it.
///
/// # Panics
/// Where there is none.
#[track_caller]
#[must_use]
pub fn line(document: &str, heading: &str, beginning: &str) -> String {
    let (mut is_there, mut is_code) = (false, false);
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if let Some(found) = line.strip_prefix("## ").filter(|_| !is_code) {
            is_there = found == heading;
        }
        let line = ["$ sudo ", "sudo ", "$ ", "target$ ", "(gdb) "]
            .iter()
            .find_map(|prompt| line.trim_start().strip_prefix(prompt))
            .unwrap_or_else(|| line.trim_start());
        if is_there && is_code && line.starts_with(beginning) {
            return line.split("  #").next().expect("a split text has a first part").trim_end().to_owned();
        }
    }
    panic!("under `{heading}` no example begins with: {beginning}");
}

/// A process that says in one line that it is ready.
#[derive(Debug)]
pub struct Running {
    process: Owned,
    lines: Receiver<String>,
    said: String,
}

impl Running {
    /// The process.
    pub fn process(&mut self) -> &mut Owned {
        &mut self.process
    }

    /// That line.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn line(&self) -> String {
        receive(&self.lines).expect("it prints something")
    }
}

/// Two machines: the far one is the target. Programs run in a directory that has `app` in it.
#[derive(Debug)]
pub struct Stage {
    link: Link,
    place: TempDir,
    /// What the reader of an example replaces, and by what.
    names: Vec<(String, String)>,
}

impl Stage {
    /// `None`, with a word, where there can't be any.
    ///
    /// # Panics
    /// Where there can, and it does not come about.
    #[must_use]
    pub fn new() -> Option<Self> {
        if !geteuid().is_root() {
            eprintln!("skipped: only root can make networks");
            return None;
        }
        let place = tempfile::tempdir().expect("there is room for files");
        let path = |name: &str| place.path().join(name).display().to_string();
        fs::copy(program::path("basics"), path("app")).expect("there is room for files");
        fs::write(path("secret"), PASSWORD).expect("there is room for files");
        fs::set_permissions(path("secret"), PermissionsExt::from_mode(0o600)).expect("it is ours");
        for folder in ["far", "near", "bin"] {
            fs::create_dir(path(folder)).expect("there is room for files");
        }
        fs::create_dir_all("/run/dbgsrv").expect("root may write there");
        let (secret, home) = (path("secret"), place.path().display().to_string());
        let mut stage = Self { link: Link::new(), place, names: Vec::new() };
        for (name, own) in [
            ("target-machine", FAR),
            ("your-machine", NEAR),
            ("client-machine", NEAR),
            ("box17", FAR),
            ("/etc/dbgsrv.password", &secret),
            ("/run/user/1000/", "/run/"),
            ("/home/user", &home),
        ] {
            stage.name(name, own);
        }
        Some(stage)
    }

    /// Has a name of an example's stand for something else, before all that were named earlier.
    pub fn name(&mut self, name: &str, own: &str) {
        self.names.insert(0, (name.to_owned(), own.to_owned()));
    }

    /// What an example's line is here.
    #[must_use]
    pub fn meant(&self, line: &str) -> String {
        self.names.iter().fold(line.to_owned(), |line, (name, own)| line.replace(name, own))
    }

    /// A directory for programs that are found first.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.place.path().join("bin")
    }

    /// An example's line on one of the machines, each of which has its own `/run/dbgsrv`.
    #[must_use]
    pub fn command(&self, is_far: bool, line: &str) -> Command {
        let line = self.meant(line);
        let (namespace, machine) = if is_far { (&self.link.far, "far") } else { (&self.link.near, "near") };
        let programs = [dbgsrv(), premote::path()].map(|program| program.with_file_name("").display().to_string());
        let own = self.programs();
        let path = format!("{}:{}:{}", own.display(), programs.join(":"), std::env::var("PATH").unwrap_or_default());
        let mut command = Link::command(namespace, "sh".as_ref());
        command.args(["-c", "mount --bind \"$0\" /run/dbgsrv && exec sh -c \"$1\""]);
        command.arg(self.place.path().join(machine)).arg(line);
        command.current_dir(self.place.path()).env("PATH", path).env("HOME", self.place.path()).env("LC_ALL", "C");
        for variable in ["XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DEBUGINFOD_URLS"] {
            command.env_remove(variable);
        }
        command
    }

    /// Starts what goes on until it is killed, and waits for its first line.
    ///
    /// # Panics
    /// Where there is none.
    #[track_caller]
    #[must_use]
    pub fn start(&self, is_far: bool, line: &str) -> Running {
        // The shell is to be the program, so that it ends with this.
        let mut command = self.command(is_far, &format!("exec {line}"));
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        command.stdout(writer).stderr(Stdio::null());
        let process = Owned::spawn(&mut command);
        drop(command);
        let lines = lines_of(reader);
        let said = receive(&lines).unwrap_or_else(|| panic!("{line} says nothing"));
        Running { process, lines, said }
    }

    /// A server on the target.
    ///
    /// # Panics
    /// Where it does not say that it serves.
    #[track_caller]
    #[must_use]
    pub fn serve(&self, line: &str) -> Running {
        let running = self.start(true, line);
        let said = &running.said;
        assert!(said.contains("listening on") || said.contains("calling"), "{line}: {said}");
        running
    }

    /// Runs a client to its end, which is told `input`.
    ///
    /// # Panics
    /// Where it does not come to an end.
    #[must_use]
    pub fn run(&self, is_far: bool, line: &str, input: &str) -> Outcome {
        let mut command = self.command(is_far, line);
        let (reader, mut writer) = std::io::pipe().expect("a pipe can be made");
        command.stdin(reader);
        writer.write_all(input.as_bytes()).expect("a pipe has room for that");
        drop(writer);
        premote::finish(command)
    }
}
