//! What a program file says about itself: how it is to be run, and which build it is (elf(5), execve(2)).

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of the file looked at for its header or its `#!` line.
pub(crate) const HEAD_LEN: usize = 256;
/// Longest path of an interpreter (`PATH_MAX`).
const INTERPRETER_MAX: u64 = 4096;
/// Program headers looked at.
const SEGMENTS_MAX: u16 = 512;
/// Bytes of notes looked at, in each segment of them.
const NOTES_MAX: u64 = 0x1_0000;
/// Longest build id, in bytes: as long as any digest.
const BUILD_ID_MAX: usize = 64;
const PT_INTERP: u32 = 3;
const PT_NOTE: u32 = 4;
/// A note of this type whose owner is `GNU` is the build id.
const NT_GNU_BUILD_ID: u32 = 3;

/// A program file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ProgramFile {
    /// An ELF file.
    Elf {
        /// `e_type`.
        kind: u16,
        /// `e_machine`.
        machine: u16,
        /// The dynamic linker that it names.
        interpreter: Option<PathBuf>,
    },
    /// A script.
    Script {
        /// What its first line names.
        interpreter: PathBuf,
    },
    /// Neither.
    Unknown,
}

impl ProgramFile {
    /// Looks into the file at `path`.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut head = [0; HEAD_LEN];
        let count = file.read_at(&mut head, 0)?;
        let head = &head[..count];
        if let Some(line) = head.strip_prefix(b"#!") {
            return Ok(script(line));
        }
        Ok(Elf::parse(head).map_or(Self::Unknown, |elf| Self::Elf {
            kind: elf.kind,
            machine: elf.machine,
            interpreter: elf.interpreter(&file),
        }))
    }
}

fn script(line: &[u8]) -> ProgramFile {
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii();
    let word = line.split(|byte| byte.is_ascii_whitespace() || *byte == 0).next().unwrap_or_default();
    if word.is_empty() {
        return ProgramFile::Unknown;
    }
    ProgramFile::Script { interpreter: OsStr::from_bytes(word).into() }
}

/// An ELF header, of either width and byte order.
struct Elf {
    wide: bool,
    little: bool,
    kind: u16,
    machine: u16,
    segments: u64,
    segment_len: u16,
    segment_count: u16,
}

/// A program header.
struct Segment {
    kind: u32,
    offset: u64,
    len: u64,
}

impl Elf {
    fn parse(head: &[u8]) -> Option<Self> {
        let ident = head.strip_prefix(b"\x7fELF")?;
        let wide = match ident.first()? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let little = *ident.get(1)? != 2;
        let mut elf = Self { wide, little, kind: 0, machine: 0, segments: 0, segment_len: 0, segment_count: 0 };
        elf.kind = elf.half(head, 16)?;
        elf.machine = elf.half(head, 18)?;
        elf.segments = if wide { elf.wide_word(head, 32)? } else { elf.word(head, 28)?.into() };
        elf.segment_len = elf.half(head, if wide { 54 } else { 42 })?;
        elf.segment_count = elf.half(head, if wide { 56 } else { 44 })?;
        Some(elf)
    }

    /// The path in the `PT_INTERP` segment; `None` also where the file is damaged there.
    fn interpreter(&self, file: &File) -> Option<PathBuf> {
        let path = self.contents(file, PT_INTERP, INTERPRETER_MAX).next()?;
        let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
        Some(OsStr::from_bytes(path).into())
    }

    /// The build id among the notes; `None` also where they are damaged.
    fn build_id(&self, file: &File) -> Option<Vec<u8>> {
        self.contents(file, PT_NOTE, NOTES_MAX).find_map(|notes| self.build_id_in(&notes))
    }

    fn build_id_in(&self, mut notes: &[u8]) -> Option<Vec<u8>> {
        loop {
            let (owner_len, len) = (self.word(notes, 0)? as usize, self.word(notes, 4)? as usize);
            let kind = self.word(notes, 8)?;
            let owner = notes.get(12..)?.get(..owner_len)?;
            // Notes that are aligned to 8 bytes have none of this kind among them.
            let content = notes[12..].get(owner_len.next_multiple_of(4)..)?;
            let id = content.get(..len)?;
            if owner == b"GNU\0" && kind == NT_GNU_BUILD_ID && (1..=BUILD_ID_MAX).contains(&len) {
                return Some(id.to_vec());
            }
            notes = content.get(len.next_multiple_of(4)..)?;
        }
    }

    /// What the segments of a kind hold, at most so many bytes of each, up to the first that is damaged.
    fn contents(&self, file: &File, kind: u32, most: u64) -> impl Iterator<Item = Vec<u8>> {
        let segments = (0..self.segment_count.min(SEGMENTS_MAX)).map_while(move |index| self.segment(file, index));
        segments.filter(move |segment| segment.kind == kind).map_while(move |segment| {
            let mut content = vec![0; segment.len.min(most) as usize];
            file.read_exact_at(&mut content, segment.offset).ok().map(|()| content)
        })
    }

