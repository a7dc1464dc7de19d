//! The password's proof: SPAKE2 over Ed25519.

use super::super::established::Role;
use super::{Drawn, Secret};
use crate::options::Password;
use alloc::vec::Vec;
use spake2::{Ed25519Group, Identity, Spake2};

/// Length of a SPAKE2 message: the side, `A` or `B`, and a point.
pub(in crate::session) const SPAKE_MESSAGE: usize = 33;

const CLIENT: &[u8] = b"dbgsrv client";
const SERVER: &[u8] = b"dbgsrv server";

/// One side of SPAKE2, its message sent.
#[derive(Debug)]
pub(in crate::session) struct Spake(Spake2<Ed25519Group>);

impl Spake {
    /// Begins, with the message to be sent.
    pub(in crate::session) fn start(role: Role, password: &Password, scalar: Secret<64>) -> (Self, Vec<u8>) {
        let password = spake2::Password::new(password.reveal());
        let (client, server) = (Identity::new(CLIENT), Identity::new(SERVER));
        let random = Drawn::new(scalar);
        let (spake, message) = match role {
            Role::Client => Spake2::start_a_with_rng(&password, &client, &server, random),
            Role::Server => Spake2::start_b_with_rng(&password, &client, &server, random),
        };
        (Self(spake), message)
    }

    /// The key that both have who know the same password. `None` where the other side's message is none.
    pub(in crate::session) fn finish(self, message: &[u8]) -> Option<Secret> {
        let key = self.0.finish(message).ok()?;
        Some(Secret::new(key.try_into().ok()?))
    }
}
