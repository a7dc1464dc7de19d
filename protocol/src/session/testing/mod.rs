//! Two sides in memory, for the tests and the fuzz targets.

mod pair;

pub(super) use pair::{Op, Pair, Side};

use super::{
    Access, ClientConfig, Established, Facts, Handshake, HandshakeError, Progress, Random, ServerConfig, Session,
    Versions,
};
use crate::options::Password;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

/// Bytes that look random and are the same each time (`SplitMix64`).
#[derive(Debug)]
pub(super) struct Fixed(pub(super) u64);

impl Random for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            chunk.copy_from_slice(&mixed.to_be_bytes()[..chunk.len()]);
        }
    }
}

pub(super) fn facts(host: &str) -> Facts {
    Facts {
        release: "0.1.0".to_string(),
        os: "linux".to_string(),
        architecture: "x86_64".to_string(),
        host: host.to_string(),
    }
}

pub(super) fn password(text: &str) -> Password {
    text.parse().expect("it is a password")
}

pub(super) fn server_config(access: Access) -> ServerConfig {
    ServerConfig {
        facts: facts("server"),
        versions: Versions::SPOKEN,
        access,
        channel_binding: None,
        linger: Duration::from_mins(1),
    }
}

pub(super) fn client_config(secret: Option<&str>) -> ClientConfig {
    ClientConfig {
        facts: facts("client"),
        versions: Versions::SPOKEN,
        password: secret.map(password),
        local: true,
        channel_binding: None,
    }
}

/// Both sides' configuration, by what protects the session.
pub(super) fn plain() -> (ClientConfig, ServerConfig) {
    (client_config(None), server_config(Access::Open { sealed: false }))
}

pub(super) fn sealed() -> (ClientConfig, ServerConfig) {
    let (mut client, server) = (client_config(None), server_config(Access::Open { sealed: true }));
    client.local = false;
    (client, server)
}

pub(super) fn with_password() -> (ClientConfig, ServerConfig) {
    let (mut client, server) = (client_config(Some("Secret1")), server_config(Access::Password(password("Secret1"))));
    client.local = false;
    (client, server)
}

pub(super) fn in_tls() -> (ClientConfig, ServerConfig) {
    let (mut client, mut server) = with_password();
    client.channel_binding = Some([9; 32]);
    server.channel_binding = Some([9; 32]);
    (client, server)
}

/// What a side of a handshake has come to.
pub(super) type Outcome = Option<Result<Established, HandshakeError>>;

/// A connection on which two handshakes talk, at most `step` bytes at a time.
pub(super) struct Meeting {
    pub(super) client: Handshake,
    pub(super) server: Handshake,
    pub(super) of_client: Outcome,
    pub(super) of_server: Outcome,
    /// Every byte that went to the server, and to the client.
    pub(super) to_server: Vec<u8>,
    pub(super) to_client: Vec<u8>,
}

impl Meeting {
    pub(super) fn new(client: Handshake, server: Handshake) -> Self {
        Self { client, server, of_client: None, of_server: None, to_server: Vec::new(), to_client: Vec::new() }
    }

    /// Lets them talk until neither has anything to say. `session` is what the server has for the client that resumes.
    pub(super) fn run(&mut self, step: usize, session: Option<&Session>) {
        loop {
            settle(&mut self.client, &mut self.of_client, None);
            let to_server = pass(&mut self.client, &mut self.server, step);
            settle(&mut self.server, &mut self.of_server, session);
            let to_client = pass(&mut self.server, &mut self.client, step);
            if to_server.is_empty() && to_client.is_empty() {
                return;
            }
            self.to_server.extend(to_server);
            self.to_client.extend(to_client);
        }
    }
}

fn settle(side: &mut Handshake, outcome: &mut Outcome, session: Option<&Session>) {
    while outcome.is_none() {
        match side.poll() {
            Ok(Progress::Guesses) => {}
            Ok(Progress::Pending) => return,
            Ok(Progress::Resumes(_)) => side.resume_session(session),
            Ok(Progress::Established(established)) => *outcome = Some(Ok(*established)),
            Err(error) => *outcome = Some(Err(error)),
        }
    }
}

fn pass(from: &mut Handshake, to: &mut Handshake, step: usize) -> Vec<u8> {
    let room = to.receive_buffer();
    let count = from.transmit().len().min(step).min(room.len());
    room[..count].copy_from_slice(&from.transmit()[..count]);
    let bytes = room[..count].to_vec();
    from.transmitted(count);
    to.received(count);
    bytes
}

/// Both sides' outcomes for a new session; what the handshakes left unsent is inside.
pub(super) fn meet(
    configs: (ClientConfig, ServerConfig),
    step: usize,
) -> (Result<Established, HandshakeError>, Result<Established, HandshakeError>) {
    let client = Handshake::client(configs.0, &mut Fixed(1));
    let server = Handshake::server(configs.1, &mut Fixed(2));
    let mut meeting = Meeting::new(client, server);
    meeting.run(step, None);
    if let Some(Ok(established)) = &mut meeting.of_server {
        // The proof: it left the handshake with what came of it.
        let room = meeting.client.receive_buffer();
        let unsent = core::mem::take(&mut established.unsent);
        room[..unsent.len()].copy_from_slice(&unsent);
        meeting.client.received(unsent.len());
        meeting.to_client.extend(unsent);
        settle(&mut meeting.client, &mut meeting.of_client, None);
    }
    (meeting.of_client.expect("the client is done"), meeting.of_server.expect("the server is done"))
}
