//! Server and client of different releases.

use std::io;
use std::time::Duration;

use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::{Access, ClientConfig, Facts, ServerConfig, Versions};
use dbgsrv_session::{AcceptError, ConnectError, Dial, Link, Sessions, accept, connect};
use dbgsrv_tests::listening::connection;
use dbgsrv_tests::premote;
use dbgsrv_tests::server::{self, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A later release.
fn later(low: u16, high: u16) -> (Facts, Versions) {
    (Facts { release: "9.8.7".into(), ..Facts::default() }, Versions { low, high })
}

struct ToPort(u16);

impl Dial for ToPort {
    type Stream = TcpStream;

    async fn dial(&mut self) -> io::Result<TcpStream> {
        TcpStream::connect(("127.0.0.1", self.0)).await
    }
}

async fn connect_later(server: &Server, low: u16, high: u16) -> Result<Link, ConnectError> {
    let (facts, versions) = later(low, high);
    let config = ClientConfig { facts, versions, password: None, local: true, channel_binding: None };
    connect(ToPort(server.port()), config).await
}

#[tokio::test]
async fn table_2_8_versions_that_differ_are_told_to_the_client_and_to_the_log() {
    let server = Server::start_as(server::Kind::Dbgsrv);
    let Err(error) = connect_later(&server, 2, 3).await else { panic!("there is no version in common") };
    let text = error.to_string();
    for part in ["2 to 3", "9.8.7", "1", env!("CARGO_PKG_VERSION")] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    server.assert_logs("9.8.7");
    server.assert_logs("2 to 3");
    server.assert_still_serves();
}

#[tokio::test]
async fn a_client_that_still_speaks_the_servers_version_is_served() {
    let server = Server::start_as(server::Kind::Dbgsrv);
    let link = connect_later(&server, 1, 3).await.expect("version 1 is spoken by both");
    let mut channel = link.open(Kind::Debug, "later").await.expect("there is room");
    channel.write_all(b"$vMustReplyEmpty#3a").await.expect("the session takes it");
    let mut reply = [0; 5];
    channel.read_exact(&mut reply).await.expect("the session answers");
    assert_eq!(reply, *b"+$#00");
}

#[tokio::test]
async fn premote_tells_both_versions_of_a_server_that_no_longer_speaks_its_own() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
    let port = listener.local_addr().expect("the listener is bound").port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("premote connects");
        let (facts, versions) = later(2, 2);
        let access = Access::Open { sealed: false };
        let config = ServerConfig { facts, versions, access, channel_binding: None, linger: Duration::ZERO };
        accept(stream, config, &Sessions::default()).await.map(drop)
    });
    let premote = tokio::task::spawn_blocking(move || premote::run(&[&connection(port, ""), "info"]));
    let (premote, server) = tokio::join!(premote, server);
    let text = premote.expect("the thread ends").failure(255);
    assert!(matches!(server, Ok(Err(AcceptError::Handshake(_)))));
    for part in ["version 1", "version 2", "9.8.7", env!("CARGO_PKG_VERSION")] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}
