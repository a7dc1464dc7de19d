use std::fs;
use std::path::PathBuf;
use std::process::Command;

use dbgsrv_protocol::ids::Pid;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::*;
use crate::engine::linux::test_program::Running;

/// A directory that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dbgsrv-files-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn path(&self, name: &str) -> Vec<u8> {
        self.0.join(name).into_os_string().into_encoded_bytes()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const LIMIT: usize = 1000;
const READ_WRITE_CREATE: u32 = 0x202;

fn errno(errno: Errno) -> Result<FileReply<'static>, FileError> {
    Err(errno.into())
}

fn stat(reply: Result<FileReply<'_>, FileError>) -> Stat {
    match reply {
        Ok(FileReply::Stat(stat)) => stat,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_is_created_written_read_and_removed() {
    let scratch = Scratch::new("life");
    let path = &scratch.path("file");
    let mut files = HostFiles::default();
    let open = Request::Open { path, flags: READ_WRITE_CREATE, mode: 0o640 };
    assert_eq!(files.run(open, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Pwrite { fd: 0, offset: 3, data: b"hello" }, LIMIT), Ok(FileReply::Value(5)));
    let read = |offset, count| Request::Pread { fd: 0, count, offset };
    assert_eq!(files.run(read(0, u64::MAX), LIMIT), Ok(FileReply::Data(b"\0\0\0hello")));
    assert_eq!(files.run(read(4, 100), 2), Ok(FileReply::Data(b"el")));
    assert_eq!(files.run(read(8, 1), LIMIT), Ok(FileReply::Data(b"")));
    let by_path = stat(files.run(Request::Stat { path }, LIMIT));
    assert_eq!((by_path.size, by_path.nlink, by_path.mode & 0o100_600), (8, 1, 0o100_600));
    assert_eq!(stat(files.run(Request::Fstat { fd: 0 }, LIMIT)), by_path);
    assert_eq!(files.run(Request::Unlink { path }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Unlink { path }, LIMIT), errno(Errno::ENOENT));
    assert_eq!(stat(files.run(Request::Fstat { fd: 0 }, LIMIT)).nlink, 0);
    assert_eq!(files.run(Request::Close { fd: 0 }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Close { fd: 0 }, LIMIT), errno(Errno::EBADF));
}

#[test]
fn descriptors_are_the_clients_own_and_few() {
    let mut files = HostFiles::default();
    let open = Request::Open { path: b"/dev/null", flags: 0, mode: 0 };
    for fd in 0..OPEN_MAX as u64 {
        assert_eq!(files.run(open, LIMIT), Ok(FileReply::Value(fd)));
    }
    assert_eq!(files.run(open, LIMIT), errno(Errno::EMFILE));
    assert_eq!(files.run(Request::Close { fd: 7 }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(open, LIMIT), Ok(FileReply::Value(7)));
    for fd in [-1, i32::MIN, i32::MAX, OPEN_MAX as i32] {
        assert_eq!(files.run(Request::Fstat { fd }, LIMIT), errno(Errno::EBADF));
        assert_eq!(files.run(Request::Close { fd }, LIMIT), errno(Errno::EBADF));
        assert_eq!(files.run(Request::Pread { fd, count: 1, offset: 0 }, LIMIT), errno(Errno::EBADF));
    }
}

#[test]
fn dropping_closes_every_file() {
    let scratch = Scratch::new("drop");
    let path = &scratch.path("file");
    let mut files = HostFiles::default();
    files.run(Request::Open { path, flags: READ_WRITE_CREATE, mode: 0o600 }, LIMIT).expect("a descriptor");
    let ours = || {
        let target = |entry: fs::DirEntry| fs::read_link(entry.path()).ok();
        fs::read_dir("/proc/self/fd")
            .expect("descriptors")
            .flatten()
            .filter_map(target)
            .any(|link| link.as_os_str().as_encoded_bytes() == path.as_slice())
    };
    assert!(ours());
    drop(files);
    assert!(!ours());
}

#[test]
fn links_are_followed_or_not_as_asked() {
    let scratch = Scratch::new("links");
    let path = &scratch.path("link");
    std::os::unix::fs::symlink("/dev/null", scratch.0.join("link")).expect("a link");
    let mut files = HostFiles::default();
    assert_eq!(files.run(Request::Readlink { path }, LIMIT), Ok(FileReply::Data(b"/dev/null")));
    assert_eq!(files.run(Request::Readlink { path }, 8), errno(Errno::ENAMETOOLONG));
    assert_eq!(files.run(Request::Readlink { path: b"/dev/null" }, LIMIT), errno(Errno::EINVAL));
    assert_eq!(stat(files.run(Request::Stat { path }, LIMIT)).mode & 0o170_000, 0o020_000);
    assert_eq!(stat(files.run(Request::Lstat { path }, LIMIT)).mode & 0o170_000, 0o120_000);
    assert_eq!(files.run(Request::Unlink { path }, LIMIT), Ok(FileReply::Value(0)));
    assert!(fs::exists("/dev/null").expect("an answer"));
}

#[test]
fn lldbs_questions_about_files_are_answered() {
    let scratch = Scratch::new("lldb");
    let (path, link) = (&scratch.path("file"), &scratch.path("link"));
    fs::write(scratch.0.join("file"), "hello").expect("written");
    let mut files = HostFiles::default();
    assert_eq!(files.run(Request::Symlink { target: path, path: link }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Symlink { target: path, path: link }, LIMIT), errno(Errno::EEXIST));
    for path in [path, link] {
        assert_eq!(files.run(Request::Size { path }, LIMIT), Ok(FileReply::Value(5)));
        assert_eq!(files.run(Request::Exists { path }, LIMIT), Ok(FileReply::Exists(true)));
        let sum = *b"\x5d\x41\x40\x2a\xbc\x4b\x2a\x76\xb9\x71\x9d\x91\x10\x17\xc5\x92";
        assert_eq!(files.run(Request::Md5 { path }, LIMIT), Ok(FileReply::Digest(Some(sum))));
    }
    assert_eq!(files.run(Request::Mode { path: b"/tmp" }, LIMIT), Ok(FileReply::Value(0o1777)));
    assert_eq!(files.run(Request::Unlink { path }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Size { path: link }, LIMIT), errno(Errno::ENOENT));
    assert_eq!(files.run(Request::Mode { path: link }, LIMIT), errno(Errno::ENOENT));
    assert_eq!(files.run(Request::Exists { path: link }, LIMIT), Ok(FileReply::Exists(false)));
    for path in [&link[..], b"/dev/zero", b"/tmp"] {
        assert_eq!(files.run(Request::Md5 { path }, LIMIT), Ok(FileReply::Digest(None)));
    }
}

#[test]
fn relative_paths_begin_where_they_are_told_to() {
    let scratch = Scratch::new("relative");
    fs::write(scratch.0.join("file"), "hello").expect("written");
    let mut files = HostFiles::default();
    files.begin_in(scratch.0.clone());
    assert_eq!(files.run(Request::Size { path: b"file" }, LIMIT), Ok(FileReply::Value(5)));
    assert_eq!(files.run(Request::Symlink { target: b"file", path: b"link" }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Readlink { path: b"link" }, LIMIT), Ok(FileReply::Data(b"file")));
    assert_eq!(files.run(Request::Unlink { path: b"file" }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Exists { path: &scratch.path("file") }, LIMIT), Ok(FileReply::Exists(false)));
    assert_eq!(files.run(Request::Exists { path: b"" }, LIMIT), Ok(FileReply::Exists(false)));
    assert_eq!(files.run(Request::Exists { path: b"/dev/null" }, LIMIT), Ok(FileReply::Exists(true)));
}

#[test]
fn odd_files_and_paths_get_an_error_at_once() {
    let scratch = Scratch::new("odd");
    mkfifo(&scratch.0.join("pipe"), Mode::S_IRWXU).expect("a pipe");
    let mut files = HostFiles::default();
    // Neither end of a pipe waits for the other.
    let pipe = &scratch.path("pipe");
    let opened = files.run(Request::Open { path: pipe, flags: 0, mode: 0 }, LIMIT);
    assert_eq!(opened, Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Pread { fd: 0, count: 1, offset: 0 }, LIMIT), errno(Errno::ESPIPE));
    for (path, flags, expected) in [
        (&b"/nonexistent/x"[..], 0, Errno::ENOENT),
        (b"", 0, Errno::ENOENT),
        (b"/tmp", 1, Errno::EISDIR),
        (b"/dev/null/x", 0, Errno::ENOTDIR),
        (b"/dev/null\0x", 0, Errno::EINVAL),
        (b"/dev/null", 3, Errno::EINVAL),
        (&[b'x'; 5000], 0, Errno::ENAMETOOLONG),
    ] {
        assert_eq!(files.run(Request::Open { path, flags, mode: 0 }, LIMIT), errno(expected), "{path:?}");
    }
    let create = Request::Open { path: b"/tmp/x", flags: READ_WRITE_CREATE, mode: 0o7777 };
    assert_eq!(files.run(create, LIMIT), errno(Errno::EINVAL));
    assert_eq!(files.run(Request::Pread { fd: 0, count: 1, offset: u64::MAX }, LIMIT), errno(Errno::EINVAL));
    assert_eq!(files.run(Request::Unlink { path: b"/" }, LIMIT), errno(Errno::ENOENT));
}

#[test]
fn the_file_system_of_a_neighbour_is_our_own() {
    let mut files = HostFiles::default();
    let own = Pid::new(nix::unistd::getpid().as_raw());
    for pid in [None, own] {
        assert_eq!(files.run(Request::SetFs(pid), LIMIT), Ok(FileReply::Value(0)));
        assert!(files.view.root.is_none());
    }
    assert_eq!(files.run(Request::SetFs(Pid::new(i32::MAX)), LIMIT), errno(Errno::ENOENT));
}

#[test]
fn another_mount_namespace_is_not_left_through_its_links() {
    let scratch = Scratch::new("namespace");
    // A tmpfs that only the child sees, over a directory that is empty for us.
    let script = "mount -t tmpfs none \"$0\" && echo inside > \"$0/file\" && ln -s /proc/version \"$0/link\" && \
        ln -s ../../../../../../etc \"$0/up\" && exec cat";
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).arg(&scratch.0);
    // Where the system forbids such namespaces there is nothing to see.
    let Some(child) = Running::start(&mut unshare) else { return };
    let mut files = HostFiles::default();
    let path = &scratch.path("file");
    let open = Request::Open { path, flags: 0, mode: 0 };
    assert_eq!(files.run(open, LIMIT), errno(Errno::ENOENT));
    let pid = Some(child.pid());
    assert_eq!(files.run(Request::SetFs(pid), LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(open, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::Pread { fd: 0, count: 9, offset: 0 }, LIMIT), Ok(FileReply::Data(b"inside\n")));
    let link = &scratch.path("link");
    assert_eq!(files.run(Request::Readlink { path: link }, LIMIT), Ok(FileReply::Data(b"/proc/version")));
    assert!(files.run(Request::Stat { path: link }, LIMIT).is_ok());
    assert_eq!(stat(files.run(Request::Stat { path: &scratch.path("up") }, LIMIT)).mode & 0o170_000, 0o040_000);
    assert_eq!(files.run(Request::Unlink { path }, LIMIT), Ok(FileReply::Value(0)));
    assert_eq!(files.run(Request::SetFs(None), LIMIT), Ok(FileReply::Value(0)));
}
