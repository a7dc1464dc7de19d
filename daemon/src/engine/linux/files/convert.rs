//! The protocol's own numbers and the system's (GDB manual, "Protocol-specific Representation of Datatypes" and
//! "Constants").

use dbgsrv_protocol::rsp::file::{self, flags};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode, SFlag};

/// An error number as host I/O counts them: those that the protocol knows are its own, all others are
/// [`FileError::UNKNOWN`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FileError(pub(crate) u32);

impl FileError {
    /// An error that the protocol has no number for.
    pub(crate) const UNKNOWN: Self = Self(9999);
}

/// The protocol's number of each error that it knows.
const ERRORS: [(Errno, u32); 21] = [
    (Errno::EPERM, 1),
    (Errno::ENOENT, 2),
    (Errno::EINTR, 4),
    (Errno::EIO, 5),
    (Errno::EBADF, 9),
    (Errno::EACCES, 13),
    (Errno::EFAULT, 14),
    (Errno::EBUSY, 16),
    (Errno::EEXIST, 17),
    (Errno::ENODEV, 19),
    (Errno::ENOTDIR, 20),
    (Errno::EISDIR, 21),
    (Errno::EINVAL, 22),
    (Errno::ENFILE, 23),
    (Errno::EMFILE, 24),
    (Errno::EFBIG, 27),
    (Errno::ENOSPC, 28),
    (Errno::ESPIPE, 29),
    (Errno::EROFS, 30),
    (Errno::ENOSYS, 88),
    (Errno::ENAMETOOLONG, 91),
];

impl From<Errno> for FileError {
    fn from(errno: Errno) -> Self {
        ERRORS.iter().find(|(known, _)| *known == errno).map_or(Self::UNKNOWN, |&(_, number)| Self(number))
    }
}

/// The system's flags for `open`; `EINVAL` for bits that the protocol does not define.
pub(super) fn open_flags(flags: u32) -> Result<OFlag, Errno> {
    let mut system = match flags & (flags::WRITE | flags::READ_WRITE) {
        flags::READ => OFlag::O_RDONLY,
        flags::WRITE => OFlag::O_WRONLY,
        flags::READ_WRITE => OFlag::O_RDWR,
        _ => return Err(Errno::EINVAL),
    };
    let mut rest = flags & !(flags::WRITE | flags::READ_WRITE);
    let optional = [
        (flags::APPEND, OFlag::O_APPEND),
        (flags::CREATE, OFlag::O_CREAT),
        (flags::TRUNCATE, OFlag::O_TRUNC),
        (flags::EXCLUSIVE, OFlag::O_EXCL),
        (flags::NON_BLOCKING, OFlag::O_NONBLOCK),
        (flags::NO_FOLLOW, OFlag::O_NOFOLLOW),
        (flags::CLOSE_ON_EXEC, OFlag::O_CLOEXEC),
    ];
    for (bit, flag) in optional {
        if rest & bit != 0 {
            system |= flag;
            rest &= !bit;
        }
    }
    if rest == 0 { Ok(system) } else { Err(Errno::EINVAL) }
}

const S_IFREG: u32 = 0o100_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFCHR: u32 = 0o020_000;
/// The protocol has no type for symbolic links; this is what clients make of both bits together.
const S_IFLNK: u32 = S_IFREG | S_IFCHR;
/// Read, write and execute for owner, group and others.
const PERMISSIONS: u32 = 0o777;

/// The permissions of a file to create. The type bits that clients may add say nothing here; `EINVAL` for others.
pub(super) fn creation_mode(mode: u32) -> Result<Mode, Errno> {
    if mode & !(S_IFREG | S_IFDIR | S_IFCHR | PERMISSIONS) != 0 {
        return Err(Errno::EINVAL);
    }
    Ok(Mode::from_bits_truncate(mode & PERMISSIONS))
}

/// The protocol's mode bits. A type that it does not know (sockets, pipes, block devices) has none.
fn mode_of(mode: libc::mode_t) -> u32 {
    let kind = SFlag::from_bits_truncate(mode) & SFlag::S_IFMT;
    let kind = match kind {
        SFlag::S_IFREG => S_IFREG,
        SFlag::S_IFDIR => S_IFDIR,
        SFlag::S_IFCHR => S_IFCHR,
        SFlag::S_IFLNK => S_IFLNK,
        _ => 0,
    };
    kind | (mode & PERMISSIONS)
}

/// The permissions, and the bits that run a program as somebody else.
pub(super) fn permissions(stat: &FileStat) -> u32 {
    stat.st_mode & 0o7777
}

/// The system's `struct stat`, cut to what the protocol's fields hold.
pub(super) fn stat_of(stat: &FileStat) -> file::Stat {
    file::Stat {
        dev: stat.st_dev as u32,
        ino: stat.st_ino as u32,
        mode: mode_of(stat.st_mode),
        nlink: stat.st_nlink as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: stat.st_rdev as u32,
        size: stat.st_size as u64,
        blksize: stat.st_blksize as u64,
        blocks: stat.st_blocks as u64,
        atime: stat.st_atime as u32,
        mtime: stat.st_mtime as u32,
        ctime: stat.st_ctime as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_error_has_a_number_of_its_own() {
        for (index, &(errno, number)) in ERRORS.iter().enumerate() {
            assert_eq!(FileError::from(errno), FileError(number));
            assert!(ERRORS[..index].iter().all(|&(other, taken)| other != errno && taken != number), "{errno}");
        }
        for errno in [Errno::ENXIO, Errno::ELOOP, Errno::ENOMEM, Errno::ENOTEMPTY, Errno::UnknownErrno] {
            assert_eq!(FileError::from(errno), FileError::UNKNOWN);
        }
    }

    #[test]
    fn open_flags_are_translated_bit_by_bit() {
        for (flags, expected) in [
            (0, Ok(OFlag::O_RDONLY)),
            (1, Ok(OFlag::O_WRONLY)),
            (2, Ok(OFlag::O_RDWR)),
            (3, Err(Errno::EINVAL)),
            (0x9, Ok(OFlag::O_WRONLY | OFlag::O_APPEND)),
            (0x601, Ok(OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC)),
            (0xe02, Ok(OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_EXCL)),
            (0x4, Err(Errno::EINVAL)),
            (0x4000_0601, Ok(OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_CLOEXEC)),
            (0x3000_0000, Ok(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW)),
            (0x1000, Err(Errno::EINVAL)),
            (0x8000_0000, Err(Errno::EINVAL)),
            (u32::MAX, Err(Errno::EINVAL)),
        ] {
            assert_eq!(open_flags(flags), expected, "{flags:#x}");
        }
    }

    #[test]
    fn modes_keep_their_permissions_and_known_types() {
        assert_eq!(creation_mode(0o100_640), Ok(Mode::from_bits_truncate(0o640)));
        assert_eq!(creation_mode(0o700), Ok(Mode::S_IRWXU));
        assert_eq!(creation_mode(0o4755), Err(Errno::EINVAL));
        for (system, expected) in [
            (libc::S_IFREG | 0o4755, 0o100_755),
            (libc::S_IFDIR | 0o1777, 0o040_777),
            (libc::S_IFCHR | 0o620, 0o020_620),
            (libc::S_IFLNK | 0o777, 0o120_777),
            (libc::S_IFBLK | 0o660, 0o660),
            (libc::S_IFSOCK | 0o700, 0o700),
            (libc::S_IFIFO | 0o600, 0o600),
        ] {
            assert_eq!(mode_of(system), expected, "{system:o}");
        }
    }
}
