//! The programs to be debugged, compiled by `build.rs` from `programs/`.

use std::path::{Path, PathBuf};

/// The path of a compiled program, named as in `build.rs`.
///
/// # Panics
/// When `build.rs` makes no such program.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let path = Path::new(env!("OUT_DIR")).join(name);
    assert!(path.exists(), "build.rs makes no program {name}");
    path
}

/// The program for i386, where the compiler can make one.
#[must_use]
pub fn i386() -> Option<PathBuf> {
    let path = Path::new(env!("OUT_DIR")).join("basics-i386");
    path.exists().then_some(path)
}
