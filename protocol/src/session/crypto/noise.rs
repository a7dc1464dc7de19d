//! The Noise handshake inside ours.

use super::super::established::Role;
use super::{Drawn, Seal, Secret};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState};

/// With a shared secret: both ends are who they should be.
const WITH_SECRET: &str = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";
/// Without: keeps listeners out, but not who sits in between.
const WITHOUT_SECRET: &str = "Noise_NN_25519_ChaChaPoly_SHA256";

/// An ephemeral public key, and the tag of what is sealed.
const KEY: usize = 32;
const TAG: usize = 16;

/// One side's Noise handshake of two messages, one each way.
pub(in crate::session) struct Noise {
    state: HandshakeState,
}

impl Noise {
    /// Begins. `prologue` is the hash of the transcript up to the first message.
    pub(in crate::session) fn start(
        role: Role,
        secret: Option<&Secret>,
        prologue: &[u8; 32],
        ephemeral: Secret,
    ) -> Self {
        const FIXED: &str = "the parameters are fixed and right";
        let name = if secret.is_some() { WITH_SECRET } else { WITHOUT_SECRET };
        let resolver = Box::new(Resolver { ephemeral });
        let mut builder = Builder::with_resolver(name.parse().expect(FIXED), resolver).prologue(prologue).expect(FIXED);
        if let Some(secret) = secret {
            builder = builder.psk(0, secret.reveal()).expect(FIXED);
        }
        let state = match role {
            Role::Client => builder.build_initiator(),
            Role::Server => builder.build_responder(),
        };
        Self { state: state.expect(FIXED) }
    }

    /// Length of the client's message around a payload of `length` bytes. That is sealed with the secret alone: what the
    /// two ephemeral keys give seals the server's message first.
    pub(in crate::session) const fn client_message_length(with_secret: bool, length: usize) -> usize {
        KEY + length + if with_secret { TAG } else { 0 }
    }

    /// This side's message.
    pub(in crate::session) fn write(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut message = vec![0; KEY + payload.len() + TAG];
        let length =
            self.state.write_message(payload, &mut message).expect("it is this side's turn, and there is room");
        message.truncate(length);
        message
    }

    /// The payload of the other side's message, `None` where that was changed or made with other keys.
    pub(in crate::session) fn read(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let mut payload = vec![0; message.len()];
        let length = self.state.read_message(message, &mut payload).ok()?;
        payload.truncate(length);
        Some(payload)
    }

    /// What seals the records from here on, both messages being done.
    pub(in crate::session) fn finish(self) -> Seal {
        Seal::new(self.state.into_transport_mode().expect("both messages are done"))
    }
}

impl fmt::Debug for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Noise")
    }
}

/// The algorithms, with an ephemeral key drawn before.
struct Resolver {
    ephemeral: Secret,
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Drawn::new(self.ephemeral.clone())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}
