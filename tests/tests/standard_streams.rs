//! What programs print, and what they read: whose terminal it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use dbgsrv_tests::process::Owned;
use dbgsrv_tests::rsp::{self, hex, unhex};
use dbgsrv_tests::server::{Kind, Server, dbgsrv, stand_in_lacks};
use dbgsrv_tests::{GUARD, premote, program};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The program's path, with which it is started without a shell.
fn streams() -> String {
    program::path("streams").to_str().expect("text").to_owned()
}

/// gdb's commands that run the program to its end.
fn run(mode: &str) -> [String; 4] {
    let path = streams();
    [format!("file {path}"), format!("set remote exec-file {path}"), format!("run {mode}"), "kill".to_owned()]
}

fn through_premote(server: &Server, mode: &str) -> dbgsrv_tests::gdb::Transcript {
    let commands = run(mode);
    premote::gdb(server, &[], &commands.each_ref().map(String::as_str)).1
}

/// A client that does what LLDB does before it starts a program.
fn lldb(server: &Server) -> rsp::Client {
    let mut client = server.rsp();
    client.request("QThreadSuffixSupported");
    client.request("QStartupWithShell:0");
    client
}

fn start(client: &mut rsp::Client, mode: &str) {
    let stop = client.request(&format!("vRun;{};{}", hex(streams().as_bytes()), hex(mode.as_bytes())));
    assert!(stop.starts_with('T'), "vRun is answered {stop}");
}

fn text(packet: &str) -> String {
    let digits = packet.strip_prefix('O').unwrap_or_else(|| panic!("{packet} is no output"));
    String::from_utf8_lossy(&unhex(digits)).into_owned()
}

/// What the program prints until it stops or ends, and how that is told.
fn resumed(client: &mut rsp::Client) -> (String, String) {
    client.send("vCont;c");
    rest(client)
}

fn rest(client: &mut rsp::Client) -> (String, String) {
    let mut output = String::new();
    loop {
        let packet = client.reply();
        if !packet.starts_with('O') {
            return (output, packet);
        }
        output.push_str(&text(&packet));
    }
}

#[test]
fn gdb_through_premote_sees_what_a_program_prints() {
    if Kind::under_test() != Kind::Dbgsrv {
        return;
    }
    let server = Server::start();
    let transcript = through_premote(&server, "both");
    transcript.assert_has("this is stdout\n");
    transcript.assert_has("this is stderr\n");
    transcript.assert_has("exited with code 03]");
    through_premote(&server, "read").assert_has("nothing to read\n");
    assert!(!server.log().contains("this is"), "{}", server.log());
}

#[test]
fn all_that_a_program_prints_comes_before_its_end() {
    if Kind::under_test() != Kind::Dbgsrv {
        return;
    }
    let server = Server::start();
    let whole = |output: &str| {
        let numbers = output.lines().filter_map(|line| line.strip_prefix("line ")?.parse::<u32>().ok());
        assert!(numbers.eq(0..20_000), "{} bytes", output.len());
    };
    let mut client = lldb(&server);
    start(&mut client, "many");
    let (output, end) = resumed(&mut client);
    whole(&output);
    assert!(end.starts_with("W03"), "{end}");
    whole(&through_premote(&server, "many").0);
}

#[test]
fn a_program_of_a_gdb_that_is_connected_directly_writes_to_the_servers_terminal() {
    if Kind::under_test() != Kind::Dbgsrv {
        return;
    }
    let server = Server::start();
    let commands = run("both");
    let transcript = server.gdb(None, &commands.each_ref().map(String::as_str));
    transcript.assert_lacks("this is");
    transcript.assert_has("exited with code 03]");
    server.assert_logs("this is stdout");
    server.assert_logs("this is stderr");
}

