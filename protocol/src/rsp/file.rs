//! Host I/O: `vFile:…` (GDB manual, "Host I/O Packets"). Paths come decoded; flags, modes and errno are the
//! protocol's own numbers (GDB manual, "File-I/O remote protocol extension: protocol-specific representation").

use alloc::vec::Vec;

use super::field;
use super::packet::{escape, hex};
use super::process;
use super::request::Malformed;
use crate::ids::Pid;

/// A file request. Answer with [`super::server::Reply::file`] or `file_error`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `close:FD`.
    Close {
        /// A descriptor given by `Open`.
        fd: i32,
    },
    /// `exists:PATH`, LLDB's as the following few. Answer with [`super::server::Reply::file_exists`].
    Exists {
        /// Which file.
        path: &'a [u8],
    },
    /// `fstat:FD`.
    Fstat {
        /// A descriptor given by `Open`.
        fd: i32,
    },
    /// `lstat:PATH`.
    Lstat {
        /// Which file.
        path: &'a [u8],
    },
    /// `MD5:PATH`. Answer with [`super::server::Reply::file_digest`].
    Md5 {
        /// Which file.
        path: &'a [u8],
    },
    /// `mode:PATH`: the permissions.
    Mode {
        /// Which file.
        path: &'a [u8],
    },
    /// `open:PATH,FLAGS,MODE`.
    Open {
        /// Which file.
        path: &'a [u8],
        /// The protocol's open flags.
        flags: u32,
        /// The protocol's mode bits.
        mode: u32,
    },
    /// `pread:FD,COUNT,OFFSET`.
    Pread {
        /// A descriptor given by `Open`.
        fd: i32,
        /// Bytes wanted. The server's machine lowers it to what a reply can hold.
        count: u64,
        /// Where in the file.
        offset: u64,
    },
    /// `pwrite:FD,OFFSET,DATA`.
    Pwrite {
        /// A descriptor given by `Open`.
        fd: i32,
        /// Where in the file.
        offset: u64,
        /// The bytes, decoded.
        data: &'a [u8],
    },
    /// `readlink:PATH`.
    Readlink {
        /// Which link.
        path: &'a [u8],
    },
    /// `setfs:PID`: whose file system the next requests mean; `None`: the server's.
    SetFs(Option<Pid>),
    /// `size:PATH`, in bytes.
    Size {
        /// Which file.
        path: &'a [u8],
    },
    /// `stat:PATH`.
    Stat {
        /// Which file.
        path: &'a [u8],
    },
    /// `symlink:TARGET,PATH`.
    Symlink {
        /// Where the link is to lead.
        target: &'a [u8],
        /// The link.
        path: &'a [u8],
    },
    /// `unlink:PATH`.
    Unlink {
        /// Which file.
        path: &'a [u8],
    },
}

/// The flags of `open` in the protocol's own numbers (GDB manual, "Open Flags"). LLDB, from release 14 on, has the same,
/// and a few of its own far above them.
pub mod flags {
    /// Read only; it has no bit.
    pub const READ: u32 = 0x0;
    /// Write only.
    pub const WRITE: u32 = 0x1;
    /// Both.
    pub const READ_WRITE: u32 = 0x2;
    /// Every write goes to the end.
    pub const APPEND: u32 = 0x8;
    /// Make the file if there is none.
    pub const CREATE: u32 = 0x200;
    /// Empty the file first.
    pub const TRUNCATE: u32 = 0x400;
    /// With `CREATE`: fail if there is a file.
    pub const EXCLUSIVE: u32 = 0x800;
    /// LLDB's: opening does not wait, nor does reading.
    pub const NON_BLOCKING: u32 = 0x1000_0000;
    /// LLDB's: a symbolic link is an error.
    pub const NO_FOLLOW: u32 = 0x2000_0000;
    /// LLDB's: programs that are started do not inherit the file.
    pub const CLOSE_ON_EXEC: u32 = 0x4000_0000;
}

