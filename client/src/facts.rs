//! What this side tells a server of itself.

use dbgsrv_protocol::session::Facts;
use std::env::consts::{ARCH, OS};

/// This release, and the machine that it runs on.
pub(crate) fn facts() -> Facts {
    // For people alone: a machine without a readable name connects as well.
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    Facts { release: env!("CARGO_PKG_VERSION").to_owned(), os: OS.to_owned(), architecture: ARCH.to_owned(), host }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_out() {
        let Facts { release, os, architecture, host } = facts();
        for fact in [release, os, architecture, host] {
            assert!(!fact.is_empty());
        }
    }
}
