//! Questions: `qSupported`, `qRcmd`, `qSymbol`, `qGetTLSAddr`, `qOffsets`, `qTStatus`, ….

use super::thread::ThreadSelector;

/// A question that belongs to no other family.
///
/// `qSupported`, `vCont?`, `vMustReplyEmpty`, `QStartNoAckMode`, `QEnableErrorStrings` and `qsThreadInfo` never get
/// out of the machine: it answers them itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `qRcmd,HEX`: the user's `monitor` line, decoded.
    Monitor(&'a [u8]),
    /// `qSymbol:…`: the client offers to look symbols up, or answers the last look-up.
    Symbol {
        /// The value found; `None`: not found, or this is the first offer.
        value: Option<u64>,
        /// The decoded name that this answers; empty: the first offer.
        name: &'a [u8],
    },
    /// `qGetTLSAddr:THREAD,OFFSET,LINK_MAP`.
    TlsAddress {
        /// Which thread.
        thread: ThreadSelector,
        /// Offset in the module's block.
        offset: u64,
        /// Address of the module's `link_map`.
        link_map: u64,
    },
}
