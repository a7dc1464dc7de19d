//! Whatever options there are, they print as a string that parses to the same.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Debug;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::str::FromStr;
use std::format;

use proptest::option;
use proptest::prelude::*;

use crate::options::client::ThreadEvents;
use crate::options::{
    Address, Baud, CertificateId, CertificateSelector, CertificateStore, Channel, ClientOptions, ComNumber, FileMode,
    Host, IpVersion, Linger, ListenOn, ListenPort, MAX_LENGTH, PasswordSource, PipeHost, Port, PortRange, SerialPort,
    ServerOptions, StandardStreams, Thumbprint, TlsProtocol, Trust, client, fuzzing, server,
};

/// Values made of the strings that match `pattern` and are good.
fn text<T: FromStr<Err: Debug> + Debug>(pattern: &'static str) -> impl Strategy<Value = T> {
    pattern.prop_filter_map("a good value", |text: String| text.parse().ok())
}

/// Any printable text, with much of what quoting is about.
const TEXT: &str = "[^\\pC]{1,40}|[a-z,\" =:%]{1,10}";

fn port() -> impl Strategy<Value = Port> {
    any::<u16>().prop_filter_map("not 0", Port::new)
}

fn listen_port() -> impl Strategy<Value = ListenPort> {
    let range = (port(), port()).prop_filter_map("not reversed", |(low, high)| PortRange::new(low, high));
    prop_oneof![Just(ListenPort::Any), range.prop_map(ListenPort::Range)]
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        any::<Ipv4Addr>().prop_map(Address::V4),
        (any::<Ipv6Addr>(), option::of(text("[a-z0-9._-]{1,15}")))
            .prop_map(|(address, zone)| Address::V6(address, zone)),
    ]
}

fn ip_version() -> impl Strategy<Value = IpVersion> {
    prop_oneof![Just(IpVersion::V4), Just(IpVersion::V6)]
}

fn listen_on() -> impl Strategy<Value = ListenOn> {
    prop_oneof![address().prop_map(ListenOn::Address), ip_version().prop_map(ListenOn::Version)]
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![text("[a-zA-Z0-9._-]{1,20}").prop_map(Host::Name), address().prop_map(Host::Address)]
}

fn pipe_host() -> impl Strategy<Value = PipeHost> {
    (option::of(text("[a-z0-9._-]{1,10}")), host()).prop_map(|(user, host)| PipeHost { user, host })
}

fn serial_port() -> impl Strategy<Value = SerialPort> {
    prop_oneof![
        (1..=256_u16).prop_filter_map("a number", ComNumber::new).prop_map(SerialPort::Numbered),
        text("/[^\\pC]{0,20}").prop_map(SerialPort::Device),
    ]
}

fn baud() -> impl Strategy<Value = Baud> {
    any::<u32>().prop_filter_map("not 0", Baud::new)
}

fn channel() -> impl Strategy<Value = Channel> {
    any::<u8>().prop_filter_map("not 255", Channel::new)
}

fn password() -> impl Strategy<Value = PasswordSource> {
    prop_oneof![
        text("(?s).{1,32}|[,\"]{1,5}").prop_map(PasswordSource::Given),
        text(TEXT).prop_map(PasswordSource::File),
        text(TEXT).prop_map(PasswordSource::Environment),
    ]
}

fn protocol() -> impl Strategy<Value = TlsProtocol> {
    prop_oneof![Just(TlsProtocol::Best), Just(TlsProtocol::Tls12), Just(TlsProtocol::Tls13)]
}

fn thumbprint() -> impl Strategy<Value = Thumbprint> {
    prop_oneof![any::<[u8; 20]>().prop_map(Thumbprint::Sha1), any::<[u8; 32]>().prop_map(Thumbprint::Sha256)]
}

fn certificate() -> impl Strategy<Value = CertificateSelector> {
    let store = prop_oneof![Just(CertificateStore::User), Just(CertificateStore::Machine)];
    let certificate =
        prop_oneof![text(TEXT).prop_map(CertificateId::Name), thumbprint().prop_map(CertificateId::Thumbprint)];
    (store, certificate).prop_map(|(store, certificate)| CertificateSelector { store, certificate })
}

