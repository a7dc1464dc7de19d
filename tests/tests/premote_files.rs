//! Files copied with `premote get` and `premote put`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use dbgsrv_tests::premote;
use dbgsrv_tests::server::Server;
use tempfile::TempDir;

fn text(path: &Path) -> &str {
    path.to_str().expect("directories for temporary files have plain names")
}

/// A directory with a file of 5 MB in it that is no repetition of itself.
fn large_file() -> (TempDir, PathBuf, Vec<u8>) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("large");
    let mut state = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(5_000_000)
    .collect();
    fs::write(&path, &bytes).expect("the directory is writable");
    (directory, path, bytes)
}

#[test]
fn a_file_is_fetched_whole_with_its_mode_and_overwrites_none() {
    let server = Server::start();
    let (directory, remote, bytes) = large_file();
    fs::set_permissions(&remote, fs::Permissions::from_mode(0o750)).expect("the file is ours");
    let local = directory.path().join("copy");
    let get = |options: &[&str]| premote::at(&server, &[&["get"], options, &[text(&remote), text(&local)]].concat());
    assert_eq!(get(&[]).success(), "");
    assert!(fs::read(&local).expect("the copy is there") == bytes);
    assert_eq!(local.metadata().expect("the copy is there").permissions().mode() & 0o7777, 0o750);
    assert!(get(&[]).failure(1).contains("--force"));
    fs::write(&local, "old").expect("the copy is ours");
    assert_eq!(get(&["--force"]).success(), "");
    assert!(fs::read(&local).expect("the copy is there") == bytes);
    assert!(!directory.path().join("copy.part").exists());
    assert!(premote::at(&server, &["get", "/no/such/file"]).failure(1).contains("/no/such/file"));
}

#[test]
fn a_fetched_file_is_continued_where_its_beginning_is_right_and_begun_anew_where_it_is_not() {
    let server = Server::start();
    let (directory, remote, bytes) = large_file();
    let (local, part) = (directory.path().join("copy"), directory.path().join("copy.part"));
    let get = || premote::at(&server, &["get", "--continue", text(&remote), text(&local)]);
    fs::write(&part, &bytes[..1_234_567]).expect("the directory is writable");
    assert_eq!(get().success(), "");
    assert!(fs::read(&local).expect("the copy is there") == bytes);
    fs::remove_file(&local).expect("the copy is ours");
    fs::write(&part, "something else").expect("the directory is writable");
    let outcome = get();
    assert!(outcome.stderr.contains("anew"), "{outcome:#?}");
    assert_eq!(outcome.success(), "");
    assert!(fs::read(&local).expect("the copy is there") == bytes);
}

#[test]
fn a_file_is_sent_whole_with_its_mode_and_overwrites_none() {
    let server = Server::start();
    let (directory, local, bytes) = large_file();
    fs::set_permissions(&local, fs::Permissions::from_mode(0o700)).expect("the file is ours");
    let remote = directory.path().join("copy");
    let put = |options: &[&str]| premote::at(&server, &[&["put"], options, &[text(&local), text(&remote)]].concat());
    assert_eq!(put(&[]).success(), "");
    assert!(fs::read(&remote).expect("the copy is there") == bytes);
    assert_eq!(remote.metadata().expect("the copy is there").permissions().mode() & 0o7777, 0o700);
    assert!(put(&[]).failure(1).contains("--force"));
    fs::write(&remote, &bytes[..2_345_678]).expect("the copy is ours");
    assert_eq!(put(&["--continue"]).success(), "");
    assert!(fs::read(&remote).expect("the copy is there") == bytes);
    fs::write(&remote, "something else").expect("the copy is ours");
    assert!(put(&["--continue"]).failure(1).contains("--force"));
    assert_eq!(put(&["--force"]).success(), "");
    assert!(fs::read(&remote).expect("the copy is there") == bytes);
}
