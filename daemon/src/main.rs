//! The `dbgsrv` command.

fn main() {}
