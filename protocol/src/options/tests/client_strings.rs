//! What a client's strings mean.

use alloc::string::ToString;

use crate::options::client::ThreadEvents;
use crate::options::{ClientOptions, ListenPort, PasswordSource, Transport, Trust};

fn parse(text: &str) -> ClientOptions {
    text.parse().unwrap()
}

#[test]
fn the_forms_and_examples_of_the_reference_are_read() {
    for (given, printed) in [
        ("tcp:server=BOX17,port=1025", "tcp:server=BOX17,port=1025"),
        ("tcp:Port=1025,Server=BOX17", "tcp:server=BOX17,port=1025"),
        ("npipe:server=BOX17,pipe=AnotherPipe", "npipe:server=BOX17,pipe=AnotherPipe"),
        ("npipe:pipe=fdsa,server=localhost", "npipe:server=localhost,pipe=fdsa"),
        ("npipe:server=BOXA,pipe=FarPipe", "npipe:server=BOXA,pipe=FarPipe"),
        ("tcp:clicon=127.0.0.20,port=1033", "tcp:clicon=127.0.0.20,port=1033"),
        (r"tcp:server=\\BOX17,port=53,password=Secret1", "tcp:server=BOX17,port=53,password=Secret1"),
        ("tcp:server=::1,port=53,ipversion=6", "tcp:server=::1,port=53,ipversion=6"),
        ("com:port=com2,baud=115200,channel=7", "com:port=COM2,baud=115200,channel=7"),
        ("spipe:proto=tls1,certuser=c,server=h,pipe=p", "spipe:proto=tls1,certuser=c,server=h,pipe=p"),
        ("ssl:proto=tls1,machuser=c,server=h,port=5", "ssl:proto=tls1,machuser=c,server=h,port=5"),
        ("ssl:proto=tls1,machuser=c,clicon=h,port=5", "ssl:proto=tls1,machuser=c,clicon=h,port=5"),
        ("gdb:server=127.0.0.1,port=1234", "gdb:server=127.0.0.1,port=1234"),
        ("gdb:server=h,port=1234,THREADEVENTS=true", "gdb:server=h,port=1234,threadEvents=true"),
    ] {
        assert_eq!(parse(given).to_string(), printed);
    }
}

#[test]
fn the_extensions_print_as_they_were_given() {
    for text in [
        "npipe:server=ann@BOX17,pipe=p,password-env=DBGSRV_PASSWORD",
        "tcp:server=h,port=5,password-file=secret.txt",
        "tcp:clicon=h,port=0,bind=192.0.2.7",
        "ssl:proto=tls1.3,cafile=/etc/ca.pem,server=h,port=5",
        "ssl:proto=tls1,thumbprint=abcdef0123456789abcdef0123456789abcdef01,clicon=h,port=51:60",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn a_client_that_is_called_may_wait_at_one_of_several_ports() {
    let ClientOptions::TcpReverse(reverse) = parse("tcp:clicon=BOX17,port=51:60") else { panic!("reverse") };
    assert!(matches!(reverse.port, ListenPort::Range(range) if range.ports().count() == 10));
}

#[test]
fn a_client_pins_the_servers_certificate_or_trusts_authorities() {
    let trust = |text: &str| match parse(text) {
        ClientOptions::Ssl(ssl) => ssl.tls.trust,
        other => panic!("{other}"),
    };
    let pinned = std::format!("ssl:proto=tls1,thumbprint=\"{}\",server=h,port=5", "AB ".repeat(32).trim());
    assert!(matches!(trust(&pinned), Some(Trust::Certificate(thumbprint)) if thumbprint.bytes() == [0xab; 32]));
    assert!(matches!(trust("ssl:proto=tls1,cafile=f,server=h,port=5"), Some(Trust::Authorities(_))));
    assert_eq!(trust("ssl:proto=tls1,server=h,port=5"), None);
}

#[test]
fn a_pipes_name_is_taken_literally() {
    let ClientOptions::NamedPipe(pipe) = parse("npipe:server=h,pipe=100%_%d") else { panic!("npipe") };
    assert_eq!(pipe.pipe.as_str(), "100%_%d");
}

#[test]
fn thread_events_of_a_gdbserver_are_inferred_or_reported() {
    let events = |text: &str| match parse(text) {
        ClientOptions::Gdb(gdb) => gdb.thread_events,
        other => panic!("{other}"),
    };
    assert_eq!(events("gdb:server=h,port=5"), None);
    assert_eq!(events("gdb:server=h,port=5,threadEvents=false"), Some(ThreadEvents::Inferred));
    assert_eq!(events("gdb:server=h,port=5,threadEvents=true"), Some(ThreadEvents::Reported));
}

#[test]
fn the_password_is_reached_whatever_the_transport() {
    for form in ["npipe:server=h,pipe=p", "tcp:server=h,port=5", "ssl:proto=tls1,clicon=h,port=5"] {
        let options = parse(&std::format!("{form},password=Secret1"));
        assert!(matches!(options.password(), Some(PasswordSource::Given(password)) if password.reveal() == "Secret1"));
        assert_eq!(options.redacted().to_string(), std::format!("{form},password=***"));
        assert!(!std::format!("{options:?}").contains("Secret1"));
    }
    assert_eq!(parse("gdb:server=h,port=5").password(), None);
    assert_eq!(parse("gdb:server=h,port=5").transport(), Transport::Gdb);
}
