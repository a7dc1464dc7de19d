//! Directories and names of files.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Most entries of a directory that are looked at for a completion.
const ENTRIES_MAX: usize = 0x1_0000;
/// What a directory may be used for by everybody whom the server's mask does not exclude.
const USUAL_MODE: u32 = 0o777;
/// The bits that chmod(2) changes.
const MODE_BITS: u32 = 0o7777;

/// Makes a directory; `mode` 0: with the usual permissions.
///
/// # Errors
/// What mkdir(2) says.
pub(crate) fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    let mode = if mode == 0 { USUAL_MODE } else { mode & MODE_BITS };
    fs::DirBuilder::new().mode(mode).create(path)
}

/// Changes a file's permissions.
///
/// # Errors
/// What chmod(2) says.
pub(crate) fn change_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode & MODE_BITS))
}

/// The paths that begin with `start`, in order; directories end with a slash. `here` is where relative ones begin, and
/// `home` what a leading `~` stands for.
pub(crate) fn complete(start: &[u8], directories: bool, here: &Path, home: Option<&Path>) -> Vec<Vec<u8>> {
    let name = start.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (parent, name) = start.split_at(name);
    let directory = match (parent.strip_prefix(b"~/"), home) {
        (Some(rest), Some(home)) => home.join(OsStr::from_bytes(rest)),
        _ => here.join(OsStr::from_bytes(parent)),
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().take(ENTRIES_MAX);
    let mut found: Vec<_> = entries
        .filter(|entry| entry.file_name().as_bytes().starts_with(name))
        .filter_map(|entry| {
            // Of a link it is what it leads to that counts.
            let is_directory = fs::metadata(entry.path()).is_ok_and(|file| file.is_dir());
            let end: &[u8] = if is_directory { b"/" } else { b"" };
            (is_directory || !directories).then(|| [parent, entry.file_name().as_bytes(), end].concat())
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_completed_where_they_are() {
        let directory = std::env::temp_dir().join(format!("dbgsrv-paths-{}", std::process::id()));
        make_directory(&directory, 0).expect("made");
        make_directory(&directory.join("ab"), 0o700).expect("made");
        let again = make_directory(&directory.join("ab"), 0).expect_err("it is there");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        fs::write(directory.join("ac"), "").expect("written");
        std::os::unix::fs::symlink(directory.join("ab"), directory.join("b")).expect("a link");
        let all = |start: &str, directories| {
            let found = complete(start.as_bytes(), directories, &directory, Some(&directory));
            found.into_iter().map(|path| String::from_utf8(path).expect("text")).collect::<Vec<_>>()
        };
        let absolute = directory.to_str().expect("text");
        assert_eq!(all("", false), ["ab/", "ac", "b/"]);
        assert_eq!(all("a", true), ["ab/"]);
        assert_eq!(all("~/a", false), ["~/ab/", "~/ac"]);
        assert_eq!(all(&format!("{absolute}/b"), false), [format!("{absolute}/b/")]);
        assert_eq!(all(absolute, false), [format!("{absolute}/")]);
        assert!(all("nowhere/", false).is_empty());
        change_mode(&directory.join("ac"), 0o100_640).expect("changed");
        let mode = fs::metadata(directory.join("ac")).expect("it is there").permissions().mode();
        assert_eq!(mode & MODE_BITS, 0o640);
        fs::remove_dir_all(&directory).expect("removed");
    }
}
