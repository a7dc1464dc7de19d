//! Many debug sessions over one connection.

use std::io::Write;
use std::thread;

use dbgsrv_tests::listening::{Listening, connection};
use dbgsrv_tests::relay::Relay;
use dbgsrv_tests::rsp::{Client, packet};
use dbgsrv_tests::server::{Kind, Server};
use dbgsrv_tests::{program, wait_until};

/// Starts the program that has 16 MiB of memory, and leaves it before its first instruction.
fn started(port: u16) -> Client {
    let mut client = Client::greeted(port);
    let program = program::path("basics");
    client.run(&[program.to_str().expect("the target directory has a plain name")]);
    client
}

#[test]
fn a_session_whose_client_stops_reading_holds_up_none_of_sixty_three_others() {
    let server = Server::start_as(Kind::Dbgsrv);
    let relay = Relay::to(server.port());
    let premote = Listening::on(&connection(relay.port(), ""));
    let mut stalled = started(premote.port());
    let others: Vec<_> = (0..63).map(|_| started(premote.port())).collect();
    assert_eq!(relay.accepted(), 1, "all sessions share one connection");
    // Replies without end that nobody reads, until the requests are not taken any more either.
    let text = packet(b"qXfer:features:read:target.xml:0,fff");
    stalled.stream().set_write_timeout(Some(std::time::Duration::from_millis(500))).expect("the time is not zero");
    while stalled.stream().write_all(&text.repeat(100)).is_ok() {}
    thread::scope(|scope| {
        for mut other in others {
            scope.spawn(move || {
                for _ in 0..50 {
                    assert!(other.request("g").len() > 100);
                    assert!(other.request("vCont;s").starts_with("T05"));
                }
                other.send("vCont;c");
                assert!(other.reply_after_output().starts_with("W03"));
            });
        }
    });
    drop(stalled);
    wait_until("the workers are gone", || server.workers().is_empty());
    server.assert_still_serves();
}

#[test]
fn a_thousand_sessions_one_after_another_leave_nothing_behind() {
    let server = Server::start_as(Kind::Dbgsrv);
    let premote = Listening::on(&connection(server.port(), ""));
    for round in 0..1000 {
        let mut client = Client::connect(premote.port());
        assert_eq!(client.request("vMustReplyEmpty"), "", "in round {round}");
    }
    wait_until("the workers are gone", || server.workers().is_empty());
    assert!(Client::connect(premote.port()).request("qSupported").contains("PacketSize"));
    server.assert_still_serves();
}