#[test]
fn each_program_of_a_server_in_the_foreground_reads_what_is_typed_there() {
    if Kind::under_test() != Kind::Dbgsrv {
        return;
    }
    let mut script = Command::new("script");
    let command = format!("{} -t tcp:port=0", dbgsrv().display());
    script.args(["-qec", &command, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = Owned::spawn(&mut script);
    let mut keyboard = terminal.child().stdin.take().expect("it is piped");
    let screen = BufReader::new(terminal.child().stdout.take().expect("it is piped"));
    let port = screen.lines().find_map(|line| {
        let line = line.expect("the terminal shows text");
        line.split_once("listening on tcp port ")?.1.split(' ').next()?.parse().ok()
    });
    let mut client = rsp::Client::greeted(port.expect("it says where it listens"));
    client.request("QStartupWithShell:0");
    for _ in 0..2 {
        let stop = client.request(&format!("vRun;{};{}", hex(b"/usr/bin/head"), hex(b"-n1")));
        assert!(stop.starts_with("T05"), "{stop}");
        client.send("vCont;c");
        keyboard.write_all(b"typed\r").expect("script reads");
        let end = client.reply();
        assert!(end.starts_with("W00"), "{end}");
    }
}

#[test]
fn a_program_ignores_no_signal_that_the_server_was_told_to_ignore() {
    if stand_in_lacks("the client as a place for output") {
        return;
    }
    let server = Server::start_after_with("trap '' HUP PIPE XFSZ TTOU USR1", "tcp:port=0,stdio=client");
    let mut client = lldb(&server);
    let words = ["/bin/grep", "SigIgn", "/proc/self/status"].map(|word| hex(word.as_bytes()));
    client.request(&format!("vRun;{}", words.join(";")));
    let (line, _) = resumed(&mut client);
    let signals = line.split_whitespace().next_back().expect("the kernel says which");
    let signals = u64::from_str_radix(signals, 16).expect("a mask");
    // Beyond are the C library's own.
    assert_eq!(signals & 0x7fff_ffff, 0, "{line}");
}

#[test]
fn the_connection_string_and_a_monitor_command_choose_otherwise() {
    if stand_in_lacks("the choice") {
        return;
    }
    let server = Server::start_with(&["-t", "tcp:port=0,stdio=client"]);
    let [file, exec_file, run, kill] = &run("both").map(|command| command);
    let commands = [file, exec_file, run, kill].map(String::as_str);
    server.gdb(None, &commands).assert_has("this is stdout\n");
    let commands = [file, exec_file, "monitor stdio server", run, kill];
    let transcript = server.gdb(None, &commands);
    transcript.assert_has("programs that are started from now on write to the server");
    transcript.assert_lacks("this is");
    server.assert_logs("this is stdout");

    let server = Server::start_with(&["-t", "tcp:port=0,stdio=server"]);
    through_premote(&server, "both").assert_lacks("this is");
    server.assert_logs("this is stderr");
}

#[test]
fn an_lldb_gets_output_as_from_a_terminal_and_its_user_types_there() {
    if stand_in_lacks("a console for clients") {
        return;
    }
    let server = Server::start();
    let mut client = lldb(&server);
    assert!(client.request(&format!("I{}", hex(b"too soon\n"))).starts_with('E'));
    start(&mut client, "read");
    assert_eq!(client.request(&format!("I{}", hex(b"hello\n"))), "OK");
    let (output, end) = resumed(&mut client);
    assert_eq!(output, "hello\r\nread <hello>\r\n");
    assert!(end.starts_with("W03"), "{end}");
}

#[test]
fn files_take_the_place_of_a_console() {
    if stand_in_lacks("files for standard streams") {
        return;
    }
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    std::fs::write(&input, "from a file\n").expect("written");
    let mut client = lldb(&server);
    for (packet, path) in [("QSetSTDIN", &input), ("QSetSTDOUT", &output)] {
        assert_eq!(client.request(&format!("{packet}:{}", hex(path.to_str().expect("text").as_bytes()))), "OK");
    }
    start(&mut client, "read");
    let (printed, end) = resumed(&mut client);
    assert_eq!(printed, "");
    assert!(end.starts_with("W03"), "{end}");
    assert_eq!(std::fs::read_to_string(&output).expect("written"), "read <from a file>\n");

    assert_eq!(client.request(&format!("QSetSTDOUT:{}", hex(b"/nonexistent/out"))), "OK");
    let refused = client.request(&format!("vRun;{};{}", hex(streams().as_bytes()), hex(b"both")));
    assert!(refused.starts_with('E'), "{refused}");
}

/// Reads up to `mark` what may be megabytes, and not byte by byte.
fn read_until(client: &mut rsp::Client, mark: &str) {
    let stream = client.stream();
    stream.set_read_timeout(Some(GUARD)).expect("the guard is not zero");
    let mut flood = String::new();
    let mut chunk = vec![0; 0x1_0000];
    while !flood.contains(mark) {
        let count = stream.read(&mut chunk).expect("it comes");
        assert!(count > 0, "the server has closed the connection");
        flood.push_str(std::str::from_utf8(&chunk[..count]).expect("packets of hex"));
    }
}

#[test]
fn output_without_end_hides_no_interrupt() {
    if stand_in_lacks("a console for clients") {
        return;
    }
    let server = Server::start();
    let mut client = lldb(&server);
    start(&mut client, "endless");
    // More comes when it goes on after a stop.
    for _ in 0..2 {
        client.send_raw(&rsp::packet(b"vCont;c")).expect("the server reads");
        read_until(&mut client, &hex(b"again and again\r\n"));
        client.send_raw(b"\x03").expect("the server reads");
        read_until(&mut client, "$T");
    }
}

#[test]
fn a_program_that_leaves_its_console_to_another_ends_at_once() {
    if stand_in_lacks("a console for clients") {
        return;
    }
    let server = Server::start();
    let mut client = lldb(&server);
    start(&mut client, "leave");
    let (output, end) = resumed(&mut client);
    let left = output.trim().strip_prefix("left ").and_then(|pid| pid.parse().ok());
    assert!(end.starts_with("W03"), "{end}");
    kill(Pid::from_raw(left.expect("a process")), Signal::SIGKILL).expect("it is there");
    start(&mut client, "both");
    assert_eq!(resumed(&mut client).0, "this is stdout\r\nthis is stderr\r\n");
}
