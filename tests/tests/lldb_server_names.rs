//! `dbgsrv` under the name of lldb-server: the same command lines and exit statuses.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use dbgsrv_tests::gdb::{Transcript, batch};
use dbgsrv_tests::named::{Link, Running};
use dbgsrv_tests::process::{Owned, threads};
use dbgsrv_tests::rsp::{Client, packet};
use dbgsrv_tests::{premote, program, wait_until};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

fn link() -> Link {
    Link::new("lldb-server")
}

/// Starts the server with descriptor 7 for its standard input or output.
fn start_with_descriptor(link: &Link, redirection: &str, stdin: impl Into<Stdio>, arguments: &[&str]) -> Running {
    let mut command = Command::new("/bin/sh");
    let script = format!("exec \"$0\" \"$@\" {redirection} < /dev/null");
    command.args(["-c", &script]).arg(link.path()).args(arguments).stdin(stdin);
    Running::start(command)
}

/// The port in what was written to a pipe as a string of C.
fn port_in(text: &str) -> u16 {
    text.strip_suffix('\0').and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{text:?} is no port"))
}

/// A port from a file that appears with it.
fn port_from(file: &Path) -> u16 {
    wait_until("the file has the port", || file.exists());
    fs::read_to_string(file).expect("the file can be read").parse().expect("it holds a number")
}

#[test]
fn the_port_is_written_to_a_named_pipe_and_the_server_ends_with_its_client() {
    let link = link();
    let pipe = link.folder().join("port");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a named pipe can be made");
    let mut server = link.start(&["gdbserver", "localhost:0", "--named-pipe", &pipe.display().to_string()]);
    let port = port_in(&fs::read_to_string(&pipe).expect("the server writes"));
    let mut client = Client::connect(port);
    assert_eq!(client.request("QStartNoAckMode"), "OK");
    drop(client);
    assert_eq!(server.end(), 0);
    server.assert_said("Connection established.\n");
    server.assert_said("lldb-server exiting...\n");
}

#[test]
fn the_port_is_written_to_an_inherited_descriptor() {
    let link = link();
    let mut server = start_with_descriptor(&link, "7>&1", Stdio::null(), &["g", ":0", "--pipe=7"]);
    // The lines of its output are cut at the newline, which comes with the client.
    let pipe = link.folder().join("port");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a named pipe can be made");
    let redirection = format!("7> {}", pipe.display());
    let mut second = start_with_descriptor(&link, &redirection, Stdio::null(), &["g", ":0", "--pipe", "7"]);
    let port = port_in(&fs::read_to_string(&pipe).expect("the server writes"));
    assert_eq!(Client::connect(port).request("QStartNoAckMode"), "OK");
    assert_eq!(second.end(), 0);
    server.process.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(server.end(), 0);
}

