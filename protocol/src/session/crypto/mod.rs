//! The session's cryptography: secrets, the key schedule, and what seals.

mod drawn;
mod keys;
mod noise;
mod seal;
mod secret;
mod spake;

pub(super) use drawn::Drawn;
pub(super) use keys::{Keys, Mac, Transcript};
pub(super) use noise::Noise;
pub(super) use seal::Seal;
pub(super) use secret::Secret;
pub(super) use spake::{SPAKE_MESSAGE, Spake};
