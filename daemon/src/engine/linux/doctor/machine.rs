//! What holds for every process on this machine.

use super::probe::{Broken, Probe, Step, probe};
use super::{bad, good, warning};
use crate::engine::linux::process_info::Status;
use crate::engine::linux::refusal::{CAPABILITY, Obstacle, Remedy, yama};
use dbgsrv_protocol::control::{Check, Verdict};
use nix::errno::Errno;
use nix::unistd::{getgroups, getpid};
use std::fmt;
use std::fs;

/// What decides whether debugging works.
#[derive(Debug)]
struct Facts {
    server: Status,
    yama: Option<u8>,
    /// The links that stand for our namespaces; empty where they can't be read.
    pid_namespace: String,
    user_namespace: String,
    /// The options that `/proc` is mounted with; `None`: it is not.
    proc_options: Option<String>,
    /// The supplementary groups of the server.
    groups: Vec<u32>,
    probe: Probe,
}

/// Checks everything that does not depend on a process.
pub(crate) fn check() -> Vec<Check> {
    Facts::gather().checks()
}

/// The namespaces that the kernel starts with have these numbers (`include/linux/proc_ns.h`).
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";
const FIRST_USER_NAMESPACE: &str = "user:[4026531837]";

impl Facts {
    fn gather() -> Self {
        let namespace = |name: &str| fs::read_link(format!("/proc/self/ns/{name}")).ok();
        let namespace = |name| namespace(name).map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
        let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
        Self {
            // What can't be read counts as no rights.
            server: Status::read(getpid().as_raw()).unwrap_or_default(),
            yama: yama(),
            pid_namespace: namespace("pid"),
            user_namespace: namespace("user"),
            proc_options: proc_options(&String::from_utf8_lossy(&mounts)).map(str::to_owned),
            groups: getgroups().unwrap_or_default().into_iter().map(nix::unistd::Gid::as_raw).collect(),
            probe: probe(),
        }
    }

    fn checks(&self) -> Vec<Check> {
        vec![
            self.tracing(),
            self.memory(),
            self.breakpoints(),
            self.watchpoints(),
            self.randomization(),
            self.capability(),
            self.yama(),
            self.seccomp(),
            self.pid_namespace(),
            self.user_namespace(),
            self.proc(),
        ]
    }

    fn is_capable(&self) -> bool {
        self.server.effective & CAPABILITY != 0
    }

    /// What keeps us even from our own children.
    fn obstacle(&self) -> Obstacle {
        match self.yama {
            Some(3) => Obstacle::YamaNobody,
            Some(2) if !self.is_capable() => Obstacle::YamaAdministrator,
            _ if self.server.seccomp != 0 => Obstacle::Seccomp,
            _ => Obstacle::SecurityModule,
        }
    }

    fn remedy(&self) -> Remedy {
        Remedy::of(&self.obstacle(), &self.server)
    }

    fn tracing(&self) -> Check {
        const NAME: &str = "tracing";
        let failed = |errno: Errno| format!("a child process can't be traced: {}", errno.desc());
        match (self.probe.broken, self.probe.outcome(Step::Trace), self.probe.outcome(Step::Registers)) {
            (Some(Broken::Unstarted(errno)), ..) => bad(
                NAME,
                format!("no process can be started: {}", errno.desc()),
                "raise the limit of processes or of memory that the server has",
            ),
            (Some(Broken::Killed(signal)), ..) => {
                bad(NAME, format!("a process that traces its child is killed with {signal}"), &self.remedy())
            }
            (Some(Broken::Hung), ..) => {
                bad(NAME, "a child process that is to be stopped does not stop", &self.remedy())
            }
            (None, Some(Ok(())), Some(Ok(()))) => {
                good(NAME, "a child process can be traced: stopped, and its registers read")
            }
            (None, Some(Err(errno)), _) | (None, _, Some(Err(errno))) => bad(NAME, failed(errno), &self.remedy()),
            (None, None, _) | (None, _, None) => bad(NAME, failed(Errno::ESRCH), &self.remedy()),
        }
    }

    fn memory(&self) -> Check {
        let works = "memory can be read in large pieces";
        self.step(Step::Memory, "memory", works, "memory can't be read in large pieces", &self.remedy())
    }