#[test]
fn a_client_that_listens_is_called() {
    let link = link();
    let listener = TcpListener::bind(("localhost", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let mut server = link.start(&["gdbserver", "--reverse-connect", &format!("[{}]:{}", address.ip(), address.port())]);
    let (stream, _) = listener.accept().expect("the server calls");
    let mut client = Client::over(stream);
    assert_eq!(client.request("QStartNoAckMode"), "OK");
    drop(client);
    assert_eq!(server.end(), 0);
}

#[test]
fn the_connection_may_be_an_inherited_socket() {
    let link = link();
    let (mut ours, theirs) = UnixStream::pair().expect("a pair of sockets can be made");
    let arguments = ["gdbserver", "--fd=7", "--native-regs", "--setsid"];
    let mut server = start_with_descriptor(&link, "7<&0", std::os::fd::OwnedFd::from(theirs), &arguments);
    ours.write_all(&packet(b"QStartNoAckMode")).expect("the server reads");
    let mut answer = [0; 7];
    ours.read_exact(&mut answer).expect("the server answers");
    assert_eq!(&answer, b"+$OK#9a");
    drop(ours);
    assert_eq!(server.end(), 0);
}

#[test]
fn the_client_may_come_to_a_socket_in_the_file_system() {
    let link = link();
    let socket = link.folder().join("socket");
    // What a server that was killed leaves behind is no hindrance.
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket can be made"));
    let basics = program::path("basics").display().to_string();
    let mut server = link.start(&["gdbserver", &format!("unix://{}", socket.display()), "--", &basics]);
    wait_until("the server listens", || is_listening(&socket));
    let target = format!("target remote {}", socket.display());
    let transcript = batch(&[format!("file {basics}"), "set sysroot /".into(), target, "continue".into()]);
    transcript.assert_has("exited with code 03]");
    assert_eq!(server.end(), 0);
    assert!(!socket.exists(), "the socket is left behind");
}

/// Whether somebody listens on a socket of the file system (`proc_net(5)`); it would let in whoever tries.
fn is_listening(socket: &Path) -> bool {
    let table = fs::read_to_string("/proc/net/unix").expect("the kernel lists its sockets");
    table.lines().any(|line| line.ends_with(&socket.display().to_string()) && line.contains(" 00010000 "))
}

#[test]
fn a_process_named_on_the_command_line_is_attached_to_and_ends_when_it_is_killed() {
    let link = link();
    let mut other = Owned::spawn(Command::new("sleep").arg("100"));
    let file = link.folder().join("port");
    File::create(&file).expect("a file can be made");
    let attach = format!("--attach={}", other.pid());
    let server = link.start(&["gdbserver", &attach, "localhost:0", "--named-pipe", &file.display().to_string()]);
    wait_until("the port is told", || fs::metadata(&file).is_ok_and(|file| file.len() > 0));
    wait_until("it is attached to", || threads(other.pid())[0].tracer == server.process.pid().as_raw());
    let mut client = Client::connect(port_in(&fs::read_to_string(&file).expect("the file can be read")));
    assert_eq!(client.request("QStartNoAckMode"), "OK");
    client.send_raw(&packet(b"k")).expect("the server reads");
    assert_eq!(other.wait(), -9);
}

#[test]
fn what_cannot_be_served_is_said_and_has_lldb_servers_exit_status() {
    let link = link();
    let cases: [(&[&str], i32); 6] = [
        (&["g", "localhost:0", "/no/such"], 1),
        (&["g", "localhost:0", "--attach=999999999"], 1),
        (&["g", "--reverse-connect", "localhost:1"], 255),
        (&["g", "no-such-host.invalid:0"], 255),
        (&["p", "--listen", "no-such-host.invalid:0"], 255),
        (&["version"], 0),
    ];
    for (arguments, status) in cases {
        let mut server = link.start(arguments);
        assert_eq!(server.end(), status, "{arguments:?}: {}", server.said);
        assert!(!server.said.is_empty(), "{arguments:?}");
        let original = Command::new("lldb-server").args(arguments).stdin(Stdio::null()).output();
        let original = original.expect("lldb-server runs");
        assert_eq!(original.status.code(), Some(status), "lldb-server {arguments:?}");
    }
    for arguments in [&["g"][..], &["g", "--nope"], &["g", "--fd"], &["p"], &["p", "--listen", ":0", "--nope"]] {
        assert_eq!(link.start(arguments).end(), 1, "{arguments:?}");
    }
    for arguments in [&[][..], &["x"], &["g", "--help"], &["p", "--help"]] {
        assert_eq!(link.start(arguments).end(), 0, "{arguments:?}");
    }
}

#[test]
fn a_platform_writes_its_port_to_a_file_and_ends_with_its_last_client() {
    let link = link();
    let file = link.folder().join("port");
    let mut server = link.start(&["platform", "--listen", "*:0", "--socket-file", &file.display().to_string()]);
    let port = port_from(&file);
    let mut first = Client::greeted(port);
    let mut second = Client::greeted(port);
    assert_eq!(first.request("!"), "OK");
    drop(first);
    assert_eq!(second.request("!"), "OK");
    drop(second);
    assert_eq!(server.end(), 0);
}

#[test]
fn a_platform_that_is_a_server_serves_on() {
    let link = link();
    let file = link.folder().join("port");
    let arguments = ["p", "--server", "--listen", "localhost:0", "--socket-file", &file.display().to_string()];
    let mut server = link.start(&arguments);
    let port = port_from(&file);
    for _ in 0..2 {
        assert_eq!(Client::connect(port).request("QStartNoAckMode"), "OK");
    }
    server.process.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(server.end(), 0);
}

#[test]
fn an_lldb_without_a_server_starts_it_for_programs_of_its_own_machine() {
    let link = link();
    let commands = [
        "breakpoint set --name square",
        "run",
        // Of lldb-server's own, packets are half as large.
        "process plugin packet send qSupported",
        "frame variable x",
        "process continue",
    ];
    let mut lldb = Command::new("lldb");
    lldb.args(["--no-lldbinit", "--no-use-colors", "--batch"]);
    lldb.args(commands.iter().flat_map(|command| ["-o", command])).arg(program::path("basics"));
    lldb.env("LLDB_DEBUGSERVER_PATH", link.path()).env("LC_ALL", "C").stdin(Stdio::null());
    let outcome = premote::finish(lldb);
    let transcript = Transcript(outcome.stdout + &outcome.stderr);
    transcript.assert_has("PacketSize=40000;");
    transcript.assert_has("x = 6");
    transcript.assert_has("watched is 37");
    transcript.assert_has("exited with status = 3");
}
