//! Pipes of other machines, reached through the user's `ssh`, as Windows carries remote pipes over its authenticated file
//! sharing.
//!
//! `ssh` runs `premote relay --stdio` there, which looks the pipe up as that machine's user, and passes bytes on between it
//! and what `ssh` carries. A tunnel of ssh's own (`-L` with a socket's path) would need nothing there but the server, and
//! would have to know the path, which depends on the user's session there.

use dbgsrv_protocol::options::{ClientOptions, PipeHost, PipeName, client};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::debug;

/// What the far side says, as a line, when bytes are passed on from then on.
pub const REMOTE_PIPE_GREETING: &str = "premote relay: connected\n";

/// Most bytes that the far side's shell may print before that.
const MAX_CHATTER: usize = 0x1_0000;
/// Longest line of ssh's that an error repeats, in bytes.
const MAX_REASON: u64 = 1024;
/// How long an ssh that has ended may take to say why.
const REASON_LIMIT: Duration = Duration::from_secs(2);
/// Exit status of a shell that does not find the command (POSIX, "Command Search and Execution").
const NOT_FOUND: i32 = 127;

/// `ssh` without what the user's configuration may have for terminals, and so that a machine that is gone is noticed within a
/// minute. A shell starts it, so that it is not ended by Ctrl-C, which is meant for the program that is debugged.
const SSH: [&str; 13] = [
    "-c",
    "trap '' INT; exec ssh \"$@\"",
    "ssh",
    "-T",
    "-a",
    "-x",
    "-oClearAllForwardings=yes",
    "-oConnectTimeout=15",
    "-oPermitLocalCommand=no",
    "-oRemoteCommand=none",
    "-oServerAliveInterval=15",
    "-oServerAliveCountMax=3",
    "--",
];

/// Connects to the pipe `name` on another machine. Takes as long as `ssh` takes, which may ask its user something at the
/// terminal. Cancel safe: what was started ends. Must be called inside a tokio runtime with I/O.
///
/// # Errors
/// What ssh, or `premote` at the other end, printed last.
pub async fn connect_remote(server: &PipeHost, name: &PipeName) -> io::Result<UnixStream> {
    let (ours, theirs) = net::UnixStream::pair()?;
    let theirs = OwnedFd::from(theirs);
    let mut command = Command::new("sh");
    command.args(SSH).arg(server.to_string()).arg(far_command(name));
    command.stdin(theirs.try_clone()?).stdout(theirs).stderr(Stdio::piped()).kill_on_drop(true);
    let mut ssh = command.spawn()?;
    // It holds the far end, which would keep the stream open after the end of ssh.
    drop(command);
    let reason = ssh.stderr.take().map(|stderr| tokio::spawn(last_line(stderr)));
    ours.set_nonblocking(true)?;
    let mut stream = UnixStream::from_std(ours)?;
    if greeted(&mut stream).await? {
        tokio::spawn(ended(ssh));
        return Ok(stream);
    }
    // Nothing more is sent to it, and nobody reads what it says.
    drop(stream);
    Err(failure(&mut ssh, reason).await)
}

/// The command line for the far side's shell. A name has no quotation marks or backslashes, so that nothing in single quotes
/// means anything to it.
fn far_command(name: &PipeName) -> String {
    let server = PipeHost::this_machine();
    let pipe = ClientOptions::NamedPipe(client::NamedPipe { server, pipe: name.clone(), password: None });
    format!("exec premote relay -c '{pipe}' --stdio")
}

/// Whether the far side says that it is connected. Its shell may say something before.
async fn greeted(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
    let greeting = REMOTE_PIPE_GREETING.as_bytes();
    let mut line = Vec::new();
    for _ in 0..MAX_CHATTER {
        // No byte more than the line: what follows is the server's.
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(false);
        }
        line.push(byte[0]);
        match byte[0] {
            b'\n' if line == greeting => return Ok(true),
            b'\n' => line.clear(),
            _ => {}
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "the machine's shell prints without end; what it reads at start must not",
    ))
}

/// The last line that says something, once there are no more.
async fn last_line(stderr: impl AsyncRead + Unpin) -> String {
    let mut stderr = BufReader::new(stderr);
    let mut last = String::new();
    loop {
        let mut line = Vec::new();
        match (&mut stderr).take(MAX_REASON).read_until(b'\n', &mut line).await {
            Ok(1..) => {}
            _ => return last,
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if !line.is_empty() {
            debug!(line, "ssh");
            last = line;
        }
    }
}

/// Waits for the end of an ssh that has served.
async fn ended(mut ssh: Child) {
    match ssh.wait().await {
        Ok(status) => debug!(%status, "ssh has ended"),
        Err(error) => debug!(%error, "ssh can't be waited for"),
    }
}

/// Why there is no connection.
async fn failure(ssh: &mut Child, reason: Option<JoinHandle<String>>) -> io::Error {
    let status = match ssh.wait().await {
        Ok(status) => status,
        Err(error) => return error,
    };
    let reason = match reason {
        // A connection that ssh shares may outlive it, and hold its standard error.
        Some(reason) => timeout(REASON_LIMIT, reason).await.ok().and_then(Result::ok).unwrap_or_default(),
        None => String::new(),
    };
    io::Error::other(explained(status, &reason))
}

fn explained(status: ExitStatus, reason: &str) -> String {
    match status.code() {
        Some(NOT_FOUND) => {
            format!("ssh: {reason}; `ssh` is needed here, and `premote` there, where commands over ssh find it")
        }
        _ if reason.is_empty() => format!("ssh ended with {status}"),
        _ => format!("ssh: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_name_means_nothing_to_the_other_machines_shell() {
        for name in ["app", "a;reboot", "$(reboot)", "`reboot`", "a,b", "-rf", "a&b|c>d*", "%d!x"] {
            let command = far_command(&name.parse().unwrap());
            let quoted =
                command.strip_prefix("exec premote relay -c '").and_then(|rest| rest.strip_suffix("' --stdio"));
            let quoted = quoted.unwrap_or_else(|| panic!("{command}"));
            assert!(!quoted.contains(['\'', '\\']), "{command}");
            let Ok(ClientOptions::NamedPipe(pipe)) = quoted.parse() else { panic!("{command}") };
            assert_eq!(pipe.pipe.as_str(), name);
        }
    }

    #[test]
    fn what_ssh_printed_last_is_the_reason() {
        let status = |code: i32| ExitStatus::from_raw(code << 8);
        assert_eq!(explained(status(255), "Connection refused"), "ssh: Connection refused");
        assert_eq!(explained(status(1), ""), "ssh ended with exit status: 1");
        assert!(explained(status(127), "sh: premote: not found").contains("`premote` there"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_far_sides_shell_may_say_something_first_and_no_byte_of_the_server_is_lost() {
        let said = format!("Welcome\nto box17\n{REMOTE_PIPE_GREETING}$rest");
        let mut stream = said.as_bytes();
        assert!(greeted(&mut stream).await.unwrap());
        assert_eq!(stream, b"$rest");
        assert!(!greeted(&mut &b"Permission denied\n"[..]).await.unwrap());
        assert!(greeted(&mut tokio::io::repeat(b'x')).await.is_err());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_last_line_of_many_is_kept_and_none_grows_without_end() {
        assert_eq!(last_line(&b"Warning: x\n\nConnection refused\r\n\n"[..]).await, "Connection refused");
        assert_eq!(last_line(&vec![b'x'; 5000][..]).await.len(), 5000 % 1024);
    }
}