    fn breakpoints(&self) -> Check {
        const REMEDY: &str =
            "boot the machine without proc_mem.force_override, which keeps debuggers from writing to code";
        let works = "breakpoints can be set";
        let check = self.step(Step::Code, "breakpoints", works, "no breakpoint can be set", &REMEDY);
        let failed = self.probe.outcome(Step::Code).is_some_and(|outcome| outcome.is_err());
        if failed { Check { verdict: Verdict::Bad, ..check } } else { check }
    }

    /// What came of a step that debugging is possible without.
    fn step(&self, step: Step, name: &str, works: &str, fails: &str, remedy: &dyn fmt::Display) -> Check {
        match self.probe.outcome(step) {
            Some(Ok(())) => good(name, works),
            Some(Err(errno)) => warning(name, format!("{fails}: {}", errno.desc()), remedy),
            None => warning(name, "not tried, because a child can't be traced", "see to tracing first"),
        }
    }

    fn watchpoints(&self) -> Check {
        const REMEDY: &str =
            "use software breakpoints; watchpoints take a machine whose debug registers programs may use";
        let fails = "hardware breakpoints and watchpoints can't be set";
        self.step(Step::DebugRegisters, "watchpoints", "debug registers can be set", fails, &REMEDY)
    }

    fn randomization(&self) -> Check {
        let works = "programs can be started without address space randomization";
        let fails = "addresses differ from run to run, because their randomization can't be switched off";
        self.step(Step::Randomization, "randomization", works, fails, &Remedy::Unconfine)
    }

    fn capability(&self) -> Check {
        const NAME: &str = "capability";
        let user = self.server.users[0];
        if self.is_capable() {
            return good(NAME, "the server has CAP_SYS_PTRACE: it may attach to processes of all users");
        }
        let finding = format!("the server is without CAP_SYS_PTRACE: it may attach to processes of user {user} only");
        warning(NAME, finding, &Remedy::of(&Obstacle::Privileged, &self.server))
    }

    fn yama(&self) -> Check {
        const NAME: &str = "yama";
        let setting = "kernel.yama.ptrace_scope is";
        let help = |obstacle| Remedy::of(&obstacle, &self.server);
        match self.yama {
            None => good(NAME, "the kernel is without Yama, which could restrict attaching"),
            Some(0) => good(NAME, format!("{setting} 0: it restricts nothing")),
            Some(scope @ 1..=2) if self.is_capable() => {
                good(NAME, format!("{setting} {scope}, from which CAP_SYS_PTRACE exempts the server"))
            }
            Some(1) => warning(
                NAME,
                format!("{setting} 1: only programs that were started through the server can be debugged"),
                &help(Obstacle::YamaChildrenOnly),
            ),
            Some(2) => {
                bad(NAME, format!("{setting} 2: only an administrator may debug"), &help(Obstacle::YamaAdministrator))
            }
            Some(scope) => bad(NAME, format!("{setting} {scope}: nobody may debug"), &help(Obstacle::YamaNobody)),
        }
    }

    fn seccomp(&self) -> Check {
        const NAME: &str = "seccomp";
        let works = self.probe.outcome(Step::Trace) == Some(Ok(()));
        match self.server.seccomp {
            0 => good(NAME, "no filter on system calls is in force"),
            _ if works => good(NAME, "a filter on system calls is in force, and lets tracing through"),
            _ => warning(
                NAME,
                "a filter on system calls is in force, and may be what forbids tracing",
                &Remedy::Unconfine,
            ),
        }
    }

    fn pid_namespace(&self) -> Check {
        const NAME: &str = "pid-namespace";
        if self.pid_namespace == FIRST_PID_NAMESPACE {
            return good(NAME, "all processes of the machine can be seen");
        }
        let finding = "the server is in a container (a pid namespace): it sees the processes in there only";
        warning(NAME, finding, "to debug others, start the server outside of it, or the container with --pid=host")
    }

