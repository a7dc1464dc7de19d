//! Digests of files, by which a copy is verified and resumed.

use dbgsrv_protocol::control::{Failure, FailureKind};
use nix::fcntl::OFlag;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

/// Bytes read at once.
const PIECE: usize = 256 * 1024;

/// The SHA-256 of a file's first `length` bytes, or of all, in hexadecimal, and how many bytes it is of: fewer than `length`
/// where the file is shorter. Given up when it is no longer `wanted`: it may take hours.
///
/// # Errors
/// The file is not there, not a regular one, or can't be read.
pub(crate) fn sha256(path: &str, length: Option<u64>, wanted: impl Fn() -> bool) -> Result<(String, u64), Failure> {
    let file = open(path)?;
    let mut left = file.take(length.unwrap_or(u64::MAX));
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    while wanted() {
        match left.read(&mut piece) {
            Ok(0) => return Ok((format!("{:x}", hash.finalize()), done)),
            Ok(count) => {
                hash.update(&piece[..count]);
                done += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failure(path, &error)),
        }
    }
    Err(Failure { kind: FailureKind::System, text: "nobody waits for the digest any more".to_owned() })
}

fn open(path: &str) -> Result<File, Failure> {
    // Opening a pipe without this flag waits for who writes to it.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    let file = file.map_err(|error| failure(path, &error))?;
    if !file.metadata().map_err(|error| failure(path, &error))?.is_file() {
        return Err(Failure { kind: FailureKind::BadRequest, text: format!("{path} is not a regular file") });
    }
    Ok(file)
}

fn failure(path: &str, error: &io::Error) -> Failure {
    let (kind, reason) = match error.kind() {
        io::ErrorKind::NotFound => (FailureKind::NotFound, "does not exist on the server's machine".to_owned()),
        io::ErrorKind::PermissionDenied => {
            (FailureKind::NotPermitted, "may not be read by the server's user".to_owned())
        }
        io::ErrorKind::InvalidInput => (FailureKind::BadRequest, "is no path".to_owned()),
        _ => (FailureKind::System, format!("can't be read: {error}")),
    };
    Failure { kind, text: format!("{} {reason}", path.escape_debug()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::fs;

    /// FIPS 180-2, appendix B.1, and of nothing.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn scratch(name: &str) -> String {
        let path = std::env::temp_dir().join(format!("dbgsrv-digest-{name}-{}", std::process::id()));
        path.into_os_string().into_string().expect("text")
    }

    #[test]
    fn the_first_bytes_or_all_of_a_file_are_hashed() {
        let path = scratch("abc");
        fs::write(&path, "abc").expect("a file");
        let of = |length| sha256(&path, length, || true).expect("a digest");
        for length in [None, Some(3), Some(u64::MAX)] {
            assert_eq!(of(length), (ABC.to_owned(), 3));
        }
        assert_eq!(of(Some(0)), (NOTHING.to_owned(), 0));
        assert_eq!(of(Some(2)).1, 2);
        fs::write(&path, vec![b'a'; 1_000_000]).expect("a file");
        let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(of(None), (million.to_owned(), 1_000_000));
        fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let pipe = scratch("pipe");
        mkfifo(pipe.as_str(), Mode::S_IRWXU).expect("a pipe");
        for path in [pipe.as_str(), "/", "/dev/zero"] {
            let failure = sha256(path, None, || true).expect_err("refused");
            assert_eq!(
                (failure.kind, failure.text),
                (FailureKind::BadRequest, format!("{path} is not a regular file"))
            );
        }
        fs::remove_file(&pipe).expect("removed");
    }

    #[test]
    fn a_digest_that_nobody_waits_for_is_given_up() {
        let path = scratch("endless");
        File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a file with nothing in it");
        let asked = std::cell::Cell::new(0);
        let wanted = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        assert!(sha256(&path, None, wanted).is_err());
        fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told() {
        let cases = [
            ("/nonexistent/file", FailureKind::NotFound, "/nonexistent/file does not exist on the server's machine"),
            ("", FailureKind::NotFound, " does not exist on the server's machine"),
            ("a\0b", FailureKind::BadRequest, "a\\0b is no path"),
        ];
        for (path, kind, text) in cases {
            assert_eq!(sha256(path, None, || true), Err(Failure { kind, text: text.to_owned() }));
        }
    }
}