    fn segment(&self, file: &File, index: u16) -> Option<Segment> {
        let mut header = [0; 56];
        let header = &mut header[..if self.wide { 56 } else { 32 }];
        let at = self.segments.checked_add(u64::from(index) * u64::from(self.segment_len))?;
        file.read_exact_at(header, at).ok()?;
        let (offset, len) = if self.wide {
            (self.wide_word(header, 8)?, self.wide_word(header, 32)?)
        } else {
            (self.word(header, 4)?.into(), self.word(header, 16)?.into())
        };
        Some(Segment { kind: self.word(header, 0)?, offset, len })
    }

    fn half(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = bytes.get(at..)?.first_chunk().copied()?;
        Some(if self.little { u16::from_le_bytes(field) } else { u16::from_be_bytes(field) })
    }

    fn word(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = bytes.get(at..)?.first_chunk().copied()?;
        Some(if self.little { u32::from_le_bytes(field) } else { u32::from_be_bytes(field) })
    }

    fn wide_word(&self, bytes: &[u8], at: usize) -> Option<u64> {
        let field = bytes.get(at..)?.first_chunk().copied()?;
        Some(if self.little { u64::from_le_bytes(field) } else { u64::from_be_bytes(field) })
    }
}

/// The machine (`e_machine`) that a program or library is for, and its build id where it has one; `None` where the file is
/// neither.
pub(crate) fn identify(file: &File) -> Option<(u16, Option<Vec<u8>>)> {
    let mut head = [0; HEAD_LEN];
    let count = file.read_at(&mut head, 0).ok()?;
    let elf = Elf::parse(&head[..count])?;
    Some((elf.machine, elf.build_id(file)))
}

/// The machine (`e_machine`) that the program whose file starts with `head` is for; `None` where it is no ELF file.
pub(crate) fn machine(head: &[u8]) -> Option<u16> {
    Elf::parse(head).map(|elf| elf.machine)
}

/// The architecture that the program whose file starts with `head` is for, named as uname(1) does; `None` where it is no
/// ELF file, or for a machine that users hardly meet.
pub(crate) fn architecture(head: &[u8]) -> Option<&'static str> {
    machine_name(Elf::parse(head)?.machine)
}

/// The name of an `e_machine` that users may meet, as uname(1) has it.
pub(crate) fn machine_name(machine: u16) -> Option<&'static str> {
    Some(match machine {
        2 => "sparc",
        3 => "i386",
        8 => "mips",
        20 => "ppc",
        21 => "ppc64",
        22 => "s390x",
        40 => "arm",
        43 => "sparc64",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv",
        258 => "loongarch",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_names_its_interpreter() {
        let file = |line: &[u8]| script(line);
        let script = |path: &str| ProgramFile::Script { interpreter: path.into() };
        assert_eq!(file(b"/bin/sh\necho"), script("/bin/sh"));
        assert_eq!(file(b"  /usr/bin/env\tpython3 -x\n"), script("/usr/bin/env"));
        assert_eq!(file(b"/bin/sh"), script("/bin/sh"));
        assert_eq!(file(b" \n/bin/sh"), ProgramFile::Unknown);
    }

    #[test]
    fn our_own_program_has_our_machine_and_a_linker() {
        let path = std::env::current_exe().expect("a path");
        let ProgramFile::Elf { machine, interpreter, .. } = ProgramFile::read(&path).expect("a file") else {
            panic!("not ELF");
        };
        assert_eq!(machine_name(machine), Some(std::env::consts::ARCH));
        assert!(interpreter.is_none_or(|path| path.exists()));
    }

    #[test]
    fn a_build_id_is_found_among_other_notes_and_no_damaged_one_is() {
        let program = std::fs::read("/proc/self/exe").expect("our own program");
        let elf = Elf::parse(&program).expect("an ELF file");
        let note = |kind: u32, owner: &[u8], id: &[u8]| {
            let header = [owner.len() as u32, id.len() as u32, kind].map(u32::to_ne_bytes).concat();
            [&header[..], owner, id].concat()
        };
        let other = note(1, b"GNU\0", &[0; 16]);
        let notes = [other, note(3, b"Go\0\0", &[9; 4]), note(3, b"GNU\0", &[7; 20])].concat();
        assert_eq!(elf.build_id_in(&notes), Some(vec![7; 20]));
        for end in 0..notes.len() {
            assert_eq!(elf.build_id_in(&notes[..end]), None, "{end}");
        }
        assert_eq!(elf.build_id_in(&[0xff; 64]), None);
    }

    #[test]
    fn no_damaged_header_is_trusted() {
        let program = std::fs::read("/proc/self/exe").expect("our own program");
        for at in 0..64 {
            let mut head = program[..64].to_vec();
            head[at] = 0xff;
            let file = File::open("/proc/self/exe").expect("a file");
            let _ = Elf::parse(&head).map(|elf| (elf.interpreter(&file), elf.build_id(&file)));
            assert!(Elf::parse(&head[..at]).is_none_or(|_| at >= 58));
        }
    }
}
