//! The client's side.

use super::super::crypto::{Keys, Mac, Noise, SPAKE_MESSAGE, Secret, Spake};
use super::super::established::{Resumption, Role, Tokens};
use super::super::{Established, Protection, Random, Session, SessionId};
use super::method::{self, Cover, Method};
use super::wire::{Fields, Kind, Wire, put_facts, put_text, put_versions};
use super::{ClientConfig, HandshakeError, Progress};
use crate::session::MAX_FACT;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use HandshakeError::Malformed;

/// The session that is to be continued.
#[derive(Debug)]
struct Continued {
    id: SessionId,
    token: Secret,
    protection: Protection,
    authenticated: bool,
    epoch: u64,
    received: u64,
}

#[derive(Debug)]
pub(super) struct Client {
    config: ClientConfig,
    scalar: Secret<64>,
    ephemeral: Secret,
    continued: Option<Continued>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The hello is sent.
    Hello,
    /// The proof is sent.
    Proving(Box<Proving>),
    Done,
}

/// What the server chose, and what its proof is measured against.
#[derive(Debug)]
struct Proving {
    version: u16,
    release: String,
    method: Method,
    cover: Cover,
    keys: Option<Keys>,
    noise: Option<Noise>,
}

impl Client {
    pub(super) fn new(
        config: ClientConfig,
        session: Option<&Session>,
        random: &mut dyn Random,
        wire: &mut Wire,
    ) -> Self {
        let nonce: Secret = Secret::draw(random);
        let client = Self {
            config,
            scalar: Secret::draw(random),
            ephemeral: Secret::draw(random),
            continued: session.map(|session| Continued {
                id: session.id(),
                token: session.tokens().current.clone(),
                protection: session.protection(),
                authenticated: session.is_authenticated(),
                epoch: session.epoch(),
                received: session.received_messages(),
            }),
            stage: Stage::Hello,
        };
        client.hello(&nonce, wire);
        client
    }

    fn hello(&self, nonce: &Secret, wire: &mut Wire) {
        let mut body = Vec::new();
        put_versions(&mut body, self.config.versions);
        put_text(&mut body, &self.config.facts.release, MAX_FACT);
        body.extend_from_slice(&super::FEATURES.to_be_bytes());
        body.extend_from_slice(nonce.reveal());
        match &self.continued {
            None => body.push(super::NEW),
            Some(session) => {
                body.push(super::RESUME);
                body.extend_from_slice(&session.id.0);
            }
        }
        wire.send(Kind::Hello, &body);
    }

