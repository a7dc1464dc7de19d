use super::testing::{in_tls, meet, plain, sealed, with_password};
use super::{Protection, Session};
use core::time::Duration;

#[test]
fn both_sides_agree_on_who_they_are_and_what_protects_them() {
    for (configs, protection, authenticated) in [
        (plain(), Protection::Plain, false),
        (sealed(), Protection::Sealed, false),
        (with_password(), Protection::Sealed, true),
        (in_tls(), Protection::Tls, true),
    ] {
        let (client, server) = meet(configs, 1);
        let (client, server) = (client.unwrap(), server.unwrap());
        assert_eq!((client.peer.host.as_str(), server.peer.host.as_str()), ("server", "client"));
        assert_eq!((client.protection, server.protection), (protection, protection));
        assert_eq!((client.authenticated, server.authenticated), (authenticated, authenticated));
        assert_eq!(client.id, server.id);
        let (mut a, mut b) = (Session::new(client, Duration::ZERO), Session::new(server, Duration::ZERO));
        assert!(a.send(|out| {
            out.extend_from_slice(b"hello");
            true
        }));
        let n = a.transmit().len();
        b.receive_buffer()[..n].copy_from_slice(a.transmit());
        b.received(n, Duration::ZERO);
        assert_eq!(b.poll_message().unwrap(), Some(&b"hello"[..]));
        assert_eq!(b.poll_message().unwrap(), None);
    }
}
