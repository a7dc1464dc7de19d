//! What a server's strings mean.

use alloc::string::ToString;
use core::time::Duration;

use crate::options::server::{self, PipeAccess};
use crate::options::{
    Address, CertificateId, CertificateStore, FileMode, Host, IpVersion, ListenOn, ListenPort, PasswordSource, Port,
    SerialPort, ServerOptions, TlsProtocol, Transport,
};

fn parse(text: &str) -> ServerOptions {
    text.parse().unwrap()
}

fn tcp(text: &str) -> server::Tcp {
    let ServerOptions::Tcp(tcp) = parse(text) else { panic!("{text}") };
    tcp
}

#[test]
fn the_forms_of_the_reference_print_as_they_were_given() {
    for text in [
        "npipe:pipe=AnotherPipe",
        "npipe:pipe=debug_%x_%08d,hidden,IcfEnable,password=Secret1",
        "tcp:port=1025",
        "tcp:port=51:60,hidden,password=Secret1",
        "tcp:port=1025,ipversion=6,IcfEnable",
        "tcp:port=1025,clicon=127.0.0.20",
        "tcp:port=1025,clicon=BOX17,ipversion=6,password=Secret1",
        "com:port=COM2,baud=115200,channel=254,hidden,password=Secret1",
        "spipe:proto=tls1,machuser=Debug Server,pipe=MainPipe,hidden,password=Secret1",
        "ssl:proto=tls1.2,certuser=abcdef0123456789abcdef0123456789abcdef01,port=51:60,hidden,password=Secret1",
        "ssl:proto=tls1.3,machuser=Debug Server,port=1025,clicon=BOX17,password=Secret1",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn the_extensions_print_as_they_were_given() {
    for text in [
        "npipe:pipe=p,mode=0660,group=Domain Users,password-env=DBGSRV_PASSWORD,linger=0",
        "tcp:port=0,bind=fe80::1%eth0,open,password-file=/etc/dbgsrv/password,shell",
        "tcp:port=5,clicon=::1,reconnect,linger=86400",
        "spipe:proto=tls1,certuser=c,pipe=p,mode=0777",
        "ssl:proto=tls1,certuser=c,clientca=\"/etc/ca, new.pem\",port=5,bind=127.0.0.1,open",
        "ssl:proto=tls1,certuser=\"\"\"c\"\"\",port=5,clicon=h,reconnect",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn names_are_read_in_any_case_and_order_and_values_are_kept() {
    let text = "TCP:IcFeNaBlE,PASSWORD=SeCrEt,Port=51:60,HIDDEN";
    assert_eq!(parse(text).to_string(), "tcp:port=51:60,hidden,IcfEnable,password=SeCrEt");
}

#[test]
fn each_transport_is_told_by_name() {
    for (text, transport, name) in [
        ("npipe:pipe=p", Transport::NamedPipe, "npipe"),
        ("tcp:port=5", Transport::Tcp, "tcp"),
        ("tcp:port=5,clicon=h", Transport::Tcp, "tcp"),
        ("com:port=1,baud=9600,channel=0", Transport::Serial, "com"),
        ("spipe:proto=tls1,certuser=c,pipe=p", Transport::SecurePipe, "spipe"),
        ("ssl:proto=tls1,certuser=c,port=5", Transport::Ssl, "ssl"),
        ("ssl:proto=tls1,certuser=c,port=5,clicon=h", Transport::Ssl, "ssl"),
    ] {
        assert_eq!(parse(text).transport(), transport);
        assert_eq!(transport.to_string(), name);
    }
}

#[test]
fn a_tcp_server_listens_on_a_port_a_range_or_any_port() {
    assert_eq!(tcp("tcp:port=0").port, ListenPort::Any);
    let ListenPort::Range(range) = tcp("tcp:port=51:60").port else { panic!("a range") };
    assert_eq!((range.low().get(), range.high().get()), (51, 60));
    assert_eq!(tcp("tcp:port=51").port, ListenPort::Range(Port::new(51).unwrap().into()));
}

#[test]
fn a_tcp_server_listens_everywhere_unless_told_otherwise() {
    assert_eq!(tcp("tcp:port=5").listen_on, None);
    assert_eq!(tcp("tcp:port=5,ipversion=4").listen_on, Some(ListenOn::Version(IpVersion::V4)));
    let address = Address::V6("::1".parse().unwrap(), None);
    assert_eq!(tcp("tcp:port=5,bind=[::1]").listen_on, Some(ListenOn::Address(address)));
}

#[test]
fn a_reverse_server_calls_one_port_of_one_machine() {
    let ServerOptions::TcpReverse(reverse) = parse(r"tcp:port=1025,clicon=\\127.0.0.20") else { panic!("reverse") };
    assert_eq!(reverse.port.get(), 1025);
    assert_eq!(reverse.client, Host::Address(Address::V4([127, 0, 0, 20].into())));
    assert!(!reverse.reconnect);
}

#[test]
fn com_ports_are_numbered_with_or_without_com_or_named_by_path() {
    let port = |port| match parse(&std::format!("com:port={port},baud=9600,channel=3")) {
        ServerOptions::Serial(serial) => serial.port,
        other => panic!("{other}"),
    };
    assert!(matches!(port("COM2"), SerialPort::Numbered(number) if number.get() == 2));
    assert_eq!(port("com2"), port("COM2"));
    assert_eq!(port("2"), port("COM2"));
    assert!(matches!(port("/dev/ttyUSB0"), SerialPort::Device(path) if path.as_str() == "/dev/ttyUSB0"));
    assert_eq!(port("/dev/serial/by-id/usb-FTDI_A-if00").to_string(), "/dev/serial/by-id/usb-FTDI_A-if00");
}

#[test]
fn a_certificate_is_named_or_has_a_thumbprint_in_one_of_two_stores() {
    let tls = |certificate| match parse(&std::format!("ssl:proto=tls1,{certificate},port=5")) {
        ServerOptions::Ssl(ssl) => ssl.tls,
        other => panic!("{other}"),
    };
    let named = tls("machuser=Debug Server");
    assert_eq!(named.protocol, TlsProtocol::Best);
    assert_eq!(named.certificate.store, CertificateStore::Machine);
    assert!(matches!(named.certificate.certificate, CertificateId::Name(name) if name.as_str() == "Debug Server"));

    let spaced = tls("certuser=ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01");
    assert_eq!(spaced.certificate.store, CertificateStore::User);
    assert!(matches!(spaced.certificate.certificate, CertificateId::Thumbprint(_)));
    assert_eq!(spaced, tls("certuser=\"AB CD EF 01 23 45 67 89 AB CD EF 01 23 45 67 89 AB CD EF 01\""));
    assert_eq!(spaced, tls("certuser=abcdef0123456789abcdef0123456789abcdef01"));
}

#[test]
fn a_pipe_can_be_opened_to_others() {
    let ServerOptions::NamedPipe(pipe) = parse("npipe:pipe=p,mode=660,group=1000") else { panic!("npipe") };
    let PipeAccess { mode, group } = pipe.access;
    assert_eq!(mode, FileMode::new(0o660));
    assert_eq!(group.unwrap().as_str(), "1000");
}

#[test]
fn what_holds_for_sessions_is_reached_whatever_the_transport() {
    for form in ["npipe:pipe=p", "tcp:port=5", "tcp:port=5,clicon=h", "com:port=1,baud=9600,channel=0"] {
        let options = parse(&std::format!("{form},password=\"a,b\",linger=5,shell"));
        let session = options.session();
        assert!(matches!(&session.password, Some(PasswordSource::Given(password)) if password.reveal() == "a,b"));
        assert_eq!(session.linger.unwrap_or_default().duration(), Duration::from_secs(5));
        assert!(session.shell);
    }
    let options = parse("tcp:port=5");
    assert_eq!(options.session().password, None);
    assert_eq!(options.session().linger.unwrap_or_default().duration(), Duration::from_mins(1));
    assert!(!options.session().shell);
}

#[test]
fn a_password_is_seen_only_by_those_who_ask_for_it() {
    let options = parse("tcp:port=5,password=Secret1,shell");
    assert_eq!(options.redacted().to_string(), "tcp:port=5,password=***,shell");
    assert!(!std::format!("{options:?}").contains("Secret1"));
    assert_eq!(options.to_string(), "tcp:port=5,password=Secret1,shell");
}
