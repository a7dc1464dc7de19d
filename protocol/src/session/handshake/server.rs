//! The server's side.

use super::super::crypto::{Keys, Mac, Noise, SPAKE_MESSAGE, Secret, Spake};
use super::super::established::{Resumption, Role, Tokens};
use super::super::{Established, Protection, Random, Session, SessionId, State};
use super::method::{Cover, Method};
use super::wire::{Fields, Kind, Wire, put_facts, put_text};
use super::{Access, HandshakeError, Progress, ServerConfig};
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
    /// The password's proof has come, and is looked at next.
    Guesses(Box<Answered>, Vec<u8>),
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

/// A client that may come in.
#[derive(Debug)]
struct Admitted {
    keys: Option<Keys>,
    /// The tokens that are good from now on.
    tokens: Tokens,
    /// Messages received, where a session is continued.
    told: Option<u64>,
    peer_received: u64,
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

    pub(super) fn poll(&mut self, wire: &mut Wire) -> Result<Progress, HandshakeError> {
        if matches!(self.stage, Stage::Hello) {
            let Some(body) = wire.message(Kind::Hello)? else { return Ok(Progress::Pending) };
            wire.transcript.update(&body);
            self.greeted(&body, wire)?;
        }
        if let Stage::Resumes(_, id) = &self.stage {
            return Ok(Progress::Resumes(*id));
        }
        match core::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Answered(answered) => {
                let Some(body) = wire.message(Kind::Prove)? else {
                    self.stage = Stage::Answered(answered);
                    return Ok(Progress::Pending);
                };
                if answered.method == Method::Password {
                    self.stage = Stage::Guesses(answered, body);
                    return Ok(Progress::Guesses);
                }
                self.proved(*answered, &body, wire).map(Progress::established)
            }
            Stage::Guesses(answered, body) => self.proved(*answered, &body, wire).map(Progress::established),
            Stage::Hello | Stage::Resumes(..) | Stage::Done => Err(Malformed("a message after the end")),
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
        let admitted = self.admit(spake, continued.as_ref(), &mut fields, wire)?;
        let mut noise = (cover == Cover::Noise).then(|| {
            let secret = admitted.keys.as_ref().map(|keys| &keys.seal);
            Noise::start(Role::Server, secret, &wire.transcript.hash(), self.ephemeral.clone())
        });
        wire.transcript.update(fields.0);
        let facts = super::open_tail(noise.as_mut(), fields.0)?;
        let mut facts = Fields(&facts);
        let peer = facts.facts(hello.release)?;
        facts.end()?;
        self.prove(&admitted, noise.as_mut(), wire);
        let (received, unsent) = wire.take_rest();
        Ok(Established {
            peer,
            version: hello.version,
            authenticated: continued.as_ref().map_or(method == Method::Password, |session| session.authenticated),
            protection: cover.protection(),
            id: self.id,
            resumed: continued.is_some(),
            role: Role::Server,
            linger: self.config.linger,
            tokens: admitted.tokens,
            seal: noise.map(Noise::finish),
            received,
            unsent,
            resumption: continued.map_or_else(Resumption::default, |session| Resumption {
                epoch: session.epoch,
                told: session.received,
                peer_received: admitted.peer_received,
            }),
        })
    }

    /// Lets the client in, or not.
    fn admit(
        &self,
        spake: Option<Spake>,
        continued: Option<&Continued>,
        fields: &mut Fields<'_>,
        wire: &mut Wire,
    ) -> Result<Admitted, HandshakeError> {
        let new = Tokens::new(self.token.clone());
        if let Some(spake) = spake {
            let message = fields.bytes(SPAKE_MESSAGE)?;
            wire.transcript.update(message);
            let key = spake.finish(message).ok_or(Malformed("the password's message is not one"))?;
            let (keys, _) = self.confirm(&[&key], fields, wire)?.ok_or(HandshakeError::WrongPassword)?;
            return Ok(Admitted { keys: Some(keys), tokens: new, told: None, peer_received: 0 });
        }
        let Some(session) = continued else {
            return Ok(Admitted { keys: None, tokens: new, told: None, peer_received: 0 });
        };
        let peer_received = fields.u64()?;
        wire.transcript.update(&peer_received.to_be_bytes());
        let (keys, tokens) = self.confirm_token(&session.tokens, fields, wire)?;
        Ok(Admitted { keys: Some(keys), tokens, told: Some(session.received), peer_received })
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

    /// Sends this side's proof.
    fn prove(&self, admitted: &Admitted, noise: Option<&mut Noise>, wire: &mut Wire) {
        let payload = self.payload(&admitted.tokens);
        let tail = match noise {
            Some(noise) => noise.write(&payload),
            None => payload,
        };
        let told = admitted.told.map(u64::to_be_bytes);
        let told = told.as_ref().map_or(&[][..], <[u8; 8]>::as_slice);
        let mac_length = admitted.keys.as_ref().map_or(0, |_| size_of::<Mac>());
        wire.begin(Kind::Proof, told.len() + mac_length + tail.len());
        wire.put(told);
        if let Some(keys) = &admitted.keys {
            let mac = keys.server_mac(&wire.transcript.hash());
            wire.put(&mac);
        }
        wire.put(&tail);
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
