//! Digests of files, as LLDB compares its copies by.

use std::fs::File;
use std::io::{self, Read};

use md5::{Digest, Md5};

/// Bytes read at once.
const PIECE: usize = 64 * 1024;

/// The MD5 of a file from where it stands on.
///
/// # Errors
/// What read(2) says.
pub(crate) fn md5(mut file: File) -> io::Result<[u8; 16]> {
    let mut sum = Md5::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(sum.finalize().into()),
            count => sum.update(&piece[..count]),
        }
    }
}
