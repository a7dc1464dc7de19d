use std::fs::File;
use std::os::unix::fs::FileExt;

use dbgsrv_protocol::ids::Pid;

use super::super::xml::tests::assert_well_formed;
use super::*;

/// Memory with one mapped range.
struct Image {
    size: PointerSize,
    base: u64,
    bytes: Vec<u8>,
}

const BASE: u64 = 0x5555_0000;
const HEADERS: u64 = BASE + 0x40;
const DYNAMIC: u64 = BASE + 0x200;
const R_DEBUG: u64 = BASE + 0x400;
const R_DEBUG_2: u64 = BASE + 0x480;
const MAPS: u64 = BASE + 0x1000;
const NAMES: u64 = BASE + 0x3000;
const LINKED_AT: u64 = 0x1000;

impl ReadMemory for Image {
    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Some(start) = address.checked_sub(self.base).filter(|&start| start < self.bytes.len() as u64) else {
            return 0;
        };
        let available = &self.bytes[start as usize..];
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        count
    }
}

impl Image {
    /// A position-independent program with the linker's first list: the program, and `names`.
    fn new(size: PointerSize, names: &[&str]) -> Self {
        let mut image = Self { size, base: BASE, bytes: vec![0; 0x4000] };
        let header_len = image.header_len();
        image.header(HEADERS, 6, HEADERS - BASE + LINKED_AT);
        image.header(HEADERS + header_len, 1, LINKED_AT);
        image.header(HEADERS + 2 * header_len, 2, DYNAMIC - BASE + LINKED_AT);
        image.words(DYNAMIC, &[5, 0x1234, 21, R_DEBUG, 0, 0]);
        image.words(R_DEBUG, &[1, MAPS]);
        let all: Vec<&str> = std::iter::once("").chain(names.iter().copied()).collect();
        image.list(MAPS, &all);
        image
    }

    /// A doubly linked list at `at`, one entry each 64 bytes, with its names behind.
    fn list(&mut self, at: u64, names: &[&str]) {
        for (index, name) in names.iter().enumerate() {
            let here = at + 64 * index as u64;
            let name_at = NAMES + (here - MAPS);
            let next = if index + 1 < names.len() { here + 64 } else { 0 };
            let previous = if index > 0 { here - 64 } else { 0 };
            self.words(here, &[0x1000 * index as u64, name_at, 0x7000 + index as u64, next, previous]);
            self.put(name_at, name.as_bytes());
        }
    }

    fn header_len(&self) -> u64 {
        if self.size == PointerSize::Eight { 56 } else { 32 }
    }

    fn header(&mut self, at: u64, kind: u32, address: u64) {
        self.put(at, &kind.to_ne_bytes());
        self.words(at + 2 * self.size.bytes() as u64, &[address]);
    }

    fn words(&mut self, at: u64, words: &[u64]) {
        for (index, &word) in words.iter().enumerate() {
            let at = at + (index * self.size.bytes()) as u64;
            match self.size {
                PointerSize::Four => self.put(at, &(word as u32).to_ne_bytes()),
                PointerSize::Eight => self.put(at, &word.to_ne_bytes()),
            }
        }
    }

