//! What seals and opens the records of one connection.

use crate::limits::REKEY_RECORDS;
use alloc::boxed::Box;
use snow::TransportState;

/// Noise's transport, with a new key for each direction after every [`REKEY_RECORDS`] records in it.
#[derive(Debug)]
pub(in crate::session) struct Seal(Box<TransportState>);

impl Seal {
    /// Bytes by which a sealed record is longer.
    pub(in crate::session) const TAG: usize = 16;

    pub(super) fn new(state: TransportState) -> Self {
        Self(Box::new(state))
    }

    /// Seals `plain` into `sealed`, which is longer by [`Self::TAG`].
    pub(in crate::session) fn seal(&mut self, plain: &[u8], sealed: &mut [u8]) {
        if is_rekey_due(self.0.sending_nonce()) {
            self.0.rekey_outgoing();
        }
        self.0.write_message(plain, sealed).expect("a record is within Noise's bounds, and 2^64 are never sent");
    }

    /// Opens `sealed` into `plain`, which is at least as long as what comes out, and returns its length. `None` where the
    /// record is not the next one of the peer's, as it was sent.
    pub(in crate::session) fn open(&mut self, sealed: &[u8], plain: &mut [u8]) -> Option<usize> {
        if is_rekey_due(self.0.receiving_nonce()) {
            self.0.rekey_incoming();
        }
        self.0.read_message(sealed, plain).ok()
    }
}

/// Before the record of this number, counted from 0.
const fn is_rekey_due(number: u64) -> bool {
    number != 0 && number.is_multiple_of(REKEY_RECORDS)
}
