//! The server's side.

use super::super::crypto::{Keys, Mac, Noise, SPAKE_MESSAGE, Seal, Secret, Spake};
use super::super::established::{Resumption, Role, Tokens};
use super::super::{Established, Facts, Protection, Random, Session, SessionId, State};
use super::method::{Cover, Method};
use super::wire::{Fields, Kind, Wire, put_facts, put_text};
use super::{Access, HandshakeError, ServerConfig};
use crate::session::MAX_FACT;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use HandshakeError::Malformed;

/// The session that is to be continued, as it stands.
#[derive(Debug)]
struct Continued {
    tokens: Tokens,
    protection: Protection,
    authenticated: bool,
    epoch: u64,
    received: u64,
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) config: ServerConfig,
    nonce: Secret,
    scalar: Secret<64>,
    ephemeral: Secret,
    id: SessionId,
    token: Secret,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The hello is to come.
    Hello,
    /// The session is to be looked up.
    Resumes(Hello, SessionId),
    /// The client's proof is to come.
    Answered(Box<Answered>),
    Done,
}

/// What of the hello matters later.
#[derive(Debug)]
struct Hello {
    version: u16,
    release: String,
}

#[derive(Debug)]
struct Answered {
    hello: Hello,
    method: Method,
    cover: Cover,
    spake: Option<Spake>,
    continued: Option<Continued>,
}

/// What the server has to do next.
pub(super) enum Step {
    Wait,
    Resumes(SessionId),
    Done(Established),
}

impl Server {
    pub(super) fn new(config: ServerConfig, random: &mut dyn Random) -> Self {
        let nonce = Secret::draw(random);
        let scalar = Secret::draw(random);
        let ephemeral = Secret::draw(random);
        let id: Secret<16> = Secret::draw(random);
        let token = Secret::draw(random);
        Self { config, nonce, scalar, ephemeral, id: SessionId(*id.reveal()), token, stage: Stage::Hello }
    }

