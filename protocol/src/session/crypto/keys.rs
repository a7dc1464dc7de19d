//! The transcript and the keys that come of it.

use super::Secret;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest, Sha256};

/// A confirmation: HMAC-SHA256.
pub(in crate::session) type Mac = [u8; 32];

/// Every byte of a handshake so far, of both sides, hashed.
#[derive(Clone, Debug, Default)]
pub(in crate::session) struct Transcript(Sha256);

impl Transcript {
    pub(in crate::session) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(in crate::session) fn hash(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}

/// What both sides derive from what they share, a password's key or a token.
#[derive(Debug)]
pub(in crate::session) struct Keys {
    client: Secret,
    server: Secret,
    /// Noise's pre-shared key.
    pub(in crate::session) seal: Secret,
}

impl Keys {
    /// `transcript` ends where the client's confirmation begins.
    pub(in crate::session) fn derive(shared: &Secret, binding: Option<&[u8; 32]>, transcript: &[u8; 32]) -> Self {
        let mut material = Secret::new([0; 64]);
        let (secret, bound) = material.reveal_mut().split_at_mut(32);
        secret.copy_from_slice(shared.reveal());
        bound.copy_from_slice(binding.unwrap_or(&[0; 32]));
        let keys = Hkdf::<Sha256>::new(Some(transcript), material.reveal());
        let expand = |label: &[u8]| {
            let mut key = Secret::new([0; 32]);
            keys.expand(label, key.reveal_mut()).expect("32 bytes are within HKDF's bounds");
            key
        };
        Self {
            client: expand(b"dbgsrv client confirmation"),
            server: expand(b"dbgsrv server confirmation"),
            seal: expand(b"dbgsrv seal"),
        }
    }

    /// The client's confirmation.
    pub(in crate::session) fn client_mac(&self, transcript: &[u8; 32]) -> Mac {
        mac(&self.client, transcript).finalize().into_bytes().into()
    }

    /// The server's confirmation.
    pub(in crate::session) fn server_mac(&self, transcript: &[u8; 32]) -> Mac {
        mac(&self.server, transcript).finalize().into_bytes().into()
    }

    /// Whether the client has the same keys. Takes the same time whatever it sent.
    pub(in crate::session) fn confirms_client(&self, transcript: &[u8; 32], received: &Mac) -> bool {
        mac(&self.client, transcript).verify(received.into()).is_ok()
    }

    /// As [`Self::confirms_client`], of the server.
    pub(in crate::session) fn confirms_server(&self, transcript: &[u8; 32], received: &Mac) -> bool {
        mac(&self.server, transcript).verify(received.into()).is_ok()
    }
}

fn mac(key: &Secret, transcript: &[u8; 32]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.reveal()).expect("HMAC takes keys of any length");
    mac.update(transcript);
    mac
}