    fn user_namespace(&self) -> Check {
        const NAME: &str = "user-namespace";
        if self.user_namespace == FIRST_USER_NAMESPACE {
            return good(NAME, "the server's rights count on the whole machine");
        }
        let finding = "the server is in a user namespace: its rights count for the processes in there only";
        warning(NAME, finding, "to debug others, start the server outside of it")
    }

    fn proc(&self) -> Check {
        const NAME: &str = "proc";
        let Some(options) = &self.proc_options else {
            return bad(
                NAME,
                "/proc is not mounted, which all debugging goes through",
                "mount it: `mount -t proc proc /proc`",
            );
        };
        let option = |key: &str| options.split(',').find_map(|option| option.strip_prefix(key));
        let hidden = option("hidepid=").is_some_and(|value| !["0", "off"].contains(&value));
        let in_group = option("gid=").and_then(|gid| gid.parse().ok()).is_some_and(|gid| self.groups.contains(&gid));
        if !hidden {
            return good(NAME, "/proc shows all processes");
        }
        if in_group || self.is_capable() {
            return good(NAME, "/proc is mounted with hidepid, from which the server is exempt");
        }
        let remedy =
            "start the server as root, or in the group that /proc is mounted with (gid=), or mount it with hidepid=0";
        warning(NAME, "/proc is mounted with hidepid: processes of other users can't be seen", remedy)
    }
}

