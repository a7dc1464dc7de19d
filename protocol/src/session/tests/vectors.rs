//! The examples of `docs/vectors/session.txt`, played by each side against the file.

use crate::session::crypto::{Keys, Secret, Spake, Transcript};
use crate::session::established::Role;
use crate::session::testing::{in_tls, plain, sealed, with_password};
use crate::session::{
    ClientConfig, CloseCode, Established, Handshake, PREFACE, Progress, Random, ServerConfig, Session, State,
};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

const NOW: Duration = Duration::ZERO;

/// One example: bytes by name.
struct Vector(BTreeMap<&'static str, Vec<u8>>);

impl Vector {
    /// The example of this name.
    fn named(name: &str) -> Self {
        let text = include_str!("../../../../docs/vectors/session.txt");
        let is_title = |line: &str| line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some(name);
        let section = text.lines().skip_while(|line| !is_title(line)).skip(1).take_while(|line| !line.starts_with('['));
        let fields = section.filter(|line| !line.starts_with('#'));
        Self(fields.filter_map(|line| line.split_once(": ")).map(|(key, value)| (key, bytes(value))).collect())
    }

    fn get(&self, key: &str) -> &[u8] {
        self.0.get(key).unwrap_or_else(|| panic!("the example has no {key}"))
    }

    /// Fields one after another.
    fn concat(&self, keys: &[&str]) -> Vec<u8> {
        keys.iter().flat_map(|key| self.get(key)).copied().collect()
    }
}

/// Text in quotes, or pairs of hex digits.
fn bytes(value: &str) -> Vec<u8> {
    if let Some(text) = value.strip_prefix('"') {
        return text.trim_end_matches('"').into();
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).expect("a hex digit") as u8;
    value.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Gives what the example says was drawn.
struct Recorded(Vec<u8>);

impl Random for Recorded {
    fn fill(&mut self, bytes: &mut [u8]) {
        let drawn = self.0.drain(..bytes.len());
        bytes.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
    }
}

/// A side's random numbers, in the order in which this implementation draws them.
fn random(vector: &Vector, role: Role) -> Recorded {
    Recorded(match role {
        Role::Client => vector.concat(&["client nonce", "client scalar", "client ephemeral"]),
        Role::Server => {
            vector.concat(&["server nonce", "server scalar", "server ephemeral", "server id", "server token"])
        }
    })
}

fn configs(name: &str) -> (ClientConfig, ServerConfig) {
    match name {
        "open plain" => plain(),
        "open sealed" => sealed(),
        "password in tls" => in_tls(),
        _ => with_password(),
    }
}

fn feed(handshake: &mut Handshake, bytes: &[u8], session: Option<&Session>) -> Option<Established> {
    handshake.receive_buffer()[..bytes.len()].copy_from_slice(bytes);
    handshake.received(bytes.len());
    loop {
        match handshake.poll().expect("the example is right") {
            Progress::Guesses => {}
            Progress::Pending => return None,
            Progress::Resumes(_) => handshake.resume_session(session),
            Progress::Established(established) => return Some(*established),
        }
    }
}

/// Expects that the handshake wants to send this.
fn sends(handshake: &mut Handshake, expected: &[u8]) {
    assert_eq!(handshake.transmit(), expected);
    handshake.transmitted(expected.len());
}

/// Expects that the session wants to send this.
fn transmits(session: &mut Session, expected: &[u8]) {
    assert_eq!(session.transmit(), expected);
    session.transmitted(expected.len(), NOW);
}

fn client(vector: &Vector, mut handshake: Handshake) -> Established {
    sends(&mut handshake, &[&PREFACE, vector.get("hello")].concat());
    assert!(feed(&mut handshake, &[&PREFACE, vector.get("answer")].concat(), None).is_none());
    sends(&mut handshake, vector.get("prove"));
    feed(&mut handshake, vector.get("proof"), None).expect("the client is done")
}

/// The server's proof is what its session sends first.
fn server(vector: &Vector, mut handshake: Handshake, session: Option<&Session>) -> Established {
    assert!(feed(&mut handshake, &[&PREFACE, vector.get("hello")].concat(), session).is_none());
    sends(&mut handshake, &[&PREFACE, vector.get("answer")].concat());
    feed(&mut handshake, vector.get("prove"), None).expect("the server is done")
}

/// A new session of the client, which has sent its message.
fn client_session(name: &str) -> Session {
    let vector = Vector::named(name);
    let handshake = Handshake::client(configs(name).0, &mut random(&vector, Role::Client));
    let mut session = Session::new(client(&vector, handshake), NOW);
    says(&mut session, vector.get("client message"));
    transmits(&mut session, vector.get("client record"));
    session
}

/// A new session of the server, which has received the client's message and sent its own.
fn server_session(name: &str) -> Session {
    let vector = Vector::named(name);
    let handshake = Handshake::server(configs(name).1, &mut random(&vector, Role::Server));
    let mut session = Session::new(server(&vector, handshake, None), NOW);
    transmits(&mut session, vector.get("proof"));
    hears(&mut session, vector.get("client record"), Some(vector.get("client message")));
    says(&mut session, vector.get("server message"));
    transmits(&mut session, vector.get("server record"));
    session
}

fn says(session: &mut Session, message: &[u8]) {
    assert!(session.send(|out| {
        out.extend_from_slice(message);
        true
    }));
}

fn hears(session: &mut Session, record: &[u8], message: Option<&[u8]>) {
    session.receive_buffer()[..record.len()].copy_from_slice(record);
    session.received(record.len(), NOW);
    assert_eq!(session.poll_message().unwrap(), message);
}

const NEW: [&str; 4] = ["open plain", "open sealed", "password sealed", "password in tls"];

#[test]
fn the_client_plays_the_examples() {
    for name in NEW {
        let vector = Vector::named(name);
        let mut session = client_session(name);
        assert_eq!(session.id().0, vector.get("server id"));
        hears(&mut session, vector.get("server record"), Some(vector.get("server message")));
        session.close(CloseCode::Done, "bye");
        transmits(&mut session, vector.get("client close"));
    }
}

#[test]
fn the_server_plays_the_examples() {
    for name in NEW {
        let mut session = server_session(name);
        hears(&mut session, Vector::named(name).get("client close"), None);
        let closed = State::Closed { here: false, code: CloseCode::Done, text: "bye".into() };
        assert_eq!(session.state(), &closed);
    }
}

#[test]
fn the_client_plays_the_resumed_example() {
    let vector = Vector::named("resume");
    let mut session = client_session("password sealed");
    session.cut();
    let handshake = Handshake::resume(configs("resume").0, &session, &mut random(&vector, Role::Client));
    session.resume(client(&vector, handshake), NOW).unwrap();
    transmits(&mut session, vector.get("client record"));
    hears(&mut session, vector.get("server record"), Some(vector.get("server message")));
}

#[test]
fn the_server_plays_the_resumed_example() {
    let vector = Vector::named("resume");
    let mut session = server_session("password sealed");
    session.cut();
    let handshake = Handshake::server(configs("resume").1, &mut random(&vector, Role::Server));
    let established = server(&vector, handshake, Some(&session));
    session.resume(established, NOW).unwrap();
    transmits(&mut session, &vector.concat(&["proof", "server record"]));
    hears(&mut session, vector.get("client record"), None);
    assert_eq!(session.tokens().current.reveal(), vector.get("server token"));
}

#[test]
fn the_key_schedule_is_that_of_the_examples() {
    for (name, proof_at) in [("password sealed", 3 + 33), ("password in tls", 3 + 33), ("resume", 3 + 8)] {
        let vector = Vector::named(name);
        let (prove, answer) = (vector.get("prove"), vector.get("answer"));
        let mut transcript = Transcript::default();
        for bytes in [&PREFACE, vector.get("hello"), &PREFACE, answer, &prove[..proof_at]] {
            transcript.update(bytes);
        }
        let hash = transcript.hash();
        assert_eq!(hash, vector.get("transcript"));
        let shared = if name == "resume" {
            Secret::new(vector.get("shared").try_into().unwrap())
        } else {
            let scalar = Secret::new(vector.get("client scalar").try_into().unwrap());
            let password = configs(name).0.password.unwrap();
            let (spake, message) = Spake::start(Role::Client, &password, scalar);
            assert_eq!(message, prove[3..proof_at]);
            spake.finish(&answer[answer.len() - 33..]).unwrap()
        };
        assert_eq!(shared.reveal(), vector.get("shared"));
        let binding = configs(name).0.channel_binding;
        let keys = Keys::derive(&shared, binding.as_ref(), &hash);
        assert_eq!(keys.client_mac(&hash), prove[proof_at..proof_at + 32]);
        assert_eq!(keys.seal.reveal(), vector.get("seal key"));
    }
}
