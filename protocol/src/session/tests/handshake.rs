//! Two sides that mean well, and what they refuse each other.

use crate::session::testing::{
    Fixed, Meeting, client_config, in_tls, meet, password, plain, sealed, server_config, with_password,
};
use crate::session::{Access, ClientConfig, Handshake, HandshakeError, Protection, Rejected, ServerConfig, Versions};
use alloc::string::ToString;

type Configs = (ClientConfig, ServerConfig);

/// What each side makes of it, where the server refuses.
fn refusal(configs: Configs) -> (HandshakeError, HandshakeError) {
    let mut meeting =
        Meeting::new(Handshake::client(configs.0, &mut Fixed(1)), Handshake::server(configs.1, &mut Fixed(2)));
    meeting.run(7, None);
    let error = |outcome: super::super::testing::Outcome| outcome.unwrap().unwrap_err();
    (error(meeting.of_client), error(meeting.of_server))
}

/// What the client says where it is the one that refuses.
fn declined(configs: Configs) -> HandshakeError {
    let mut meeting =
        Meeting::new(Handshake::client(configs.0, &mut Fixed(1)), Handshake::server(configs.1, &mut Fixed(2)));
    meeting.run(usize::MAX, None);
    assert!(meeting.of_server.is_none(), "the server waits for the client's proof");
    meeting.of_client.unwrap().unwrap_err()
}

#[test]
fn both_sides_agree_on_who_they_are_and_what_protects_them() {
    for (configs, protection, authenticated) in [
        (plain(), Protection::Plain, false),
        (sealed(), Protection::Sealed, false),
        (with_password(), Protection::Sealed, true),
        (in_tls(), Protection::Tls, true),
    ] {
        let (client, server) = meet(configs, usize::MAX);
        let (client, server) = (client.unwrap(), server.unwrap());
        assert_eq!((client.peer.host.as_str(), server.peer.host.as_str()), ("server", "client"));
        assert_eq!((client.peer.release.as_str(), server.peer.os.as_str()), ("0.1.0", "linux"));
        assert_eq!((client.protection, server.protection), (protection, protection));
        assert_eq!((client.authenticated, server.authenticated), (authenticated, authenticated));
        assert_eq!((client.id, client.version), (server.id, server.version));
        assert_eq!(client.linger, core::time::Duration::from_mins(1));
    }
}

#[test]
fn a_handshake_in_pieces_of_any_size_comes_to_the_same() {
    for step in 1..150 {
        for configs in [plain(), sealed(), with_password(), in_tls()] {
            let (client, server) = meet(configs, step);
            assert_eq!(client.unwrap().id, server.unwrap().id, "pieces of {step}");
        }
    }
}

#[test]
fn a_wrong_password_is_told_to_both_sides() {
    for mut configs in [with_password(), in_tls()] {
        configs.0.password = Some(password("secret1"));
        let (client, server) = refusal(configs);
        assert_eq!(server, HandshakeError::WrongPassword);
        assert!(matches!(client, HandshakeError::Rejected { reason: Rejected::Password, .. }), "{client}");
    }
}

#[test]
fn a_proof_is_worth_nothing_on_another_tls_connection() {
    let mut configs = in_tls();
    configs.0.channel_binding = Some([8; 32]);
    assert_eq!(refusal(configs).1, HandshakeError::WrongPassword);
}

#[test]
fn versions_without_overlap_end_with_a_sentence_that_names_both() {
    let (mut client, mut server) = plain();
    client.versions = Versions { low: 3, high: 4 };
    client.facts.release = "0.9.0".to_string();
    server.versions = Versions { low: 1, high: 2 };
    let (at_client, at_server) = refusal((client, server));
    assert_eq!(
        at_client.to_string(),
        "this side (release 0.9.0) speaks versions 3 to 4 of the protocol, the other (release 0.1.0) versions 1 to 2"
    );
    assert_eq!(
        at_server.to_string(),
        "this side (release 0.1.0) speaks versions 1 to 2 of the protocol, the other (release 0.9.0) versions 3 to 4"
    );
}

#[test]
fn the_highest_common_version_is_chosen() {
    let (mut client, mut server) = with_password();
    client.versions = Versions { low: 1, high: 5 };
    server.versions = Versions { low: 0, high: 3 };
    let (client, server) = meet((client, server), usize::MAX);
    assert_eq!((client.unwrap().version, server.unwrap().version), (3, 3));
}

#[test]
fn a_client_refuses_what_protects_it_less_than_it_expects() {
    let (mut client, server) = plain();
    client.local = false;
    assert_eq!(declined((client, server)), HandshakeError::Unprotected);

    let (client, _) = with_password();
    assert_eq!(declined((client.clone(), plain().1)), HandshakeError::PasswordUnused);
    assert_eq!(declined((client, sealed().1)), HandshakeError::PasswordUnused);
    assert_eq!(declined((client_config(None), with_password().1)), HandshakeError::PasswordNeeded);

    // Somebody between the two has taken TLS away.
    let (mut client, server) = in_tls();
    client.channel_binding = None;
    assert!(matches!(declined((client, server)), HandshakeError::Malformed(_)));
}

#[test]
fn tls_protects_what_is_not_sealed() {
    let mut configs = (client_config(None), server_config(Access::Open { sealed: true }));
    configs.0.local = false;
    configs.0.channel_binding = Some([1; 32]);
    configs.1.channel_binding = Some([1; 32]);
    let (client, server) = meet(configs, usize::MAX);
    assert_eq!((client.unwrap().protection, server.unwrap().protection), (Protection::Tls, Protection::Tls));
}

#[test]
fn the_server_can_refuse_before_it_has_heard_anything() {
    let (client, server) = plain();
    let mut meeting = Meeting::new(Handshake::client(client, &mut Fixed(1)), Handshake::server(server, &mut Fixed(2)));
    meeting.server.reject(Rejected::NotAllowed, "protected mode");
    meeting.run(usize::MAX, None);
    assert_eq!(meeting.of_client.unwrap().unwrap_err().to_string(), "refused by the server: protected mode");
}

#[test]
fn neither_the_password_nor_facts_nor_the_token_are_seen_on_the_way() {
    let (client, server) = with_password();
    let mut meeting = Meeting::new(Handshake::client(client, &mut Fixed(1)), Handshake::server(server, &mut Fixed(2)));
    meeting.run(usize::MAX, None);
    let established = meeting.of_server.unwrap().unwrap();
    let seen = [meeting.to_server, meeting.to_client, established.unsent.clone()].concat();
    let shows = |bytes: &[u8]| memchr::memmem::find(&seen, bytes).is_some();
    assert!(shows(b"0.1.0"), "the release is for everybody");
    assert!(!shows(b"Secret1") && !shows(b"x86_64"));
    assert!(!shows(established.tokens.current.reveal()) && !shows(&established.id.0));
}
