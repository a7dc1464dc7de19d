//! What is mapped where: `/proc/PID/maps` (`proc_pid_maps(5)`).

use super::Engine;
use super::inspect::system;
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::memory::{Permissions, Region};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use nix::errno::Errno;
use std::fs;

/// A range of a process's addresses that is mapped in one piece, or a gap.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemoryRegion {
    start: u64,
    size: u64,
    permissions: Option<Permissions>,
    name: Vec<u8>,
}

/// A line of `maps`.
struct Mapping<'a> {
    start: u64,
    end: u64,
    permissions: Permissions,
    offset: u64,
    name: &'a [u8],
}

impl MemoryRegion {
    /// The same as the protocol has it.
    #[must_use]
    pub fn as_region(&self) -> Region<'_> {
        let Self { start, size, permissions, ref name } = *self;
        Region { start, size, permissions, name }
    }
}

impl Engine {
    /// What is mapped at an address, or how far the gap reaches that it is in.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`], and what reading `/proc` fails with.
    pub fn region(&self, thread: ThreadSelector, address: u64) -> Result<MemoryRegion> {
        let maps = maps(self.process_of(thread)?.pid)?;
        Ok(region_at(mappings(&maps), address))
    }

    /// Where the beginning of a file is mapped.
    ///
    /// # Errors
    /// As [`Engine::region`]; `ENOENT` where it is not mapped.
    pub fn file_address(&self, thread: ThreadSelector, path: &[u8]) -> Result<u64> {
        let maps = maps(self.process_of(thread)?.pid)?;
        let found = mappings(&maps).find(|mapping| mapping.name == path && mapping.offset == 0);
        found.map(|mapping| mapping.start).ok_or(Error::System(Errno::ENOENT))
    }
}

fn maps(pid: Pid) -> Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/maps")).map_err(system)
}

fn mappings(maps: &[u8]) -> impl Iterator<Item = Mapping<'_>> {
    maps.split(|&byte| byte == b'\n').filter_map(Mapping::parse)
}

impl<'a> Mapping<'a> {
    /// `START-END PERMISSIONS OFFSET DEVICE INODE NAME`; the name may hold anything but a line's end.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.splitn(6, |&byte| byte == b' ');
        let mut next = || fields.next();
        let range = std::str::from_utf8(next()?).ok()?;
        let (permissions, offset) = (next()?, std::str::from_utf8(next()?).ok()?);
        let name = fields.nth(2).unwrap_or_default().trim_ascii_start();
        let (start, end) = range.split_once('-')?;
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        let has = |letter| permissions.contains(&letter);
        let permissions = Permissions { read: has(b'r'), write: has(b'w'), execute: has(b'x') };
        Some(Self { start: hex(start)?, end: hex(end)?, permissions, offset: hex(offset)?, name })
    }
}

/// The mapping that `address` is in, or the gap between two of them.
fn region_at<'a>(mappings: impl Iterator<Item = Mapping<'a>>, address: u64) -> MemoryRegion {
    let mut gap_start = 0;
    let mut gap_end = None;
    for Mapping { start, end, permissions, name, .. } in mappings {
        if address < start {
            gap_end = Some(start);
            break;
        }
        if address < end {
            return MemoryRegion { start, size: end - start, permissions: Some(permissions), name: name.to_vec() };
        }
        gap_start = end;
    }
    // Up to the end of the address space, one past which is no number.
    let size = gap_end.map_or_else(|| gap_start.wrapping_neg(), |end| end - gap_start);
    MemoryRegion { start: gap_start, size, permissions: None, name: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &[u8] = b"\
1000-3000 r-xp 00000000 08:01 99                         /bin/a program\n\
3000-4000 rw-p 00002000 08:01 99                         /bin/a program\n\
7000-8000 ---p 00000000 00:00 0 \n\
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

    fn at(address: u64) -> (u64, u64, String, String) {
        let region = region_at(mappings(MAPS), address);
        let letters = region.permissions.map_or_else(
            || "-".into(),
            |permissions| {
                let letters = [(permissions.read, 'r'), (permissions.write, 'w'), (permissions.execute, 'x')];
                letters.iter().filter(|(set, _)| *set).map(|(_, letter)| letter).collect::<String>()
            },
        );
        (region.start, region.size, letters, String::from_utf8(region.name).unwrap())
    }

    #[test]
    fn an_address_is_in_a_mapping_or_in_a_gap() {
        assert_eq!(at(0), (0, 0x1000, "-".into(), String::new()));
        assert_eq!(at(0x1000), (0x1000, 0x2000, "rx".into(), "/bin/a program".into()));
        assert_eq!(at(0x3fff), (0x3000, 0x1000, "rw".into(), "/bin/a program".into()));
        assert_eq!(at(0x4000), (0x4000, 0x3000, "-".into(), String::new()));
        assert_eq!(at(0x7000), (0x7000, 0x1000, String::new(), String::new()));
        assert_eq!(at(u64::MAX), (0xffff_ffff_ff60_1000, 0x9f_f000, "-".into(), String::new()));
    }

    #[test]
    fn lines_that_are_none_are_passed_over() {
        assert_eq!(mappings(b"\nx\n1000 r\n10-z r 0 0 0\n\xff-\xff r 0 0 0").count(), 0);
        assert_eq!(
            region_at(mappings(b""), 5),
            MemoryRegion { start: 0, size: 0, permissions: None, name: Vec::new() }
        );
    }
}
