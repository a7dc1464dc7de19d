//! Memory that is read a page at a time: the linker's records and names lie close together.

use std::collections::BTreeMap;

use super::PointerSize;
use crate::engine::linux::objects::ReadMemory;

/// Bytes read at once. Never more than the system's page, so that a piece is mapped as a whole or not at all.
const PAGE: u64 = 4096;
/// Pages kept: what a hostile list can make us hold is 1 MiB.
const PAGES_MAX: usize = 256;
/// Longest name (`PATH_MAX`), without the NUL.
const STRING_MAX: usize = 4095;

/// A view of memory that stands still while it lives.
pub(super) struct Pages<'m> {
    memory: &'m dyn ReadMemory,
    size: PointerSize,
    /// By number; a page that is mapped in part or not at all is shorter.
    kept: BTreeMap<u64, Vec<u8>>,
}

impl<'m> Pages<'m> {
    pub(super) fn new(memory: &'m dyn ReadMemory, size: PointerSize) -> Self {
        Self { memory, size, kept: BTreeMap::new() }
    }

    /// How wide the inferior's words are.
    pub(super) fn size(&self) -> PointerSize {
        self.size
    }

    /// Fills `buffer` from `address` on, or is `None` where a byte of it is not mapped.
    pub(super) fn read(&mut self, address: u64, buffer: &mut [u8]) -> Option<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            let piece = self.piece(address.checked_add(filled as u64)?);
            let count = piece.len().min(buffer.len() - filled);
            if count == 0 {
                return None;
            }
            buffer[filled..filled + count].copy_from_slice(&piece[..count]);
            filled += count;
        }
        Some(())
    }

    /// `N` words from `address` on.
    pub(super) fn words<const N: usize>(&mut self, address: u64) -> Option<[u64; N]> {
        let size = self.size;
        let mut words = [0; N];
        let mut buffer = [0; 8];
        for (index, word) in words.iter_mut().enumerate() {
            let buffer = &mut buffer[..size.bytes()];
            self.read(address.checked_add((index * size.bytes()) as u64)?, buffer)?;
            *word = size.word(buffer);
        }
        Some(words)
    }

    /// The bytes from `address` up to a NUL, unmapped memory or the longest name.
    pub(super) fn string(&mut self, address: u64) -> Vec<u8> {
        let mut string = Vec::new();
        while string.len() < STRING_MAX {
            let Some(at) = address.checked_add(string.len() as u64) else { break };
            let piece = self.piece(at);
            let piece = &piece[..piece.len().min(STRING_MAX - string.len())];
            let end = piece.iter().position(|&byte| byte == 0);
            string.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
            if end.is_some() || piece.is_empty() {
                break;
            }
        }
        string
    }

    /// What is mapped from `address` to the end of its page.
    fn piece(&mut self, address: u64) -> &[u8] {
        let (number, offset) = (address / PAGE, (address % PAGE) as usize);
        if self.kept.len() >= PAGES_MAX && !self.kept.contains_key(&number) {
            self.kept.clear();
        }
        let memory = self.memory;
        let page = self.kept.entry(number).or_insert_with(|| {
            let mut page = vec![0; PAGE as usize];
            let count = memory.read_memory(number * PAGE, &mut page);
            page.truncate(count);
            page
        });
        page.get(offset..).unwrap_or_default()
    }
}
