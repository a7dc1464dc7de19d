//! Whether debugging works for this server on this machine, what stands in the way where it does not, and what to do.

mod machine;
mod probe;
mod process;

pub(crate) use self::machine::check as machine;
pub(crate) use self::process::check as process;

use dbgsrv_protocol::control::{Check, Verdict};

/// Nothing stands in the way.
pub(crate) fn good(name: &str, finding: impl Into<String>) -> Check {
    Check { name: name.to_owned(), verdict: Verdict::Good, finding: finding.into(), remedy: None }
}

/// Something is restricted.
pub(crate) fn warning(name: &str, finding: impl Into<String>, remedy: &(impl ToString + ?Sized)) -> Check {
    Check { verdict: Verdict::Warning, remedy: Some(remedy.to_string()), ..good(name, finding) }
}

/// Debugging does not work.
pub(crate) fn bad(name: &str, finding: impl Into<String>, remedy: &(impl ToString + ?Sized)) -> Check {
    Check { verdict: Verdict::Bad, ..warning(name, finding, remedy) }
}
