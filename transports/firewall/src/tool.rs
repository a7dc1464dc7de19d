//! Starting a firewall's tool.

use crate::FirewallError;
use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

/// Where the tools are that only root has in `PATH`.
const ROOTS_FOLDERS: &str = "/usr/sbin:/sbin";
/// Most characters of what a tool says that a message repeats.
const MAX_SAID: usize = 300;

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
    /// What it said about a failure, in one line; how it ended, where it said nothing.
    pub(crate) said: String,
}

/// Runs a tool to its end, without a shell; `None` where it is not installed.
pub(crate) fn run(tool: &'static str, arguments: &[&str], input: &str) -> Result<Option<Run>, FirewallError> {
    match execute(tool, arguments, input) {
        Ok(output) => Ok(Some(Run::of(&output))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FirewallError::Start { tool, source }),
    }
}

fn execute(tool: &str, arguments: &[&str], input: &str) -> io::Result<Output> {
    let path =
        std::env::var("PATH").map_or_else(|_| ROOTS_FOLDERS.to_owned(), |path| format!("{path}:{ROOTS_FOLDERS}"));
    let mut command = Command::new(tool);
    // What it says is read here, and repeated as it is in English.
    command.args(arguments).env("PATH", path).env("LC_ALL", "C");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not want it says what is wrong.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output()
}

impl Run {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let words = if stderr.trim().is_empty() { &stdout } else { &stderr };
        let line: Vec<_> = words.split_whitespace().collect();
        let said = if line.is_empty() { output.status.to_string() } else { line.join(" ") };
        let said = said.chars().take(MAX_SAID).collect();
        Self { succeeded: output.status.success(), stdout, said }
    }

    /// The error of a run that failed.
    pub(crate) fn succeed(self, tool: &'static str) -> Result<String, FirewallError> {
        if self.succeeded { Ok(self.stdout) } else { Err(FirewallError::Refused { tool, said: self.said }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_gets_its_words_and_its_input_as_they_are() {
        let run = run("sh", &["-c", "cat; echo \"$0\" >&2", "$(id) ; a"], "in\n").unwrap().unwrap();
        assert!(run.succeeded);
        assert_eq!((run.stdout.as_str(), run.said.as_str()), ("in\n", "$(id) ; a"));
    }

    #[test]
    fn a_tool_that_is_not_there_or_fails_is_told_apart() {
        assert!(run("no-such-tool-of-dbgsrv", &[], "").unwrap().is_none());
        let failed = run("sh", &["-c", "echo no, never >&2; exit 3"], "").unwrap().unwrap();
        let error = failed.succeed("sh").unwrap_err().to_string();
        assert!(error.starts_with("sh says: no, never; allowed: "), "{error}");
        let silent = run("sh", &["-c", "exit 3"], "").unwrap().unwrap();
        assert_eq!(silent.said, "exit status: 3");
    }
}