prop_compose! {
    fn session()(
        password in option::of(password()),
        linger in option::of((0..=Linger::MAX_SECONDS).prop_filter_map("short", Linger::from_seconds)),
        shell: bool,
        streams in option::of(prop_oneof![Just(StandardStreams::Client), Just(StandardStreams::Server)]),
    ) -> server::Session {
        server::Session { password, linger, shell, streams }
    }
}

prop_compose! {
    fn access()(
        mode in option::of((0..=0o777_u16).prop_filter_map("a mode", FileMode::new)),
        group in option::of(text(TEXT)),
    ) -> server::PipeAccess {
        server::PipeAccess { mode, group }
    }
}

prop_compose! {
    fn server_tls()(
        protocol in protocol(), certificate in certificate(), client_ca in option::of(text(TEXT)),
    ) -> server::Tls {
        server::Tls { protocol, certificate, client_ca }
    }
}

prop_compose! {
    fn client_tls()(
        protocol in protocol(),
        certificate in option::of(certificate()),
        trust in option::of(prop_oneof![
            text(TEXT).prop_map(Trust::Authorities),
            thumbprint().prop_map(Trust::Certificate),
        ]),
    ) -> client::Tls {
        client::Tls { protocol, certificate, trust }
    }
}

const TEMPLATE: &str = "([a-z,_.-]|%%){0,10}(%(0[1-9])?[diuxXo][a-z,%_.-]{0,3}){0,2}";
const PIPE: &str = "[^\\pC\\pZ]{1,20}";

fn server_options() -> impl Strategy<Value = ServerOptions> {
    use server::{NamedPipe, SecurePipe, Serial, Ssl, SslReverse, Tcp, TcpReverse};
    let flag = any::<bool>;
    prop_oneof![
        (text(TEMPLATE), flag(), access(), flag(), session()).prop_map(
            |(pipe, hidden, access, icf_enable, session)| {
                ServerOptions::NamedPipe(NamedPipe { pipe, hidden, access, icf_enable, session })
            }
        ),
        (listen_port(), option::of(listen_on()), flag(), flag(), flag(), session()).prop_map(
            |(port, listen_on, hidden, open, icf_enable, session)| {
                ServerOptions::Tcp(Tcp { port, listen_on, hidden, open, icf_enable, session })
            }
        ),
        (port(), host(), option::of(ip_version()), flag(), session()).prop_map(
            |(port, client, ip_version, reconnect, session)| {
                ServerOptions::TcpReverse(TcpReverse { port, client, ip_version, reconnect, session })
            }
        ),
        (serial_port(), baud(), channel(), flag(), session()).prop_map(|(port, baud, channel, hidden, session)| {
            ServerOptions::Serial(Serial { port, baud, channel, hidden, session })
        }),
        (server_tls(), text(TEMPLATE), flag(), access(), session()).prop_map(|(tls, pipe, hidden, access, session)| {
            ServerOptions::SecurePipe(SecurePipe { tls, pipe, hidden, access, session })
        }),
        (server_tls(), listen_port(), option::of(address()), flag(), flag(), session()).prop_map(
            |(tls, port, bind, hidden, open, session)| {
                ServerOptions::Ssl(Ssl { tls, port, bind, hidden, open, session })
            }
        ),
        (server_tls(), port(), host(), flag(), session()).prop_map(|(tls, port, client, reconnect, session)| {
            ServerOptions::SslReverse(SslReverse { tls, port, client, reconnect, session })
        }),
    ]
}

