//! lldb, driven command by command, with a log of the packets between it and the server. None of them may be one that the
//! server does not know while lldb-server does: each test that ends well looks.
//!
//! Commands come through a pipe and not with `-o`: those run one after the other without lldb's own threads, and a
//! connection to a server that has no process yet would never come back from one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use nix::unistd::Pid;
use tempfile::TempDir;

use crate::gdb::Transcript;
use crate::process::Owned;
use crate::{premote, receive, wait_until};

/// What lldb writes before each command that it has read.
const PROMPT: &str = "(lldb) ";

/// What lldb is told before anything else.
const SETTINGS: [&str; 5] = [
    "settings set symbols.enable-external-lookup false",
    "settings set use-color false",
    "settings set auto-confirm true",
    "settings set interpreter.prompt-on-quit false",
    // A machine under load is slow, which is not what is tested.
    "settings set plugin.process.gdb-remote.packet-timeout 60",
];

/// Packets that lldb-server gives the empty answer, too, as Debian 12 has it, or for `jSignalsInfo` one that lldb can't read.
const UNKNOWN_TO_LLDB_SERVER: [&str; 7] = [
    "qSymbol",
    "qOffsets",
    "jThreadExtendedInfo",
    "qStructuredDataPlugins",
    "qShlibInfoAddr",
    "jSignalsInfo",
    "qGDBServerVersion",
];

/// An lldb, killed when dropped.
#[derive(Debug)]
pub struct Lldb {
    process: Owned,
    lines: Receiver<String>,
    /// Everything that lldb has written, for the message of a failed test.
    transcript: String,
    /// Has the packet log.
    directory: TempDir,
    commands: usize,
}

/// A packet of lldb's and its answer, both without framing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet {
    /// What lldb sent.
    pub request: String,
    /// What came back.
    pub reply: String,
}

impl Lldb {
    /// Starts lldb, with `program` as its target if given.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: Option<&Path>) -> Self {
        let mut lldb = Self::spawn(Command::new("lldb"));
        if let Some(program) = program {
            lldb.create_target(program);
        }
        lldb
    }

    /// Starts lldb with a server's machine as its platform.
    ///
    /// # Panics
    /// When it does not start or connect.
    #[must_use]
    pub fn on_platform(port: u16) -> Self {
        let mut lldb = Self::start(None);
        lldb.run("platform select remote-linux");
        let answer = lldb.run(&format!("platform connect connect://localhost:{port}"));
        assert!(answer.contains("Connected: yes"), "{answer}");
        lldb
    }

    /// Has `premote` start lldb over this connection, with the server's machine as its platform, and `arguments` to premote's
    /// command.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn by_premote(connection: &str, arguments: &[&str]) -> Self {
        let mut command = premote::command(&[connection, "lldb"]);
        command.args(arguments).arg("--");
        Self::spawn(command)
    }

    /// Starts lldb by a command to which options of lldb's can be added.
    fn spawn(mut command: Command) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let stdout = writer.try_clone().expect("a pipe's end can be duplicated");
        command.args(["--no-lldbinit", "--no-use-colors"]).env("LC_ALL", "C").env("TERM", "dumb");
        command.envs(python_modules().map(|path| ("PYTHONPATH", path)));
        command.stdin(Stdio::piped()).stdout(stdout).stderr(writer);
        let process = Owned::spawn(&mut command);
        // The command holds the writing end, which would keep the output open after lldb's end.
        drop(command);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        let mut lldb = Self { process, lines, transcript: String::new(), directory, commands: 0 };
        for setting in SETTINGS {
            lldb.run(setting);
        }
        lldb.run(&format!("log enable -f {} gdb-remote packets", lldb.log().display()));
        lldb
    }

    /// Makes a program the target.
    ///
    /// # Panics
    /// When lldb does not take it.
    #[track_caller]
    pub fn create_target(&mut self, program: &Path) {
        let answer = self.run(&format!("target create {}", program.display()));
        assert!(!answer.contains("error:"), "{answer}");
    }

    /// Starts lldb and connects it.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn connected(port: u16, program: Option<&Path>) -> Self {
        let mut lldb = Self::start(program);
        lldb.connect(port);
        lldb
    }

    /// Connects it, once more after the program has ended: to lldb, that ends the connection, too.
    ///
    /// # Panics
    /// When it does not connect.
    #[track_caller]
    pub fn connect(&mut self, port: u16) {
        let answer = self.run(&format!("gdb-remote localhost:{port}"));
        assert!(!answer.contains("error:"), "{answer}");
        // Its own threads get to know of the connection later, and what it is told before that, it does wrong.
        wait_until("lldb is connected", || self.run("target list").contains("state=connected"));
    }

    /// Runs a command that does not let the program run, and returns what it printed.
    ///
    /// # Panics
    /// When lldb ends or hangs.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> String {
        self.send(command);
        self.settled()
    }

    /// Runs commands that do not let the program run, one after the other, and returns all that they printed.
    ///
    /// # Panics
    /// As [`Self::run`].
    #[track_caller]
    pub fn run_all(&mut self, commands: &[String]) -> Transcript {
        Transcript(commands.iter().map(|command| self.run(command)).collect())
    }

    /// Runs a command that lets the program run, waits until it stops or ends, and returns where it is then.
    ///
    /// # Panics
    /// When lldb ends or hangs, or the program does not stop.
    #[track_caller]
    pub fn run_to_stop(&mut self, command: &str) -> String {
        self.send(command);
        self.wait_stop()
    }

    /// Waits until the program stops or ends, and returns where it is then.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn wait_stop(&mut self) -> String {
        let mut told = String::new();
        loop {
            let line = self.line();
            told.push_str(&line);
            told.push('\n');
            let has_news = |news| line.starts_with("Process ") && line.contains(news);
            if has_news(" exited with ") {
                return told + &self.settled();
            }
            // One that it passes on by itself is told as "stopped and restarted".
            if has_news(" stopped") && !line.contains(" restarted") {
                self.settled();
                return self.run("process status");
            }
            assert!(!line.starts_with("error:"), "{told}\n{}", self.transcript);
        }
    }

    /// Sends a command and does not wait for anything.
    ///
    /// # Panics
    /// When lldb has ended.
    pub fn send(&mut self, command: &str) {
        let stdin = self.process.child().stdin.as_mut().expect("the input is a pipe");
        writeln!(stdin, "{command}").expect("lldb reads commands");
    }

    /// The process that lldb debugs.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn debuggee(&mut self) -> Pid {
        let status = self.run("process status");
        let pid = status.lines().find_map(|line| line.strip_prefix("Process ")?.split(' ').next()?.parse().ok());
        Pid::from_raw(pid.unwrap_or_else(|| panic!("lldb has no process:\n{status}\n{}", self.transcript)))
    }

    /// The packets that lldb has sent since it was started and that have been answered.
    ///
    /// # Panics
    /// When there is no log.
    #[must_use]
    pub fn packets(&self) -> Vec<Packet> {
        let log = fs::read(self.log()).expect("lldb writes a log");
        packets(&String::from_utf8_lossy(&log))
    }

    /// Whether lldb has sent a packet that begins so, answered or not.
    #[must_use]
    pub fn packets_sent(&self, start: &str) -> bool {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&log).contains(&format!("send packet: ${start}"))
    }

    /// The packets of lldb's that the server does not know, while lldb-server does.
    fn unknown(&self) -> Vec<String> {
        let log = fs::read(self.log()).unwrap_or_default();
        let unanswered = packets(&String::from_utf8_lossy(&log)).into_iter().filter(|packet| packet.reply.is_empty());
        let is_expected = |request: &str| UNKNOWN_TO_LLDB_SERVER.iter().any(|known| request.starts_with(known));
        unanswered.map(|packet| packet.request).filter(|request| !is_expected(request)).collect()
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("packets")
    }

    /// Waits until all commands have been carried out: a word that is none is complained of after them.
    #[track_caller]
    fn settled(&mut self) -> String {
        self.commands += 1;
        let mark = format!("mark-{}-", self.commands);
        self.send(&mark);
        let complaint = format!("'{mark}' is not a valid command");
        let mut told = String::new();
        loop {
            let line = self.line();
            if line.contains(&complaint) {
                return told;
            }
            // Commands are echoed behind the prompt, and what is asked for is no answer.
            if !line.contains(&mark) && !line.starts_with(PROMPT) {
                told.push_str(&line);
                told.push('\n');
            }
        }
    }

    #[track_caller]
    fn line(&mut self) -> String {
        let Some(line) = receive(&self.lines) else { panic!("lldb has nothing to say any more:\n{}", self.transcript) };
        self.transcript.push_str(&line);
        self.transcript.push('\n');
        line
    }
}