const PREFIX: &[u8] = b"vFile:";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family or is an operation that is not known.
    ///
    /// # Errors
    /// [`Malformed`] if a field is missing, a number too large, or a path is not hex.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        if !body.starts_with(PREFIX) {
            return Ok(None);
        }
        let Some((operation, rest)) = field::split_at_mut(&mut body[PREFIX.len()..], b':') else { return Ok(None) };
        let request = match &*operation {
            b"close" => field::whole_as(rest).map(|fd| Self::Close { fd }),
            b"exists" => hex::decode_in_place(rest).map(|path| Self::Exists { path }),
            b"fstat" => field::whole_as(rest).map(|fd| Self::Fstat { fd }),
            b"lstat" => hex::decode_in_place(rest).map(|path| Self::Lstat { path }),
            b"MD5" => hex::decode_in_place(rest).map(|path| Self::Md5 { path }),
            b"mode" => hex::decode_in_place(rest).map(|path| Self::Mode { path }),
            b"open" => open(rest),
            b"pread" => pread(rest),
            b"pwrite" => pwrite(rest),
            b"readlink" => hex::decode_in_place(rest).map(|path| Self::Readlink { path }),
            b"setfs" => set_fs(rest),
            b"size" => hex::decode_in_place(rest).map(|path| Self::Size { path }),
            b"stat" => hex::decode_in_place(rest).map(|path| Self::Stat { path }),
            b"symlink" => symlink(rest),
            b"unlink" => hex::decode_in_place(rest).map(|path| Self::Unlink { path }),
            _ => return Ok(None),
        };
        request.ok_or(Malformed("vFile")).map(Some)
    }

    /// Appends the body. Descriptors must not be negative.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Close { fd } => put(out, b"close", None, &[fd as u64]),
            Self::Exists { path } => put(out, b"exists", Some(path), &[]),
            Self::Fstat { fd } => put(out, b"fstat", None, &[fd as u64]),
            Self::Lstat { path } => put(out, b"lstat", Some(path), &[]),
            Self::Md5 { path } => put(out, b"MD5", Some(path), &[]),
            Self::Mode { path } => put(out, b"mode", Some(path), &[]),
            Self::Open { path, flags, mode } => put(out, b"open", Some(path), &[flags.into(), mode.into()]),
            Self::Pread { fd, count, offset } => put(out, b"pread", None, &[fd as u64, count, offset]),
            Self::Pwrite { fd, offset, data } => {
                put(out, b"pwrite", None, &[fd as u64, offset]);
                out.push(b',');
                escape::encode(out, data);
            }
            Self::Readlink { path } => put(out, b"readlink", Some(path), &[]),
            Self::SetFs(pid) => put(out, b"setfs", None, &[pid.map_or(0, |pid| pid.raw() as u64)]),
            Self::Size { path } => put(out, b"size", Some(path), &[]),
            Self::Stat { path } => put(out, b"stat", Some(path), &[]),
            Self::Symlink { target, path } => {
                put(out, b"symlink", Some(target), &[]);
                out.push(b',');
                hex::encode(out, path);
            }
            Self::Unlink { path } => put(out, b"unlink", Some(path), &[]),
        }
    }
}

/// Appends an operation with its fields, the path first.
fn put(out: &mut Vec<u8>, operation: &[u8], path: Option<&[u8]>, numbers: &[u64]) {
    out.extend_from_slice(PREFIX);
    out.extend_from_slice(operation);
    out.push(b':');
    if let Some(path) = path {
        hex::encode(out, path);
    }
    for (index, number) in numbers.iter().enumerate() {
        if path.is_some() || index > 0 {
            out.push(b',');
        }
        field::put_number(out, *number);
    }
}

fn open(text: &mut [u8]) -> Option<Request<'_>> {
    let (path, rest) = field::split_at_mut(text, b',')?;
    let (flags, mode) = field::split_at(rest, b',')?;
    let (flags, mode) = (field::whole_as(flags)?, field::whole_as(mode)?);
    Some(Request::Open { path: hex::decode_in_place(path)?, flags, mode })
}

fn pread<'a>(text: &[u8]) -> Option<Request<'a>> {
    let (fd, rest) = field::split_at(text, b',')?;
    let (count, offset) = field::pair(rest, b',')?;
    Some(Request::Pread { fd: field::whole_as(fd)?, count, offset })
}

fn pwrite(text: &mut [u8]) -> Option<Request<'_>> {
    let (fd, rest) = field::split_at_mut(text, b',')?;
    let (offset, data) = field::split_at_mut(rest, b',')?;
    let (fd, offset) = (field::whole_as(fd)?, field::whole(offset)?);
    Some(Request::Pwrite { fd, offset, data: escape::decode_in_place(data)? })
}

fn symlink(text: &mut [u8]) -> Option<Request<'_>> {
    let (target, path) = field::split_at_mut(text, b',')?;
    Some(Request::Symlink { target: hex::decode_in_place(target)?, path: hex::decode_in_place(path)? })
}

fn set_fs<'a>(text: &[u8]) -> Option<Request<'a>> {
    if field::whole(text)? == 0 { Some(Request::SetFs(None)) } else { process::pid(text).map(Some).map(Request::SetFs) }
}

