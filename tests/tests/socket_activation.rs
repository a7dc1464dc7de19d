//! Sockets that systemd has opened for the server.

use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use dbgsrv_tests::premote;
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::rsp::Client;
use dbgsrv_tests::server::{Server, dbgsrv};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// What a shell does to become a server that was passed `socket`.
fn passing(socket: &impl AsFd) -> String {
    let descriptor = socket.as_fd();
    fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty())).expect("it is open");
    format!("exec 3<&{}; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=app", descriptor.as_raw_fd())
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    (listener, port)
}

/// The exit status and the errors of a server that ends at once.
fn run(first: &str, transport: &str) -> (i32, String) {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{first}; exec \"$0\" -t {transport}")]).arg(dbgsrv());
    let mut process = Owned::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer));
    drop(command);
    (process.wait(), std::io::read_to_string(reader).expect("errors are text"))
}

#[test]
fn a_transport_takes_the_passed_socket_at_its_port() {
    let (socket, port) = listener();
    // It waits in the socket's queue from before there is a server.
    let mut client = Client::connect(port);
    let server = Server::start_after_with(&passing(&socket), &format!("tcp:port={port}"));
    assert_eq!(server.port(), port);
    assert!(client.request("qSupported").contains("PacketSize="));
    drop(socket);
    server.assert_still_serves();
    let info = premote::at(&server, &["info"]).success();
    assert!(info.contains(&format!("tcp:port={port}")), "{info}");
}

#[test]
fn a_range_takes_the_passed_socket_in_it_and_other_transports_listen_by_themselves() {
    let (socket, port) = listener();
    let high = port.saturating_add(5);
    let transports = format!("tcp:port={port}:{high} -t tcp:port=0,bind=127.0.0.1");
    let server = Server::start_after_with(&passing(&socket), &transports);
    assert_eq!(server.port(), port);
    let info = premote::at(&server, &["info"]).success();
    assert!(info.contains(&format!("tcp:port={port}:{high}")) && info.contains("bind=127.0.0.1"), "{info}");
}

#[test]
fn a_pipe_takes_the_passed_socket_whose_file_has_its_name_and_leaves_the_file_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("activated");
    let socket = UnixListener::bind(&path).expect("there is room");
    let transports = "npipe:pipe=activated -t tcp:port=0";
    let mut server = Server::start_after_with(&passing(&socket), transports);
    let program = format!("target extended-remote {}", path.display());
    let transcript = dbgsrv_tests::gdb::batch(&[program, "info os processes".to_owned()]);
    transcript.assert_has("dbgsrv");
    server.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
    assert!(path.exists());
}

#[test]
fn a_passed_socket_that_no_transport_asks_for_is_an_error_that_names_it() {
    let (socket, port) = listener();
    let (status, message) = run(&passing(&socket), "tcp:port=0");
    assert_eq!(status, 1, "{message}");
    assert!(message.contains(&format!("tcp 127.0.0.1:{port}")), "{message}");
}

#[test]
fn what_is_no_listening_socket_is_refused() {
    let (status, message) = run("exec 3</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1", "tcp:port=0");
    assert!(status == 1 && message.contains("descriptor 3"), "{status} {message}");
    let (status, message) = run("export LISTEN_PID=$$ LISTEN_FDS=many", "tcp:port=0");
    assert!(status == 1 && message.contains("LISTEN_FDS is `many`"), "{status} {message}");
}

#[test]
fn what_was_passed_to_another_process_is_left_alone_and_programs_do_not_inherit_it() {
    let server = Server::start_after_with("export LISTEN_PID=1 LISTEN_FDS=1", "tcp:port=0");
    server.assert_still_serves();
    let (socket, port) = listener();
    let server = Server::start_after_with(&passing(&socket), &format!("tcp:port={port}"));
    let mut client = Client::greeted(server.port());
    let pid = client.run(&["/bin/sleep", "60"]);
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("it runs");
    assert!(!String::from_utf8_lossy(&environment).contains("LISTEN_"));
}
