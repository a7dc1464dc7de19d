//! `qXfer:libraries-svr4`: the shared libraries as the dynamic linker lists them (GDB manual, "Library List Format for
//! SVR4 Targets").
//!
//! The program's headers lead to its dynamic section, that to the linker's `r_debug`, and that to one list of
//! `link_map`s for each namespace (`<link.h>`). All of it lies in the inferior's memory and may be damaged.

mod link_map;
mod pages;
mod rendezvous;

use std::io::Write;

use self::link_map::{LinkMap, Walk};
use self::pages::Pages;
use self::rendezvous::Rendezvous;
use super::{ReadMemory, xml};

/// Bytes after which a document takes no more libraries. Real ones have some hundred bytes for each library; this
/// bounds what a list with endless names can make us hold.
const DOCUMENT_MAX: usize = 16 << 20;

/// How wide an inferior's addresses are. Its byte order is ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PointerSize {
    /// A 32-bit program.
    Four,
    /// A 64-bit program.
    Eight,
}

impl PointerSize {
    /// The size in bytes.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The word at the start of `bytes`; what is missing counts as zero.
    pub(super) fn word(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Four => first_chunk(bytes).map_or(0, |word| u64::from(u32::from_ne_bytes(word))),
            Self::Eight => first_chunk(bytes).map_or(0, u64::from_ne_bytes),
        }
    }

    /// `address`, wrapped around as the inferior's own arithmetic would.
    const fn wrap(self, address: u64) -> u64 {
        match self {
            Self::Four => address & 0xffff_ffff,
            Self::Eight => address,
        }
    }
}

fn first_chunk<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

/// Why there is no list, not even an empty one: the client should look for itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum LibrariesError {
    /// The program is linked dynamically but leaves no place for the linker's address, as the linker itself when it
    /// is run as a program.
    #[error("the program's dynamic section has no DT_DEBUG entry")]
    NoDebugEntry,
    /// The auxiliary vector or the headers it points to cannot be read.
    #[error("the program's headers cannot be read from its memory")]
    Unreadable,
}

/// Which part of the lists is wanted: the annex `lmid=HEX;start=HEX;prev=HEX`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Part {
    /// The namespace that the part belongs to.
    namespace: u64,
    /// The first `link_map`; 0: everything.
    start: u64,
    /// The `link_map` before it.
    previous: u64,
}

impl Part {
    /// Reads an annex. Unknown keys are skipped as the manual asks; what is no number counts as absent.
    fn parse(annex: &[u8]) -> Self {
        let mut part = Self::default();
        for field in annex.split(|&byte| byte == b';') {
            let Some((key, value)) = std::str::from_utf8(field).ok().and_then(|field| field.split_once('=')) else {
                continue;
            };
            let value = u64::from_str_radix(value.strip_prefix("0x").unwrap_or(value), 16).unwrap_or(0);
            match key {
                "lmid" => part.namespace = value,
                "prev" => part.previous = value,
                "start" => part.start = value,
                _ => {}
            }
        }
        part
    }
}

/// Where the program keeps the address of its linker's list; `None` where it has no linker.
///
/// # Errors
/// [`LibrariesError`]: the place cannot be found.
pub(crate) fn library_list(
    memory: &dyn ReadMemory,
    auxv: &[u8],
    size: PointerSize,
) -> Result<Option<u64>, LibrariesError> {
    rendezvous::place(&mut Pages::new(memory, size), auxv)
}

/// The document for `annex`, with what only GDB reads if `for_gdb`: the program's own entry, and the namespaces. A list that
/// is damaged ends where the damage starts; a static program, or one whose linker has not run yet, has an empty one.
///
/// # Errors
/// [`LibrariesError`]: the place of the lists cannot be found at all.
pub(crate) fn libraries_svr4(
    memory: &dyn ReadMemory,
    auxv: &[u8],
    size: PointerSize,
    annex: &[u8],
    for_gdb: bool,
) -> Result<Vec<u8>, LibrariesError> {
    let mut pages = Pages::new(memory, size);
    let part = Part::parse(annex);
    let mut document = b"<library-list-svr4 version=\"1.0\"".to_vec();
    if part.start == 0 {
        let first = rendezvous::find(&mut pages, auxv)?;
        push_all(&mut document, &mut pages, first, for_gdb);
    } else {
        document.push(b'>');
        let mut walk = Walk::default();
        push_namespace(&mut document, &mut pages, &mut walk, part, for_gdb);
    }
    document.extend_from_slice(b"</library-list-svr4>");
    Ok(document)
}

/// Appends the rest of the root's start tag, and the libraries of all namespaces.
fn push_all(document: &mut Vec<u8>, pages: &mut Pages<'_>, address: Option<u64>, for_gdb: bool) {
    let mut walk = Walk::default();
    let first = address.and_then(|address| Rendezvous::read(pages, address));
    // The first entry of the first namespace is the program itself.
    let main = first.and_then(|first| LinkMap::read(pages, first.map));
    if let Some(main) = main.filter(|_| for_gdb) {
        let _ = write!(document, " main-lm=\"{:#x}\"", main.address);
    }
    document.push(b'>');
    let (Some(first), Some(main)) = (first, main) else {
        return;
    };
    let libraries = Part { namespace: first.address, start: main.next, previous: main.address };
    push_namespace(document, pages, &mut walk, libraries, for_gdb);
    let mut following = first.next;
    while let Some(namespace) = walk.next_namespace(pages, following) {
        let libraries = Part { namespace: namespace.address, start: namespace.map, previous: 0 };
        push_namespace(document, pages, &mut walk, libraries, for_gdb);
        following = namespace.next;
    }
}

/// Appends the libraries of one namespace from `part.start` on.
fn push_namespace(document: &mut Vec<u8>, pages: &mut Pages<'_>, walk: &mut Walk, part: Part, for_gdb: bool) {
    let (mut previous, mut next) = (part.previous, part.start);
    while let Some(library) = walk.next_library(pages, previous, next)
        && document.len() < DOCUMENT_MAX
    {
        let name = pages.string(library.name);
        if !name.is_empty() {
            document.extend_from_slice(b"<library name=\"");
            xml::push_attribute(document, &name);
            let _ = write!(
                document,
                "\" lm=\"{:#x}\" l_addr=\"{:#x}\" l_ld=\"{:#x}\"",
                library.address, library.bias, library.dynamic
            );
            if for_gdb {
                let _ = write!(document, " lmid=\"{:#x}\"", part.namespace);
            }
            document.extend_from_slice(b"/>");
        }
        (previous, next) = (library.address, library.next);
    }
}

#[cfg(test)]
mod tests;
