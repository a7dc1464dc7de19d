//! Whether one process could be attached to, found out without stopping it.

use super::{bad, good, warning};
use crate::engine::linux::names::Names;
use crate::engine::linux::refusal::{AttachFacts, AttachRefused, Target, diagnose, gather, precondition};
use dbgsrv_protocol::control::{Check, Verdict};
use dbgsrv_protocol::ids::Pid;
use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use std::fs;
use std::io::IoSliceMut;

/// Checks everything that decides it.
pub(crate) fn check(pid: Pid) -> Vec<Check> {
    let facts = gather(pid);
    let target = match precondition(pid, facts.relation, facts.target.as_ref()) {
        Ok(target) => target,
        Err(refused) => return vec![refusal("process", &refused)],
    };
    vec![process(pid, target), tracer(pid, &facts), namespaces(pid), dumpable(pid, &facts), attach(pid, &facts)]
}

fn process(pid: Pid, target: &Target) -> Check {
    let mut names = Names::default();
    let user = String::from_utf8_lossy(names.user(target.status.users[0])).into_owned();
    good("process", format!("process {pid} ({}) belongs to user {user}", target.status.name))
}

fn tracer(pid: Pid, facts: &AttachFacts) -> Check {
    const NAME: &str = "tracer";
    match &facts.tracer {
        Some(_) => refusal(NAME, &diagnose(pid, Errno::EPERM, facts)),
        None => good(NAME, format!("process {pid} is traced by nobody")),
    }
}

fn namespaces(pid: Pid) -> Check {
    const NAME: &str = "namespaces";
    let link = |process: &str, name: &str| fs::read_link(format!("/proc/{process}/ns/{name}")).ok();
    let differs =
        |name: &&str| link(&pid.to_string(), name).zip(link("self", name)).is_some_and(|(theirs, ours)| theirs != ours);
    let others = ["mnt", "pid", "user"].into_iter().filter(differs).collect::<Vec<_>>();
    if others.is_empty() {
        return good(NAME, format!("process {pid} is in no other container than the server, as far as can be seen"));
    }
    warning(
        NAME,
        format!(
            "process {pid} is in other namespaces than the server ({}), where names or ids differ",
            others.join(", ")
        ),
        "where that is in the way, start the server in the process's own container",
    )
}

fn dumpable(pid: Pid, facts: &AttachFacts) -> Check {
    const NAME: &str = "dumpable";
    if facts.dumpable {
        return good(NAME, format!("process {pid} lets its own user look into it"));
    }
    warning(
        NAME,
        format!("process {pid} does not let its own user look into it (it is not dumpable)"),
        "a server with CAP_SYS_PTRACE may all the same",
    )
}

/// The kernel judges an attempt to read memory by the rules for attaching, so it is asked for a byte that is nowhere.
fn attach(pid: Pid, facts: &AttachFacts) -> Check {
    const NAME: &str = "attach";
    let mut byte = [0];
    let nowhere = [RemoteIoVec { base: 0, len: 1 }];
    let asked = process_vm_readv(nix::unistd::Pid::from_raw(pid.raw()), &mut [IoSliceMut::new(&mut byte)], &nowhere);
    match asked {
        Ok(_) | Err(Errno::EFAULT) if facts.tracer.is_none() => good(NAME, format!("process {pid} can be attached to")),
        Ok(_) | Err(Errno::EFAULT) => refusal(NAME, &diagnose(pid, Errno::EPERM, facts)),
        Err(errno) => refusal(NAME, &diagnose(pid, errno, facts)),
    }
}

/// What an attempt to attach would be refused with; only some of these are sentences with a remedy of their own.
fn refusal(name: &str, refused: &AttachRefused) -> Check {
    match refused {
        AttachRefused::NotPermitted { pid, obstacle, remedy } => bad(name, format!("process {pid} {obstacle}"), remedy),
        refused => Check { verdict: Verdict::Bad, ..good(name, refused.to_string()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::linux::refusal::check_attach;
    use crate::engine::linux::test_program::Running;

    fn verdict_of(checks: &[Check], name: &str) -> Option<Verdict> {
        checks.iter().find(|check| check.name == name).map(|check| check.verdict)
    }

    #[test]
    fn a_child_can_be_attached_to_and_is_not_stopped_by_the_question() {
        let child = Running::cat();
        let checks = check(child.pid());
        assert!(checks.iter().all(|check| check.verdict == Verdict::Good), "{checks:?}");
        assert_eq!(verdict_of(&checks, "attach"), Some(Verdict::Good));
        assert_eq!(check_attach(child.pid()), Ok(()));
    }

    #[test]
    fn a_traced_child_can_not_be_attached_to_and_the_tracer_is_named() {
        let child = Running::cat();
        let pid = nix::unistd::Pid::from_raw(child.pid().raw());
        nix::sys::ptrace::seize(pid, nix::sys::ptrace::Options::empty()).expect("a child can be traced");
        let checks = check(child.pid());
        assert_eq!(verdict_of(&checks, "tracer"), Some(Verdict::Bad));
        assert_eq!(verdict_of(&checks, "attach"), Some(Verdict::Bad));
        assert!(checks.iter().any(|check| check.finding.contains("already debugged")), "{checks:?}");
    }

    #[test]
    fn what_is_no_process_has_one_finding() {
        let mut child = Running::cat();
        child.kill();
        let dead = check(child.pid());
        assert_eq!(verdict_of(&dead, "process"), Some(Verdict::Bad));
        assert!(dead[0].finding.contains("has already ended"), "{dead:?}");
        let pid = child.pid();
        drop(child);
        let gone = check(pid);
        assert!(gone.len() == 1 && gone[0].finding.contains("there is no process"), "{gone:?}");
    }
}
