//! Whether debugging works here, and what to change where it does not.

use crate::engine::host::doctor::{self, good, warning};
use crate::limits::Limits;
use dbgsrv_protocol::control::{Check, Verdict};
use dbgsrv_protocol::ids::Pid;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// Processes that a user should be allowed: each session takes one beside those that it debugs.
const ENOUGH_PROCESSES: u64 = 1024;
/// Descriptors that admit as many sessions as there may be.
const ENOUGH_DESCRIPTORS: u64 = 1024;

/// Makes every check that decides whether debugging works, and where `pid` is given those that decide whether that process
/// could be attached to. No process is stopped for it.
pub(crate) fn check(pid: Option<u32>) -> Vec<Check> {
    let mut checks = doctor::machine();
    checks.push(descriptors());
    checks.push(processes());
    if let Some(pid) = pid {
        match i32::try_from(pid).ok().and_then(Pid::new) {
            Some(pid) => checks.extend(doctor::process(pid)),
            None => checks.push(Check { verdict: Verdict::Bad, ..good("process", format!("{pid} is no process id")) }),
        }
    }
    checks
}

fn descriptors() -> Check {
    const NAME: &str = "descriptors";
    let limits = Limits::of_this_process().unwrap_or(Limits::MOST);
    let (descriptors, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((RLIM_INFINITY, RLIM_INFINITY));
    let finding = format!("{descriptors} descriptors admit {} sessions at the same time", limits.direct_sessions());
    if limits == Limits::MOST {
        return good(NAME, finding);
    }
    warning(
        NAME,
        finding,
        &format!("start the server with more (`ulimit -n {ENOUGH_DESCRIPTORS}`, or LimitNOFILE= in its unit)"),
    )
}

fn processes() -> Check {
    const NAME: &str = "processes";
    match getrlimit(Resource::RLIMIT_NPROC) {
        Ok((processes, _)) if processes < ENOUGH_PROCESSES => warning(
            NAME,
            format!("the server's user may have {processes} processes, of which each session takes one"),
            "start the server with a higher limit (`ulimit -u`, or LimitNPROC= in its unit)",
        ),
        _ => good(NAME, "there may be processes enough for all sessions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_finding_that_is_not_good_says_what_to_do() {
        for check in check(Some(std::process::id())).iter().filter(|check| check.verdict != Verdict::Good) {
            assert!(check.remedy.is_some() || check.name == "process", "{check:?}");
        }
    }

    #[test]
    fn no_two_checks_have_the_same_name() {
        let checks = check(Some(1));
        let names: BTreeSet<_> = checks.iter().map(|check| &check.name).collect();
        assert_eq!(names.len(), checks.len());
    }

    #[test]
    fn what_is_no_process_id_is_told() {
        for pid in [0, u32::MAX] {
            assert_eq!(check(Some(pid)).last().map(|check| check.verdict), Some(Verdict::Bad));
        }
    }
}
