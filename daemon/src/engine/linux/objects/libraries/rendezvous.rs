//! Where the dynamic linker and a debugger meet: `r_debug`, and how it is found.

use super::pages::Pages;
use super::{LibrariesError, PointerSize};
use crate::engine::linux::objects::auxv::{self, AT_PHDR, AT_PHENT, AT_PHNUM};

const PT_DYNAMIC: u32 = 2;
const PT_PHDR: u32 = 6;
const DT_NULL: u64 = 0;
const DT_DEBUG: u64 = 21;

/// Program headers looked at; more than any linker writes.
const HEADERS_MAX: u64 = 512;
/// Longest program header believed.
const HEADER_LEN_MAX: u64 = 1024;
/// Entries of the dynamic section looked at; common ones have about 30.
const DYNAMIC_MAX: u64 = 4096;

/// The linker's `r_debug` of one namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rendezvous {
    /// Where it is; also the namespace's name to the client.
    pub(super) address: u64,
    /// The first `link_map`; 0: none yet.
    pub(super) map: u64,
    /// The next namespace's; 0: none, or the linker is too old to tell.
    pub(super) next: u64,
}

impl Rendezvous {
    /// The one at `address`; `None` where it is null, not mapped, or not yet filled in.
    pub(super) fn read(pages: &mut Pages<'_>, address: u64) -> Option<Self> {
        if address == 0 {
            return None;
        }
        let mut version = [0; 4];
        pages.read(address, &mut version)?;
        let version = i32::from_ne_bytes(version);
        if version < 1 {
            return None;
        }
        let [_, map] = pages.words(address)?;
        // `r_debug_extended` has `r_next` behind `r_brk`, `r_state` and `r_ldbase` (glibc 2.35).
        let next = if version >= 2 { pages.words::<6>(address)?[5] } else { 0 };
        Some(Self { address, map, next })
    }
}

/// The address of the first `r_debug`: from `AT_PHDR` over `PT_DYNAMIC` to `DT_DEBUG`. `None`: the program is static,
/// or its linker has not run yet.
pub(super) fn find(pages: &mut Pages<'_>, auxv: &[u8]) -> Result<Option<u64>, LibrariesError> {
    let Some(place) = place(pages, auxv)? else {
        return Ok(None);
    };
    let [value] = pages.words(place).ok_or(LibrariesError::Unreadable)?;
    Ok((value != 0).then_some(value))
}

/// Where `DT_DEBUG` has its value, which the linker fills in; `None`: the program is static.
pub(super) fn place(pages: &mut Pages<'_>, auxv: &[u8]) -> Result<Option<u64>, LibrariesError> {
    let Some(dynamic) = dynamic_section(pages, auxv)? else {
        return Ok(None);
    };
    let entry_len = 2 * pages.size().bytes() as u64;
    for index in 0..DYNAMIC_MAX {
        let address = pages.size().wrap(dynamic.wrapping_add(index * entry_len));
        match pages.words(address).ok_or(LibrariesError::Unreadable)? {
            [DT_DEBUG, _] => return Ok(Some(pages.size().wrap(address.wrapping_add(entry_len / 2)))),
            [DT_NULL, _] => break,
            _ => {}
        }
    }
    Err(LibrariesError::NoDebugEntry)
}

/// The address of the dynamic section; `None` where the program has none.
fn dynamic_section(pages: &mut Pages<'_>, auxv: &[u8]) -> Result<Option<u64>, LibrariesError> {
    let size = pages.size();
    let entry = |key| auxv::entry(auxv, size, key).ok_or(LibrariesError::Unreadable);
    let (headers, header_len, count) = (entry(AT_PHDR)?, entry(AT_PHENT)?, entry(AT_PHNUM)?);
    if !(Header::len(size)..=HEADER_LEN_MAX).contains(&header_len) {
        return Err(LibrariesError::Unreadable);
    }
    // Where the program was loaded, less where it was linked to be. Without PT_PHDR it was not moved, or is static and
    // moves itself: that one's section is then not found, and the client is told to look for itself.
    let mut bias = 0_u64;
    let mut dynamic = None;
    for index in 0..count.min(HEADERS_MAX) {
        let at = headers.wrapping_add(index * header_len);
        let header = Header::read(pages, at).ok_or(LibrariesError::Unreadable)?;
        match header.kind {
            PT_DYNAMIC => dynamic = Some(header.address),
            PT_PHDR => bias = headers.wrapping_sub(header.address),
            _ => {}
        }
    }
    Ok(dynamic.map(|address| size.wrap(address.wrapping_add(bias))))
}

/// What matters of an ELF program header (elf(5)).
struct Header {
    /// `p_type`.
    kind: u32,
    /// `p_vaddr`.
    address: u64,
}

impl Header {
    /// Bytes of a whole one.
    const fn len(size: PointerSize) -> u64 {
        match size {
            PointerSize::Four => 32,
            PointerSize::Eight => 56,
        }
    }

    fn read(pages: &mut Pages<'_>, at: u64) -> Option<Self> {
        let size = pages.size();
        let at = size.wrap(at);
        let mut kind = [0; 4];
        pages.read(at, &mut kind)?;
        // The third word in both: `p_flags` stands at the end of the smaller header and beside `p_type` in the other.
        let [address] = pages.words(at.checked_add(2 * size.bytes() as u64)?)?;
        Some(Self { kind: u32::from_ne_bytes(kind), address })
    }
}
