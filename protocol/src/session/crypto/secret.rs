//! Bytes that nobody sees.

use super::super::Random;
use core::fmt;
use zeroize::Zeroize;

/// Bytes that print as `***` and are wiped when they are dropped.
#[derive(Clone)]
pub(in crate::session) struct Secret<const N: usize = 32>([u8; N]);

impl<const N: usize> Secret<N> {
    pub(in crate::session) const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Draws one.
    pub(in crate::session) fn draw(random: &mut dyn Random) -> Self {
        let mut secret = Self([0; N]);
        random.fill(&mut secret.0);
        secret
    }

    pub(in crate::session) const fn reveal(&self) -> &[u8; N] {
        &self.0
    }

    pub(in crate::session) const fn reveal_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