    pub(super) fn poll(&mut self, wire: &mut Wire) -> Result<Step, HandshakeError> {
        if matches!(self.stage, Stage::Hello) {
            let Some(body) = wire.message(Kind::Hello)? else { return Ok(Step::Wait) };
            wire.transcript.update(&body);
            self.greeted(&body, wire)?;
        }
        if let Stage::Resumes(_, id) = &self.stage {
            return Ok(Step::Resumes(*id));
        }
        match wire.message(Kind::Prove)? {
            None => Ok(Step::Wait),
            Some(body) => match core::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Answered(answered) => self.proved(*answered, &body, wire).map(Step::Done),
                Stage::Hello | Stage::Resumes(..) | Stage::Done => Err(Malformed("a message after the end")),
            },
        }
    }

    fn greeted(&mut self, body: &[u8], wire: &mut Wire) -> Result<(), HandshakeError> {
        let mut fields = Fields(body);
        let theirs = fields.versions()?;
        let release = fields.text(MAX_FACT)?;
        let ours = self.config.versions;
        let version = ours.high.min(theirs.high);
        if version < ours.low || version < theirs.low {
            return Err(HandshakeError::Version {
                ours,
                our_release: self.config.facts.release.clone(),
                theirs,
                their_release: release,
            });
        }
        // What a later version puts behind these fields is none of ours.
        let _features = fields.u64()?;
        let _nonce: [u8; 32] = fields.array()?;
        let hello = Hello { version, release };
        match fields.u8()? {
            super::NEW => self.answer(hello, None, wire),
            super::RESUME => self.stage = Stage::Resumes(hello, SessionId(fields.array()?)),
            _ => return Err(Malformed("the purpose is unknown")),
        }
        Ok(())
    }

    /// Answers with the session that was asked for, if it is there.
    pub(super) fn resume_session(&mut self, session: Option<&Session>, wire: &mut Wire) -> Result<(), HandshakeError> {
        let Stage::Resumes(hello, id) = core::mem::replace(&mut self.stage, Stage::Done) else {
            return Err(Malformed("no session was asked for"));
        };
        let session = session.filter(|session| session.id() == id && !matches!(session.state(), State::Closed { .. }));
        let session = session.ok_or(HandshakeError::WrongToken)?;
        self.id = id;
        let continued = Continued {
            tokens: session.tokens().clone(),
            protection: session.protection(),
            authenticated: session.is_authenticated(),
            epoch: session.epoch(),
            received: session.received_messages(),
        };
        self.answer(hello, Some(continued), wire);
        Ok(())
    }

    fn answer(&mut self, hello: Hello, continued: Option<Continued>, wire: &mut Wire) {
        let method = match (&continued, &self.config.access) {
            (Some(_), _) => Method::Token,
            (None, Access::Password(_)) => Method::Password,
            (None, Access::Open { .. }) => Method::Open,
        };
        let was_plain = continued.as_ref().map(|session| session.protection == Protection::Plain);
        let cover = match (self.config.channel_binding, was_plain, &self.config.access) {
            (Some(_), _, _) => Cover::Tls,
            (None, Some(true), _) | (None, None, Access::Open { sealed: false }) => Cover::None,
            _ => Cover::Noise,
        };
        let mut body = Vec::new();
        body.extend_from_slice(&hello.version.to_be_bytes());
        put_text(&mut body, &self.config.facts.release, MAX_FACT);
        body.extend_from_slice(&super::FEATURES.to_be_bytes());
        body.extend_from_slice(self.nonce.reveal());
        body.extend_from_slice(&[method as u8, cover as u8]);
        let mut spake = None;
        if let (Method::Password, Access::Password(password)) = (method, &self.config.access) {
            let (state, message) = Spake::start(Role::Server, password, self.scalar.clone());
            body.extend_from_slice(&message);
            spake = Some(state);
        }
        wire.send(Kind::Answer, &body);
        self.stage = Stage::Answered(Box::new(Answered { hello, method, cover, spake, continued }));
    }

    /// The client's proof: answers with this side's, which is the end.
    fn proved(&mut self, answered: Answered, body: &[u8], wire: &mut Wire) -> Result<Established, HandshakeError> {
        let Answered { hello, method, cover, spake, continued } = answered;
        let mut fields = Fields(body);
        let password_key = match spake {
            Some(spake) => {
                let key = spake.finish(fields.bytes(SPAKE_MESSAGE)?);
                Some(key.ok_or(Malformed("the password's message is not one"))?)
            }
            None => None,
        };
        let peer_received = if continued.is_some() { fields.u64()? } else { 0 };
        wire.transcript.update(&body[..body.len() - fields.0.len()]);
        let (keys, tokens) = match (password_key, &continued) {
            (Some(key), _) => {
                let (keys, _) = self.confirm(&[&key], &mut fields, wire)?.ok_or(HandshakeError::WrongPassword)?;
                (Some(keys), Tokens::new(self.token.clone()))
            }
            (None, Some(session)) => {
                let (keys, tokens) = self.confirm_token(&session.tokens, &mut fields, wire)?;
                (Some(keys), tokens)
            }
            (None, None) => (None, Tokens::new(self.token.clone())),
        };
        let told = continued.as_ref().map(|session| session.received);
        let (peer, seal) = self.finish(cover, keys.as_ref(), &tokens, told, fields.0, hello.release, wire)?;
        let (received, unsent) = wire.take_rest();
        Ok(Established {
            peer,
            version: hello.version,
            authenticated: method == Method::Password
                || continued.as_ref().is_some_and(|session| session.authenticated),
            protection: cover.protection(),
            id: self.id,
            resumed: continued.is_some(),
            role: Role::Server,
            linger: self.config.linger,
            tokens,
            seal,
            received,
            unsent,
            resumption: Resumption {
                epoch: continued.as_ref().map_or(0, |session| session.epoch),
                told: told.unwrap_or(0),
                peer_received,
            },
        })
    }

    /// Measures the client's confirmation against each secret that it may have; the keys of the one it has, and which.
    fn confirm(
        &self,
        secrets: &[&Secret],
        fields: &mut Fields<'_>,
        wire: &mut Wire,
    ) -> Result<Option<(Keys, usize)>, HandshakeError> {
        let transcript = wire.transcript.hash();
        let mac: Mac = fields.array()?;
        wire.transcript.update(&mac);
        let binding = self.config.channel_binding.as_ref();
        let mut keys = secrets.iter().map(|secret| Keys::derive(secret, binding, &transcript));
        let found = keys.by_ref().enumerate().find(|(_, keys)| keys.confirms_client(&transcript, &mac));
        Ok(found.map(|(which, keys)| (keys, which)))
    }

    /// As [`Self::confirm`], and the tokens that are good from now on.
    fn confirm_token(
        &self,
        tokens: &Tokens,
        fields: &mut Fields<'_>,
        wire: &mut Wire,
    ) -> Result<(Keys, Tokens), HandshakeError> {
        let candidates: Vec<&Secret> = [&tokens.current].into_iter().chain(&tokens.next).collect();
        let (keys, which) = self.confirm(&candidates, fields, wire)?.ok_or(HandshakeError::WrongToken)?;
        // Whoever comes with the same token again gets the same next one, since any of the answers may be the one that
        // arrives.
        let next = tokens.next.as_ref().filter(|_| which == 0).unwrap_or(&self.token).clone();
        Ok((keys, Tokens { current: candidates[which].clone(), next: Some(next) }))
    }

    /// Reads the client's facts and sends this side's proof.
    #[expect(clippy::too_many_arguments, reason = "all that came of the client's proof")]
    fn finish(
        &self,
        cover: Cover,
        keys: Option<&Keys>,
        tokens: &Tokens,
        told: Option<u64>,
        tail: &[u8],
        release: String,
        wire: &mut Wire,
    ) -> Result<(Facts, Option<Seal>), HandshakeError> {
        let mut noise = (cover == Cover::Noise).then(|| {
            Noise::start(Role::Server, keys.map(|keys| &keys.seal), &wire.transcript.hash(), self.ephemeral.clone())
        });
        wire.transcript.update(tail);
        let opened = super::open_tail(noise.as_mut(), tail)?;
        let mut fields = Fields(&opened);
        let peer = fields.facts(release)?;
        fields.end()?;

        let payload = self.payload(tokens);
        let head = told.map(u64::to_be_bytes);
        let head = head.as_ref().map_or(&[][..], <[u8; 8]>::as_slice);
        let mac_length = keys.map_or(0, |_| size_of::<Mac>());
        let tail = noise.as_mut().map_or_else(|| payload.clone(), |noise| noise.write(&payload));
        wire.begin(Kind::Proof, head.len() + mac_length + tail.len());
        wire.put(head);
        if let Some(keys) = keys {
            let mac = keys.server_mac(&wire.transcript.hash());
            wire.put(&mac);
        }
        wire.put(&tail);
        Ok((peer, noise.map(Noise::finish)))
    }

    /// What only the client may see, where anything is sealed.
    fn payload(&self, tokens: &Tokens) -> Vec<u8> {
        let mut payload = Vec::new();
        payload.extend_from_slice(&self.id.0);
        payload.extend_from_slice(tokens.next.as_ref().unwrap_or(&tokens.current).reveal());
        let linger = u32::try_from(self.config.linger.as_secs()).unwrap_or(u32::MAX);
        payload.extend_from_slice(&linger.to_be_bytes());
        put_facts(&mut payload, &self.config.facts);
        payload
    }
}
