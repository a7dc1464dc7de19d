//! Connections that break under a session.

use super::FakeServer;
use crate::connect_process_server;
use dbgsrv_protocol::control::Response;
use dbgsrv_protocol::session::Access;
use dbgsrv_session::Sessions;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

/// A server that lets sessions go on, and its port.
async fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let sessions = Sessions::default();
        while let Ok((stream, _)) = listener.accept().await {
            let access = Access::Password("Secret1".parse().unwrap());
            if let Some(mut server) = FakeServer::accept(stream, access, &sessions).await {
                let answer = |_| Some(Ok(Response::Sessions { sessions: vec![], more: false }));
                tokio::spawn(async move { server.answer(answer).await });
            }
        }
    });
    port
}

/// Passes connections to `server`, one at a time, and cuts the one that there is when it is told to. Its port, and word of
/// each connection.
async fn proxy(server: u16, cut: Arc<Notify>) -> (u16, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (connected, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            connected.send(()).unwrap();
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                () = cut.notified() => {}
            }
        }
    });
    (port, connections)
}

#[tokio::test]
async fn the_client_dials_again_and_its_requests_outlast_the_cut() {
    let cut = Arc::new(Notify::new());
    let (port, mut connections) = proxy(server().await, Arc::clone(&cut)).await;
    let options = format!("tcp:server=127.0.0.1,port={port},password=Secret1").parse().unwrap();
    let client = connect_process_server(&options).await.unwrap();
    let id = client.link().id();
    for _ in 0..3 {
        connections.recv().await.unwrap();
        assert_eq!(client.sessions().await.unwrap(), []);
        cut.notify_one();
        assert_eq!(client.sessions().await.unwrap(), []);
    }
    connections.recv().await.unwrap();
    assert_eq!(client.sessions().await.unwrap(), []);
    assert_eq!(client.link().id(), id);
}
