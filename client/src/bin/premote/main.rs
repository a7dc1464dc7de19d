//! `premote`: a process server's client for people.

fn main() {}
