//! Registers: `g`, `G`, `p`, `P`. They concern the thread chosen with `Hg`, see [`super::server::Exchange::thread`].

/// A register request. Values are bytes in the target's order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `p NUMBER`.
    Read {
        /// The register's number in the target description.
        number: u32,
    },
    /// `g`.
    ReadAll,
    /// `P NUMBER=VALUE`.
    Write {
        /// The register's number in the target description.
        number: u32,
        /// Its new content, decoded.
        value: &'a [u8],
    },
    /// `G VALUES`.
    WriteAll {
        /// All registers in order, decoded; bytes sent as `xx` (unavailable) are an error.
        values: &'a [u8],
    },
}
