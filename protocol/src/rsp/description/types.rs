//! Types that a feature defines for its registers (GDB manual, "Defining Target Types").

/// A type, under the id by which later types and registers of the same feature name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Type {
    /// A word whose single bits have names.
    Flags { id: &'static str, bytes: u8, bits: &'static [(&'static str, u8)] },
    /// One content seen as several types: field and type names.
    Union { id: &'static str, fields: &'static [(&'static str, &'static str)] },
    /// A number of equal elements.
    Vector { id: &'static str, element: &'static str, count: u8 },
}
