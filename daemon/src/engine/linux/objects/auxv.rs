//! The auxiliary vector (getauxval(3)), which the kernel gave the program at its start.

use std::fs;
use std::io;

use dbgsrv_protocol::ids::Pid;

use super::PointerSize;

/// Where the program's headers are in memory.
pub(super) const AT_PHDR: u64 = 3;
/// Bytes of one program header.
pub(super) const AT_PHENT: u64 = 4;
/// How many program headers there are.
pub(super) const AT_PHNUM: u64 = 5;

/// `qXfer:auxv`: the vector as it is in memory, pairs of the inferior's own words.
///
/// # Errors
/// The process is gone, or its memory is not ours to read.
pub(crate) fn auxv(pid: Pid) -> io::Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/auxv"))
}

/// The value of the entry `key`.
pub(super) fn entry(auxv: &[u8], size: PointerSize, key: u64) -> Option<u64> {
    auxv.chunks_exact(2 * size.bytes())
        .map(|pair| pair.split_at(size.bytes()))
        .find(|(name, _)| size.word(name) == key)
        .map(|(_, value)| size.word(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_vector_holds_the_page_size() {
        const AT_PAGESZ: u64 = 6;
        let size = if cfg!(target_pointer_width = "64") { PointerSize::Eight } else { PointerSize::Four };
        let vector = auxv(Pid::new(nix::unistd::getpid().as_raw()).expect("a pid")).expect("our own vector");
        assert!(entry(&vector, size, AT_PAGESZ).is_some_and(|bytes| bytes >= 4096 && bytes.is_power_of_two()));
        assert_eq!(entry(&vector, size, 0x7777), None);
    }

    #[test]
    fn words_of_32_bits_and_a_torn_end_are_read() {
        let mut vector = Vec::new();
        for word in [AT_PHNUM as u32, 9, AT_PHDR as u32, 0x8000_0034, 0] {
            vector.extend_from_slice(&word.to_ne_bytes());
        }
        assert_eq!(entry(&vector, PointerSize::Four, AT_PHDR), Some(0x8000_0034));
        assert_eq!(entry(&vector, PointerSize::Four, 0), None);
        assert_eq!(entry(b"", PointerSize::Eight, AT_PHDR), None);
    }
}