/// `struct stat` as host I/O writes it: 64 bytes, big-endian, in this order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stat {
    /// `st_dev`.
    pub dev: u32,
    /// `st_ino`, cut to 32 bits.
    pub ino: u32,
    /// The protocol's mode bits.
    pub mode: u32,
    /// `st_nlink`.
    pub nlink: u32,
    /// `st_uid`.
    pub uid: u32,
    /// `st_gid`.
    pub gid: u32,
    /// `st_rdev`.
    pub rdev: u32,
    /// `st_size`.
    pub size: u64,
    /// `st_blksize`.
    pub blksize: u64,
    /// `st_blocks`.
    pub blocks: u64,
    /// Seconds.
    pub atime: u32,
    /// Seconds.
    pub mtime: u32,
    /// Seconds.
    pub ctime: u32,
}

impl Stat {
    /// The size of [`Stat::to_bytes`].
    pub const SIZE: usize = 64;

    /// The structure as it travels.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        for (field, value) in bytes[..28]
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip([self.dev, self.ino, self.mode, self.nlink, self.uid, self.gid, self.rdev])
        {
            *field = value.to_be_bytes();
        }
        for (field, value) in bytes[28..52].as_chunks_mut().0.iter_mut().zip([self.size, self.blksize, self.blocks]) {
            *field = value.to_be_bytes();
        }
        for (field, value) in bytes[52..].as_chunks_mut().0.iter_mut().zip([self.atime, self.mtime, self.ctime]) {
            *field = value.to_be_bytes();
        }
        bytes
    }

    /// The structure as it came; `None` if it has another size.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::SIZE] = bytes.try_into().ok()?;
        let mut words =
            bytes[..28].as_chunks().0.iter().chain(bytes[52..].as_chunks().0).copied().map(u32::from_be_bytes);
        let mut longs = bytes[28..52].as_chunks().0.iter().copied().map(u64::from_be_bytes);
        Some(Self {
            dev: words.next()?,
            ino: words.next()?,
            mode: words.next()?,
            nlink: words.next()?,
            uid: words.next()?,
            gid: words.next()?,
            rdev: words.next()?,
            size: longs.next()?,
            blksize: longs.next()?,
            blocks: longs.next()?,
            atime: words.next()?,
            mtime: words.next()?,
            ctime: words.next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, round_trip, unknown};

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(
            fd in 0..=i32::MAX, path: Vec<u8>, flags: u32, mode: u32, count: u64, offset: u64, pid in 0..=i32::MAX,
        ) {
            for request in [
                Request::Close { fd }, Request::Fstat { fd }, Request::Lstat { path: &path },
                Request::Open { path: &path, flags, mode }, Request::Pread { fd, count, offset },
                Request::Pwrite { fd, offset, data: &path }, Request::Readlink { path: &path },
                Request::SetFs(Pid::new(pid)), Request::Stat { path: &path }, Request::Unlink { path: &path },
                Request::Exists { path: &path }, Request::Md5 { path: &path }, Request::Mode { path: &path },
                Request::Size { path: &path }, Request::Symlink { target: &path, path: b"/link" },
            ] {
                round_trip(&request.into());
            }
        }
    }

    #[test]
    fn missing_fields_and_large_numbers_are_refused() {
        for body in [
            "vFile:open:2f",
            "vFile:open:2f,0",
            "vFile:open:2,0,0",
            "vFile:open:2f,100000000,0",
            "vFile:close:",
            "vFile:close:80000000",
            "vFile:close:-1",
            "vFile:pread:1,2",
            "vFile:pwrite:1,2",
            "vFile:pwrite:1,2,}",
            "vFile:setfs:",
            "vFile:setfs:80000000",
            "vFile:unlink:zz",
            "vFile:symlink:2f",
            "vFile:MD5:z",
        ] {
            malformed(body.as_bytes());
        }
        unknown(b"vFile:rename:00");
        unknown(b"vFile:");
    }

    #[test]
    fn a_stat_has_its_fields_where_the_protocol_has_them() {
        let stat = Stat { dev: 1, rdev: 7, size: 8, blocks: 10, atime: 11, ctime: 0x0c0d_0e0f, ..Stat::default() };
        let bytes = stat.to_bytes();
        assert_eq!(bytes[..4], [0, 0, 0, 1]);
        assert_eq!((bytes[27], bytes[35], bytes[51], bytes[55]), (7, 8, 10, 11));
        assert_eq!(bytes[60..], [0x0c, 0x0d, 0x0e, 0x0f]);
        assert_eq!(Stat::from_bytes(&bytes), Some(stat));
        assert_eq!(Stat::from_bytes(&bytes[1..]), None);
    }
}
