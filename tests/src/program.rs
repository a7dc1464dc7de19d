//! The programs to be debugged, compiled by `build.rs` from `programs/`.

use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The address of a symbol in a program that is not position-independent.
///
/// # Panics
/// When the program has no such symbol.
#[must_use]
pub fn symbol(name: &str, symbol: &str) -> u64 {
    let output = Command::new("nm").arg(path(name)).output().expect("nm comes with the compiler");
    let table = String::from_utf8_lossy(&output.stdout);
    let line = table.lines().find(|line| line.split(' ').nth(2) == Some(symbol));
    let address = line.and_then(|line| u64::from_str_radix(line.split(' ').next()?, 16).ok());
    address.unwrap_or_else(|| panic!("{name} has no symbol {symbol}"))
}