impl Drop for Lldb {
    fn drop(&mut self) {
        // A test that has failed says why by itself.
        if !std::thread::panicking() {
            let unknown = self.unknown();
            assert!(unknown.is_empty(), "not known to the server: {unknown:?}");
        }
    }
}

/// Where the modules are that lldb's own commands in Python need: Debian's lldb looks for them elsewhere.
fn python_modules() -> Option<PathBuf> {
    let entries = |directory: &Path| fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut places = entries(Path::new("/usr/lib"))
        .filter(|path| path.to_string_lossy().starts_with("/usr/lib/llvm-"))
        .flat_map(|llvm| entries(&llvm.join("lib")).collect::<Vec<_>>())
        .map(|version| version.join("dist-packages"));
    places.find(|place| place.join("lldb/embedded_interpreter.py").exists())
}

/// The packets in a log. lldb may wait for one answer at a time only.
fn packets(log: &str) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut asked: Option<String> = None;
    for line in log.lines().filter(|line| !line.starts_with("lldb             history") && !line.contains("history[")) {
        if let Some((_, request)) = line.split_once("send packet: ") {
            if let Some(body) = body(request) {
                asked = Some(body);
            }
        } else if let Some((_, reply)) = line.split_once("read packet: ")
            && let Some(reply) = body(reply)
            && let Some(request) = asked.take()
        {
            packets.push(Packet { request, reply });
        }
    }
    packets
}

/// What is between `$` and the last `#`; `None` for acknowledgements.
fn body(packet: &str) -> Option<String> {
    let body = packet.strip_prefix('$')?;
    Some(body.rsplit_once('#').map_or(body, |(body, _)| body).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_are_paired() {
        let log = "lldb <   1> send packet: +\nlldb <  19> send packet: $QStartNoAckMode#b0\nlldb <   1> read packet: +\n\
                   lldb <   6> read packet: $OK#9a\nx < 5> send packet: $qSymbol::#5b\nx < 4> read packet: $#00\n";
        let packet = |request: &str, reply: &str| Packet { request: request.into(), reply: reply.into() };
        assert_eq!(packets(log), [packet("QStartNoAckMode", "OK"), packet("qSymbol::", "")]);
    }
}