    pub(super) fn poll(&mut self, wire: &mut Wire) -> Result<Progress, HandshakeError> {
        if matches!(self.stage, Stage::Hello) {
            let Some(body) = wire.message(Kind::Answer).map_err(|error| self.with_versions(error))? else {
                return Ok(Progress::Pending);
            };
            let proving = self.answered(&body, wire)?;
            self.stage = Stage::Proving(Box::new(proving));
        }
        match wire.message(Kind::Proof)? {
            None => Ok(Progress::Pending),
            Some(body) => match core::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Proving(proving) => self.proved(*proving, &body, wire).map(Progress::established),
                Stage::Hello | Stage::Done => Err(Malformed("a message after the end")),
            },
        }
    }

    /// A rejection says what the server speaks; what is spoken here is known here.
    fn with_versions(&self, error: HandshakeError) -> HandshakeError {
        match error {
            HandshakeError::Version { theirs, their_release, .. } => HandshakeError::Version {
                ours: self.config.versions,
                our_release: self.config.facts.release.clone(),
                theirs,
                their_release,
            },
            error => error,
        }
    }

    /// The server chose: sends this side's proof.
    fn answered(&mut self, body: &[u8], wire: &mut Wire) -> Result<Proving, HandshakeError> {
        let mut fields = Fields(body);
        let version = fields.u16()?;
        let release = fields.text(MAX_FACT)?;
        let features = fields.u64()?;
        let _nonce: [u8; 32] = fields.array()?;
        let (method, cover) = method::read(&mut fields)?;
        let spake = if method == Method::Password { fields.bytes(SPAKE_MESSAGE)? } else { &[] };
        fields.end()?;
        let versions = self.config.versions;
        if !(versions.low..=versions.high).contains(&version) || features & !super::FEATURES != 0 {
            return Err(Malformed("the server chose what was not offered"));
        }
        self.admit(method, cover)?;
        wire.transcript.update(body);
        let (keys, noise) = self.prove(method, cover, spake, wire)?;
        Ok(Proving { version, release, method, cover, keys, noise })
    }

    /// Whether this side goes along with the server's choice.
    fn admit(&self, method: Method, cover: Cover) -> Result<(), HandshakeError> {
        match (method, &self.continued, &self.config.password) {
            (Method::Token, Some(_), _) | (Method::Password, None, Some(_)) | (Method::Open, None, None) => {}
            (Method::Password, None, None) => return Err(HandshakeError::PasswordNeeded),
            (Method::Open, None, Some(_)) => return Err(HandshakeError::PasswordUnused),
            (Method::Token, None, _) | (_, Some(_), _) => return Err(Malformed("the method does not fit the hello")),
        }
        let was_plain = self.continued.as_ref().is_none_or(|session| session.protection == Protection::Plain);
        let in_tls = self.config.channel_binding.is_some();
        match cover {
            Cover::Noise => Ok(()),
            Cover::Tls if in_tls => Ok(()),
            Cover::Tls => Err(Malformed("the server is inside TLS, and this side is not")),
            Cover::None if in_tls || self.config.local && was_plain => Ok(()),
            Cover::None => Err(HandshakeError::Unprotected),
        }
    }

    fn prove(
        &mut self,
        method: Method,
        cover: Cover,
        server_spake: &[u8],
        wire: &mut Wire,
    ) -> Result<(Option<Keys>, Option<Noise>), HandshakeError> {
        let mut head = Vec::new();
        let shared = match (method, &self.config.password, &self.continued) {
            (Method::Password, Some(password), _) => {
                let (spake, message) = Spake::start(Role::Client, password, self.scalar.clone());
                head = message;
                Some(spake.finish(server_spake).ok_or(Malformed("the password's message is not one"))?)
            }
            (Method::Token, _, Some(session)) => {
                head.extend_from_slice(&session.received.to_be_bytes());
                Some(session.token.clone())
            }
            _ => None,
        };
        let mut facts = Vec::new();
        put_facts(&mut facts, &self.config.facts);
        let mac_length = shared.as_ref().map_or(0, |_| size_of::<Mac>());
        let tail_length = match cover {
            Cover::Noise => Noise::client_message_length(shared.is_some(), facts.len()),
            Cover::None | Cover::Tls => facts.len(),
        };
        wire.begin(Kind::Prove, head.len() + mac_length + tail_length);
        wire.put(&head);
        let keys = shared.map(|shared| {
            let binding = self.config.channel_binding.as_ref().filter(|_| cover == Cover::Tls);
            let transcript = wire.transcript.hash();
            let keys = Keys::derive(&shared, binding, &transcript);
            wire.put(&keys.client_mac(&transcript));
            keys
        });
        if cover != Cover::Noise {
            wire.put(&facts);
            return Ok((keys, None));
        }
        let psk = keys.as_ref().map(|keys| &keys.seal);
        let mut noise = Noise::start(Role::Client, psk, &wire.transcript.hash(), self.ephemeral.clone());
        wire.put(&noise.write(&facts));
        Ok((keys, Some(noise)))
    }

    /// The server's proof: the end.
    fn proved(&mut self, proving: Proving, body: &[u8], wire: &mut Wire) -> Result<Established, HandshakeError> {
        let Proving { version, release, method, cover, keys, mut noise } = proving;
        let mut fields = Fields(body);
        let peer_received = if method == Method::Token { fields.u64()? } else { 0 };
        if let Some(keys) = &keys {
            wire.transcript.update(&body[..body.len() - fields.0.len()]);
            confirm(keys, &fields.array()?, method, wire)?;
        }
        let payload = super::open_tail(noise.as_mut(), fields.0)?;
        let mut fields = Fields(&payload);
        let id = SessionId(fields.array()?);
        let token = Secret::new(fields.array()?);
        let linger = Duration::from_secs(fields.u32()?.into());
        let peer = fields.facts(release)?;
        fields.end()?;
        let continued = self.continued.as_ref();
        if continued.is_some_and(|session| session.id != id) {
            return Err(Malformed("another session goes on than was to"));
        }
        let in_tls = cover == Cover::None && self.config.channel_binding.is_some();
        let (received, unsent) = wire.take_rest();
        Ok(Established {
            peer,
            version,
            authenticated: continued.map_or(method == Method::Password, |session| session.authenticated),
            protection: if in_tls { Protection::Tls } else { cover.protection() },
            id,
            resumed: method == Method::Token,
            role: Role::Client,
            linger,
            tokens: Tokens::new(token),
            seal: noise.map(Noise::finish),
            received,
            unsent,
            resumption: continued.map_or_else(Resumption::default, |session| Resumption {
                epoch: session.epoch,
                told: session.received,
                peer_received,
            }),
        })
    }
}

/// Whether the server has the same keys.
fn confirm(keys: &Keys, mac: &Mac, method: Method, wire: &Wire) -> Result<(), HandshakeError> {
    if keys.confirms_server(&wire.transcript.hash(), mac) {
        return Ok(());
    }
    Err(match method {
        Method::Token => HandshakeError::WrongToken,
        Method::Password | Method::Open => HandshakeError::WrongPassword,
    })
}
