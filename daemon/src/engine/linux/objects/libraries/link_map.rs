//! The linker's lists of loaded objects, followed without trust.

use super::pages::Pages;
use super::rendezvous::Rendezvous;

/// Libraries in one document, all namespaces together. A list that goes round ends here.
const LIBRARIES_MAX: u32 = 16_384;
/// Namespaces followed; glibc has at most 16.
const NAMESPACES_MAX: u32 = 64;

/// The public head of a `link_map`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LinkMap {
    /// Where it is: the library's name to the client.
    pub(super) address: u64,
    /// `l_addr`: where the object was loaded, less where it was linked to be.
    pub(super) bias: u64,
    /// `l_name`: the address of its path.
    pub(super) name: u64,
    /// `l_ld`: the address of its dynamic section.
    pub(super) dynamic: u64,
    /// `l_next`.
    pub(super) next: u64,
    /// `l_prev`.
    previous: u64,
}

impl LinkMap {
    /// The one at `address`; `None` where that is null or not mapped.
    pub(super) fn read(pages: &mut Pages<'_>, address: u64) -> Option<Self> {
        if address == 0 {
            return None;
        }
        let [bias, name, dynamic, next, previous] = pages.words(address)?;
        Some(Self { address, bias, name, dynamic, next, previous })
    }
}

/// How far the lists have been followed.
#[derive(Debug, Default)]
pub(super) struct Walk {
    libraries: u32,
    namespaces: u32,
}

impl Walk {
    /// The library at `address`, unless the list ends there, the library denies that it comes after `previous`, or
    /// the walk has been too long.
    pub(super) fn next_library(&mut self, pages: &mut Pages<'_>, previous: u64, address: u64) -> Option<LinkMap> {
        self.libraries += 1;
        if self.libraries > LIBRARIES_MAX {
            return None;
        }
        LinkMap::read(pages, address).filter(|library| library.previous == previous)
    }

    /// The namespace at `address`, unless there are no more, or too many.
    pub(super) fn next_namespace(&mut self, pages: &mut Pages<'_>, address: u64) -> Option<Rendezvous> {
        self.namespaces += 1;
        if self.namespaces > NAMESPACES_MAX {
            return None;
        }
        Rendezvous::read(pages, address)
    }
}
