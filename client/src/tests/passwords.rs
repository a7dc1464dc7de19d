//! Connection strings, over TCP.

use super::FakeServer;
use crate::{ConnectSettings, Error, RemoteServer, connect_process_server, connect_with};
use dbgsrv_protocol::session::{Access, Protection};
use tokio::net::TcpListener;

/// Connects to a server that lets in whom `access` says, with a connection string that ends with `parameters`.
async fn connected(access: Access, parameters: &str, settings: ConnectSettings) -> Result<RemoteServer, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Some(server) = FakeServer::accept(stream, access).await {
            server.link.closed().await;
        }
    });
    let options = format!("tcp:server=127.0.0.1,port={port}{parameters}").parse().unwrap();
    if settings.password.is_some() {
        connect_with(&options, settings).await
    } else {
        connect_process_server(&options).await
    }
}

fn secret() -> Access {
    Access::Password("Secret1".parse().unwrap())
}

#[tokio::test]
async fn the_right_password_opens_and_seals() {
    let server = connected(secret(), ",password=Secret1", ConnectSettings::default()).await.unwrap();
    assert_eq!(server.link().protection(), Protection::Sealed);
}

#[tokio::test]
async fn without_a_password_the_way_within_a_machine_is_not_sealed() {
    let server = connected(Access::Open { sealed: false }, "", ConnectSettings::default()).await.unwrap();
    assert_eq!(server.link().protection(), Protection::Plain);
}

#[tokio::test]
async fn a_password_asked_for_takes_the_place_of_the_strings() {
    let settings = ConnectSettings::default().password("Secret1".parse().unwrap());
    connected(secret(), ",password-env=DBGSRV_NO_SUCH_VARIABLE", settings).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_one_are_told_apart() {
    let error = connected(secret(), ",password=Secret2", ConnectSettings::default()).await.unwrap_err();
    assert!(matches!(error, Error::WrongPassword { .. }), "{error}");
    let error = connected(secret(), "", ConnectSettings::default()).await.unwrap_err();
    assert!(matches!(error, Error::PasswordNeeded { .. }), "{error}");
    assert!(error.to_string().starts_with("127.0.0.1 port "), "{error}");
}

#[tokio::test]
async fn a_server_that_asks_for_no_password_is_not_trusted_with_one() {
    let open = Access::Open { sealed: true };
    let error = connected(open, ",password=Secret1", ConnectSettings::default()).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(!error.to_string().contains("Secret1"), "{error}");
}