    fn put(&mut self, at: u64, bytes: &[u8]) {
        let at = (at - self.base) as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn auxv(&self) -> Vec<u8> {
        let mut image = Self { size: self.size, base: 0, bytes: vec![0; 8 * self.size.bytes()] };
        image.words(0, &[3, HEADERS, 4, self.header_len(), 5, 3, 0, 0]);
        image.bytes
    }

    fn document(&self, annex: &str) -> String {
        let document = libraries_svr4(self, &self.auxv(), self.size, annex.as_bytes(), true).expect("a document");
        assert_well_formed(&document);
        String::from_utf8(document).expect("UTF-8")
    }
}

const BOTH: [PointerSize; 2] = [PointerSize::Four, PointerSize::Eight];
const EMPTY: &str = "<library-list-svr4 version=\"1.0\"></library-list-svr4>";

#[test]
fn all_libraries_but_the_program_are_listed_for_both_sizes() {
    for size in BOTH {
        assert_eq!(
            Image::new(size, &["linux-vdso.so.1", "/lib/a&b.so"]).document(""),
            "<library-list-svr4 version=\"1.0\" main-lm=\"0x55551000\">\
             <library name=\"linux-vdso.so.1\" lm=\"0x55551040\" l_addr=\"0x1000\" l_ld=\"0x7001\" lmid=\"0x55550400\"/>\
             <library name=\"/lib/a&amp;b.so\" lm=\"0x55551080\" l_addr=\"0x2000\" l_ld=\"0x7002\" lmid=\"0x55550400\"/>\
             </library-list-svr4>"
        );
    }
}

#[test]
fn an_augmented_annex_starts_in_the_middle() {
    let image = Image::new(PointerSize::Eight, &["a", "b", "c"]);
    let document = image.document("lmid=55550400;start=55551080;prev=0x55551040;future=1");
    assert!(document.starts_with("<library-list-svr4 version=\"1.0\"><library name=\"b\""), "{document}");
    assert!(document.contains("name=\"c\"") && document.contains("lmid=\"0x55550400\""), "{document}");
    assert_eq!(image.document("start=55551080;prev=1"), EMPTY);
    assert_eq!(image.document("start=ffffffffffffffff;prev=0"), EMPTY);
    assert!(image.document("start=;prev=;;=").contains("name=\"a\""));
}

#[test]
fn further_namespaces_have_their_own_id() {
    for size in BOTH {
        let mut image = Image::new(size, &["a"]);
        image.words(R_DEBUG, &[2, MAPS, 0, 0, 0, R_DEBUG_2]);
        image.words(R_DEBUG_2, &[2, MAPS + 0x800, 0, 0, 0, 0]);
        image.list(MAPS + 0x800, &["x", "y"]);
        let document = image.document("");
        assert_eq!(document.matches("lmid=\"0x55550400\"").count(), 1, "{document}");
        assert_eq!(document.matches("lmid=\"0x55550480\"").count(), 2, "{document}");
    }
}

#[test]
fn lists_that_go_round_end() {
    let mut image = Image::new(PointerSize::Eight, &["a", "b"]);
    // Two entries that are each other's neighbours on both sides, and a namespace that follows itself.
    let (first, second) = (MAPS + 64, MAPS + 128);
    image.words(MAPS, &[0, NAMES, 0, first, 0]);
    image.words(first, &[0, NAMES + 64, 0, second, second]);
    image.words(second, &[0, NAMES + 128, 0, first, first]);
    image.words(R_DEBUG, &[2, MAPS, 0, 0, 0, R_DEBUG]);
    image.document("");
    let looped = image.document(&format!("start={first:x};prev={second:x}"));
    assert!(looped.len() < DOCUMENT_MAX);
}

#[test]
fn long_names_that_never_end_stay_bounded() {
    let mut image = Image::new(PointerSize::Eight, &["a"]);
    let first = MAPS + 64;
    image.words(first, &[0, NAMES, 0, first, first]);
    image.bytes.truncate((NAMES - BASE) as usize);
    image.bytes.extend(std::iter::repeat_n(b'"', 0x4000));
    let document = image.document(&format!("start={first:x};prev={first:x}"));
    assert!(document.len() < DOCUMENT_MAX + 0x10_0000);
}

#[test]
fn a_linker_that_has_not_run_yet_has_an_empty_list() {
    let mut image = Image::new(PointerSize::Eight, &[]);
    image.words(R_DEBUG, &[1, 0]);
    assert_eq!(image.document(""), EMPTY);
    image.words(R_DEBUG, &[0, 0]);
    assert_eq!(image.document(""), EMPTY);
    image.words(DYNAMIC, &[21, 0]);
    assert_eq!(image.document(""), EMPTY);
    image.words(DYNAMIC, &[21, 0xdead_0000]);
    assert_eq!(image.document(""), EMPTY);
}

#[test]
fn a_static_program_has_an_empty_list_and_the_linker_itself_none() {
    let mut image = Image::new(PointerSize::Eight, &["a"]);
    image.words(DYNAMIC, &[5, 0, 0, 0]);
    let result = |image: &Image| libraries_svr4(image, &image.auxv(), image.size, b"", true);
    assert_eq!(result(&image), Err(LibrariesError::NoDebugEntry));
    image.header(HEADERS + 2 * image.header_len(), 1, 0);
    assert_eq!(image.document(""), EMPTY);
    image.bytes.clear();
    assert_eq!(result(&image), Err(LibrariesError::Unreadable));
    assert_eq!(libraries_svr4(&image, b"", image.size, b"", true), Err(LibrariesError::Unreadable));
}

#[test]
fn damage_anywhere_is_survived() {
    let whole = Image::new(PointerSize::Eight, &["a", "b"]);
    for at in (0x40..0x1100_u64).step_by(8) {
        let mut image = Image { size: whole.size, base: whole.base, bytes: whole.bytes.clone() };
        image.words(BASE + at, &[u64::MAX]);
        if let Ok(document) = libraries_svr4(&image, &image.auxv(), image.size, b"", true) {
            assert_well_formed(&document);
        }
        image.bytes.truncate(at as usize);
        let _ = libraries_svr4(&image, &image.auxv(), image.size, b"", true);
    }
}

struct OwnMemory(File);

impl ReadMemory for OwnMemory {
    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.0.read_at(buffer, address).unwrap_or(0)
    }
}

#[test]
fn our_own_c_library_is_listed() {
    let memory = OwnMemory(File::open("/proc/self/mem").expect("our own memory"));
    let auxv = super::super::auxv(Pid::new(nix::unistd::getpid().as_raw()).expect("a pid")).expect("a vector");
    let size = if cfg!(target_pointer_width = "64") { PointerSize::Eight } else { PointerSize::Four };
    let document = libraries_svr4(&memory, &auxv, size, b"", true).expect("a document");
    assert_well_formed(&document);
    let text = String::from_utf8(document).expect("UTF-8");
    assert!(text.contains(" main-lm=\"0x") && text.contains("libc.so"), "{text}");
}
