//! lldb, told what to do on its standard input: a command that fails does not end it, as one does in its batch mode.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc::channel;

use crate::gdb::Transcript;
use crate::process::Owned;
use crate::receive;

/// A command line of lldb's.
#[derive(Debug)]
pub struct Lldb(Command);

impl Default for Lldb {
    fn default() -> Self {
        Self::new()
    }
}

impl Lldb {
    /// One without the user's settings.
    #[must_use]
    pub fn new() -> Self {
        let mut command = Command::new("lldb");
        command.args(["--no-lldbinit", "--no-use-colors"]).env("LC_ALL", "C");
        Self(command)
    }

    /// Runs these commands, one after the other, and returns what was printed.
    ///
    /// # Panics
    /// When lldb does not come to its end.
    #[must_use]
    pub fn run(self, commands: &[String]) -> Transcript {
        let mut lldb = self.0;
        let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
        let (commands_of_lldb, mut input) = std::io::pipe().expect("a pipe can be made");
        let stdout = writer.try_clone().expect("a pipe's end can be duplicated");
        let mut process = Owned::spawn(lldb.stdin(commands_of_lldb).stdout(stdout).stderr(writer));
        // The command holds the ends of the pipes, which would keep them open after lldb's end.
        drop(lldb);
        let script = format!("{}\nquit\n", commands.join("\n"));
        input.write_all(script.as_bytes()).expect("a script fits into a pipe");
        drop(input);
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // A failed read ends the output just as its end does; what came before is judged.
            let _ = reader.read_to_end(&mut bytes);
            let _ = sender.send(bytes);
        });
        let Some(bytes) = receive(&output) else { panic!("lldb hangs in these commands: {commands:#?}") };
        process.wait();
        Transcript(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The packets in a log of LLDB's (`log enable gdb-remote packets`) that were answered with nothing: not supported.
#[must_use]
pub fn unsupported(log: &str) -> Vec<String> {
    let mut last = "";
    let mut found = Vec::new();
    for line in log.lines() {
        if let Some((_, sent)) = line.split_once("send packet: $") {
            last = sent;
        } else if line.contains("read packet: $#00") {
            found.push(last.to_owned());
        }
    }
    found
}
