//! Host I/O: `vFile:…` (GDB manual, "Host I/O Packets"). Paths come decoded; flags, modes and errno are the
//! protocol's own numbers (GDB manual, "File-I/O remote protocol extension: protocol-specific representation").

use crate::ids::Pid;

/// A file request. Answer with [`super::server::Reply::file`] or `file_error`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `close:FD`.
    Close {
        /// A descriptor given by `Open`.
        fd: i32,
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
        /// Bytes wanted.
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
    /// `stat:PATH`.
    Stat {
        /// Which file.
        path: &'a [u8],
    },
    /// `unlink:PATH`.
    Unlink {
        /// Which file.
        path: &'a [u8],
    },
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