fn client_options() -> impl Strategy<Value = ClientOptions> {
    use client::{Gdb, NamedPipe, SecurePipe, Serial, Ssl, SslReverse, Tcp, TcpReverse};
    let secret = || option::of(password());
    let thread_events = prop_oneof![Just(ThreadEvents::Inferred), Just(ThreadEvents::Reported)];
    prop_oneof![
        (pipe_host(), text(PIPE), secret()).prop_map(|(server, pipe, password)| ClientOptions::NamedPipe(NamedPipe {
            server,
            pipe,
            password
        })),
        (host(), port(), option::of(ip_version()), secret()).prop_map(|(server, port, ip_version, password)| {
            ClientOptions::Tcp(Tcp { server, port, ip_version, password })
        }),
        (host(), listen_port(), option::of(listen_on()), secret()).prop_map(|(server, port, listen_on, password)| {
            ClientOptions::TcpReverse(TcpReverse { server, port, listen_on, password })
        }),
        (serial_port(), baud(), channel(), secret()).prop_map(|(port, baud, channel, password)| {
            ClientOptions::Serial(Serial { port, baud, channel, password })
        }),
        (client_tls(), pipe_host(), text(PIPE), secret()).prop_map(|(tls, server, pipe, password)| {
            ClientOptions::SecurePipe(SecurePipe { tls, server, pipe, password })
        }),
        (client_tls(), host(), port(), secret()).prop_map(|(tls, server, port, password)| ClientOptions::Ssl(Ssl {
            tls,
            server,
            port,
            password
        })),
        (client_tls(), host(), listen_port(), option::of(address()), secret()).prop_map(
            |(tls, server, port, bind, password)| {
                ClientOptions::SslReverse(SslReverse { tls, server, port, bind, password })
            }
        ),
        (host(), port(), option::of(thread_events)).prop_map(|(server, port, thread_events)| ClientOptions::Gdb(Gdb {
            server,
            port,
            thread_events
        })),
    ]
}

/// Strings that are mostly made of the words of the grammar, so that many are nearly right.
fn nearly() -> impl Strategy<Value = String> {
    let word = "tcp:|ssl:|npipe:|com:|gdb:|,|=|\"|port=|port=5|port=5:6|clicon=h|proto=tls1|certuser=|pipe=|%d|%|\
        hidden|password=|Secret1|;|server=|baud=9600|channel=0|bind=::1|mode=7|(?s).";
    proptest::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_server_options_survive_printing(options in server_options()) {
        prop_assert_eq!(Ok(options.clone()), options.to_string().parse());
    }

    #[test]
    fn any_client_options_survive_printing(options in client_options()) {
        prop_assert_eq!(Ok(options.clone()), options.to_string().parse());
    }

    #[test]
    fn logs_differ_from_the_string_in_the_password_alone(options in server_options()) {
        let mut options = options;
        let logged = options.redacted().to_string();
        if let ServerOptions::Tcp(tcp) = &mut options
            && let Some(PasswordSource::Given(password)) = &mut tcp.session.password
        {
            *password = "***".parse().unwrap();
            prop_assert_eq!(logged.parse(), Ok(options));
        }
    }

    #[test]
    fn no_string_does_harm(text in nearly()) {
        fuzzing::options(text.as_bytes());
    }

    #[test]
    fn no_bytes_do_harm(bytes: Vec<u8>) {
        fuzzing::options(&bytes);
    }

    #[test]
    fn no_error_and_no_log_tells_the_password(before in nearly(), separator in "[,;: ]", after in "|,port=5|;x|,x") {
        let text = format!("tcp:{before}{separator}password=Geheimnis{after}");
        let told = match text.parse::<ServerOptions>() {
            Ok(options) => format!("{} {options:?}", options.redacted()),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!told.contains("Geheimnis"), "{}", told);
    }
}

#[test]
fn the_longest_options_still_print_within_the_limit() {
    let quotes = |length: usize| format!("\"{}\"", "\"\"".repeat(length));
    let text = format!(
        "ssl:proto=tls1.3,certuser={},clientca={},port=65534:65535,bind={},hidden,open,password-file={},linger=86400,shell",
        quotes(256),
        quotes(1024),
        "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%",
        quotes(1024),
    );
    let text = text.replace('%', &format!("%{}]", "0".repeat(64)));
    let options: ServerOptions = text.parse().unwrap();
    let printed = options.to_string();
    assert!(printed.len() <= MAX_LENGTH, "{} bytes", printed.len());
    assert_eq!(printed.parse(), Ok(options));
}
