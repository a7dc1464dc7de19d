//! What the head of a program file says about how it is to be run (elf(5), execve(2)).

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
const PT_INTERP: u32 = 3;

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
        for index in 0..self.segment_count.min(SEGMENTS_MAX) {
            let mut segment = [0; 56];
            let segment = &mut segment[..if self.wide { 56 } else { 32 }];
            let at = self.segments.checked_add(u64::from(index) * u64::from(self.segment_len))?;
            file.read_exact_at(segment, at).ok()?;
            if self.word(segment, 0)? != PT_INTERP {
                continue;
            }
            let (offset, len) = if self.wide {
                (self.wide_word(segment, 8)?, self.wide_word(segment, 32)?)
            } else {
                (self.word(segment, 4)?.into(), self.word(segment, 16)?.into())
            };
            let mut path = vec![0; len.min(INTERPRETER_MAX) as usize];
            file.read_exact_at(&mut path, offset).ok()?;
            let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
            return Some(OsStr::from_bytes(path).into());
        }
        None
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

/// The architecture that the program whose file starts with `head` is for, named as uname(1) does; `None` where it is no
/// ELF file, or for a machine that users hardly meet.
pub(crate) fn architecture(head: &[u8]) -> Option<&'static str> {
    machine_name(Elf::parse(head)?.machine)
}

/// The name of an `e_machine` that users may meet, as uname(1) has it.
pub(super) fn machine_name(machine: u16) -> Option<&'static str> {
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
    fn no_damaged_header_is_trusted() {
        let program = std::fs::read("/proc/self/exe").expect("our own program");
        for at in 0..64 {
            let mut head = program[..64].to_vec();
            head[at] = 0xff;
            let _ = Elf::parse(&head).map(|elf| elf.interpreter(&File::open("/proc/self/exe").expect("a file")));
            assert!(Elf::parse(&head[..at]).is_none_or(|_| at >= 58));
        }
    }
}
