//! Random bytes drawn ahead, for libraries that want a generator.

use super::Secret;
use rand_core::{CryptoRng, RngCore, impls};

/// A generator that gives `N` bytes, drawn before, once.
pub(in crate::session) struct Drawn<const N: usize> {
    bytes: Secret<N>,
    taken: usize,
}

impl<const N: usize> Drawn<N> {
    pub(in crate::session) const fn new(bytes: Secret<N>) -> Self {
        Self { bytes, taken: 0 }
    }

    fn take(&mut self, out: &mut [u8]) -> Option<()> {
        let bytes = self.bytes.reveal().get(self.taken..)?.get(..out.len())?;
        out.copy_from_slice(bytes);
        self.taken += out.len();
        Some(())
    }
}

impl<const N: usize> RngCore for Drawn<N> {
    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.take(out).expect("as much is drawn ahead as one key takes");
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl<const N: usize> CryptoRng for Drawn<N> {}

impl<const N: usize> snow::types::Random for Drawn<N> {
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), snow::Error> {
        self.take(out).ok_or(snow::Error::Rng)
    }
}