/// The options of the file system that is mounted on `/proc`, from the text of `mountinfo` (`proc_pid_mountinfo(5)`).
fn proc_options(mounts: &str) -> Option<&str> {
    // The last one covers those before it.
    mounts.lines().rev().find_map(|line| {
        let (place, system) = line.split_once(" - ")?;
        let mut fields = system.split(' ');
        let is_proc = place.split(' ').nth(4) == Some("/proc") && fields.next() == Some("proc");
        fields.nth(1).filter(|_| is_proc)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine on which nothing stands in the way of an unprivileged server.
    fn facts() -> Facts {
        Facts {
            server: Status { users: [1000; 3], bounding: u64::MAX, ..Status::default() },
            yama: Some(0),
            pid_namespace: FIRST_PID_NAMESPACE.to_owned(),
            user_namespace: FIRST_USER_NAMESPACE.to_owned(),
            proc_options: Some("rw".to_owned()),
            groups: vec![1000],
            probe: Probe::of(&[Ok(()); 6]),
        }
    }

    /// Each check that is not good after `change`, as `name: finding; remedy`.
    fn findings(change: impl FnOnce(&mut Facts)) -> Vec<(Verdict, String)> {
        let mut facts = facts();
        facts.server.effective = CAPABILITY;
        change(&mut facts);
        let text = |check: Check| format!("{}: {}; {}", check.name, check.finding, check.remedy.expect("a remedy"));
        facts
            .checks()
            .into_iter()
            .filter(|check| check.verdict != Verdict::Good)
            .map(|check| (check.verdict, text(check)))
            .collect()
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        assert_eq!(findings(|_| ()), []);
        for scope in [None, Some(1), Some(2)] {
            assert_eq!(findings(|facts| facts.yama = scope), []);
        }
    }

    #[test]
    fn each_obstacle_has_its_finding_and_its_remedy() {
        type Change = fn(&mut Facts);
        let fails = |step: Step, errno| {
            let mut outcomes = [Ok(()); 6];
            outcomes[step as usize] = Err(errno);
            findings(|facts| facts.probe = Probe::of(&outcomes))
        };
        let holds = |change: Change| findings(change);
        let cases = [
            (holds(|facts| facts.server.effective = 0), "of user 1000 only", "as root or with CAP_SYS_PTRACE"),
            (holds(|facts| facts.yama = Some(3)), "nobody may debug", "restart the machine"),
            (holds(|facts| facts.proc_options = None), "/proc is not mounted", "mount -t proc"),
            (holds(|facts| facts.pid_namespace.clear()), "in a container", "--pid=host"),
            (holds(|facts| facts.user_namespace.clear()), "user namespace", "outside of it"),
            (fails(Step::Randomization, Errno::EPERM), "addresses differ from run to run", "seccomp=unconfined"),
            (fails(Step::Memory, Errno::ENOSYS), "large pieces: Function not implemented", "security module"),
            (fails(Step::Code, Errno::EIO), "no breakpoint can be set: I/O error", "proc_mem.force_override"),
            (fails(Step::DebugRegisters, Errno::ENOSPC), "watchpoints can't be set", "use software breakpoints"),
        ];
        for (found, finding, remedy) in cases {
            let [(_, text)] = &found[..] else { panic!("{found:?} is not one finding of {finding}") };
            assert!(text.contains(finding) && text.contains(remedy), "{text}");
        }
    }

    #[test]
    fn only_what_debugging_is_impossible_with_is_bad() {
        let verdicts =
            |change: fn(&mut Facts)| findings(change).into_iter().map(|(verdict, _)| verdict).collect::<Vec<_>>();
        assert_eq!(verdicts(|facts| facts.yama = Some(3)), [Verdict::Bad]);
        assert_eq!(verdicts(|facts| facts.proc_options = None), [Verdict::Bad]);
        assert_eq!(verdicts(|facts| facts.server.effective = 0), [Verdict::Warning]);
        assert_eq!(verdicts(|facts| facts.pid_namespace.clear()), [Verdict::Warning]);
        let no_code = [Ok(()), Ok(()), Ok(()), Ok(()), Err(Errno::EIO), Ok(())];
        assert_eq!(findings(|facts| facts.probe = Probe::of(&no_code))[0].0, Verdict::Bad);
    }

    #[test]
    fn yama_restricts_a_server_without_the_capability() {
        let of = |scope| findings(move |facts| (facts.server.effective, facts.yama) = (0, Some(scope)));
        let texts = |scope| of(scope).into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
        assert_eq!(of(1).len(), 2);
        assert!(texts(1).contains("only programs that were started through the server"), "{}", texts(1));
        assert!(texts(2).contains("only an administrator"), "{}", texts(2));
        assert!(!texts(0).contains("yama"), "{}", texts(0));
    }

    #[test]
    fn a_filter_that_forbids_or_kills_is_the_one_to_blame() {
        let filtered = |probe: Probe| {
            findings(|facts| {
                facts.server.seccomp = 2;
                facts.probe = probe;
            })
        };
        for broken in [None, Some(Broken::Killed(nix::sys::signal::Signal::SIGSYS))] {
            let mut probe = Probe::of(&[Ok(()), Err(Errno::EPERM)]);
            probe.broken = broken;
            let (verdict, text) = filtered(probe).remove(0);
            assert_eq!(verdict, Verdict::Bad);
            assert!(text.starts_with("tracing: ") && text.contains("seccomp=unconfined"), "{text}");
        }
        assert_eq!(filtered(Probe::of(&[Ok(()); 6])), []);
    }

    #[test]
    fn hidden_processes_show_in_the_options_of_proc() {
        let hidden = |options: &str, effective| {
            findings(|facts| (facts.server.effective, facts.proc_options) = (effective, Some(options.to_owned())))
                .iter()
                .any(|(_, text)| text.starts_with("proc: "))
        };
        assert!(hidden("rw,hidepid=2", 0) && hidden("rw,gid=7,hidepid=invisible", 0));
        assert!(
            !hidden("rw,hidepid=2", CAPABILITY) && !hidden("rw,gid=1000,hidepid=2", 0) && !hidden("rw,hidepid=off", 0)
        );
    }

    #[test]
    fn the_topmost_mount_on_proc_counts() {
        let mounts = "21 1 0:1 / / rw - ext4 /dev/vda rw\n22 21 0:20 / /proc rw,nosuid shared:2 - proc proc rw\n\
                      23 22 0:21 / /proc/fs rw - nfsd nfsd rw\n24 22 0:22 / /proc rw - proc none rw,hidepid=2\n";
        assert_eq!(proc_options(mounts), Some("rw,hidepid=2"));
        assert_eq!(proc_options("21 1 0:1 / / rw - ext4 /dev/vda rw\n- -\n"), None);
    }

    #[test]
    fn this_machine_is_checked_by_names_that_differ() {
        let checks = check();
        let names: std::collections::BTreeSet<_> = checks.iter().map(|check| &check.name).collect();
        assert_eq!(names.len(), checks.len());
    }
}
