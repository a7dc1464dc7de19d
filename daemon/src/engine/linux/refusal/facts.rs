//! What `/proc` tells about an attempt to attach.

use std::fs;
use std::os::unix::fs::MetadataExt;

use dbgsrv_protocol::ids::Pid;
use nix::errno::Errno;
use nix::unistd::{getpid, getppid, gettid};

use super::attach::{self, AttachRefused, Tracer};
use crate::engine::linux::process_info::{Stat, Status, read};

/// Everything that decides whether a process may be attached to.
#[derive(Clone, Debug)]
pub(crate) struct AttachFacts {
    /// The process; `None`: there is none.
    pub(crate) target: Option<Target>,
    /// Ourselves.
    pub(crate) server: Status,
    /// What the process is to us.
    pub(crate) relation: Relation,
    /// Whether its own user may look into it.
    pub(crate) dumpable: bool,
    /// Who traces it already.
    pub(crate) tracer: Option<Tracer>,
    /// Yama's `ptrace_scope`; `None` where the kernel is without Yama.
    pub(crate) yama: Option<u8>,
    /// Whether its user ids count in another namespace than ours.
    pub(crate) other_user_namespace: bool,
}

/// The process to attach to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) status: Status,
    pub(crate) kernel_thread: bool,
}

/// What a process is to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Relation {
    /// We ourselves, or the front that started us: stopping it would stop us.
    Itself,
    /// Another process of this server: stopping it would stop another session.
    Session,
    /// Nothing in particular.
    None,
}

/// Refuses what must not be attached to, or cannot be for reasons that the kernel would not give.
///
/// # Errors
/// [`AttachRefused`]: there is no such process, it has ended, is a thread, a kernel thread, or belongs to this server.
pub(crate) fn check_attach(pid: Pid) -> Result<(), AttachRefused> {
    let target = target(pid);
    let relation = relation(pid.raw(), getpid().as_raw(), target.as_ref());
    attach::precondition(pid, relation, target.as_ref()).map(|_| ())
}

/// Why the system answered `errno` to an attempt to attach to `pid`, as things are on this machine now.
pub(crate) fn explain_attach(pid: Pid, errno: Errno) -> AttachRefused {
    attach::diagnose(pid, errno, &gather(pid))
}

/// Looks at everything that decides it, without touching the process.
pub(crate) fn gather(pid: Pid) -> AttachFacts {
    let own = getpid().as_raw();
    // What cannot be read about ourselves counts as no rights, which is how the sentences are meant then.
    let server = Status::read(own).unwrap_or_default();
    let target = target(pid);
    let relation = relation(pid.raw(), own, target.as_ref());
    let tracer = target.as_ref().and_then(|target| tracer(target.status.tracer, own));
    AttachFacts {
        relation,
        dumpable: is_dumpable(pid),
        tracer,
        yama: yama(),
        other_user_namespace: target.is_some() && user_map(pid.raw()) != user_map(own),
        target,
        server,
    }
}

fn target(pid: Pid) -> Option<Target> {
    let status = Status::read(pid.raw()).ok()?;
    let text = read(&format!("/proc/{pid}/stat")).ok()?;
    let stat = Stat::parse(&text)?;
    Some(Target { status, kernel_thread: stat.is_kernel_thread() })
}

/// The directory is the process's user's; the files in it are root's while it is not dumpable (proc(5)).
fn is_dumpable(pid: Pid) -> bool {
    let owner = |path: String| fs::metadata(path).map(|file| file.uid()).ok();
    owner(format!("/proc/{pid}")) == owner(format!("/proc/{pid}/status"))
}

fn relation(pid: i32, own: i32, target: Option<&Target>) -> Relation {
    let front = front(own);
    if pid == own || pid == front {
        Relation::Itself
    } else if target.is_some_and(|target| is_worker(pid, target.status.parent, front)) {
        Relation::Session
    } else {
        Relation::None
    }
}

/// The front of this server: the process that started us, or we ourselves. A shell which started two servers is neither's.
fn front(own: i32) -> i32 {
    let parent = getppid().as_raw();
    if runs_our_program(parent) { parent } else { own }
}

/// Whether process `pid` with that parent was started by this server's front, as part of the server.
fn is_worker(pid: i32, parent: i32, front: i32) -> bool {
    parent == front && runs_our_program(pid)
}

fn runs_our_program(pid: i32) -> bool {
    let program = |process: String| fs::metadata(format!("/proc/{process}/exe")).map(|file| (file.dev(), file.ino()));
    match (program(pid.to_string()), program("self".to_owned())) {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        _ => false,
    }
}

fn tracer(tracer: i32, own: i32) -> Option<Tracer> {
    if tracer == 0 {
        return None;
    }
    if tracer == gettid().as_raw() {
        return Some(Tracer::ThisSession);
    }
    // The kernel names the tracing thread; users know its process.
    let pid = Status::read(tracer).map_or(tracer, |thread| thread.group_leader);
    let status = Status::read(pid).unwrap_or_default();
    if pid == own || is_worker(pid, status.parent, front(own)) {
        return Some(Tracer::Session { pid });
    }
    let name = if status.name.is_empty() { "another program".to_owned() } else { status.name };
    Some(Tracer::Program { pid, name })
}

/// How the process's user ids map to others. The namespace itself shows only to those who may look into the process;
/// this shows to all, and differs between namespaces in all but contrived cases.
fn user_map(pid: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/uid_map")).ok()
}

/// Yama's `ptrace_scope`; `None` where the kernel is without Yama.
pub(crate) fn yama() -> Option<u8> {
    fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::mpsc::channel;
    use std::thread;

    use nix::sys::ptrace;

    use super::*;
    use crate::engine::linux::test_program::Running;

    #[test]
    fn a_child_is_nothing_in_particular() {
        let child = Running::cat();
        let facts = gather(child.pid());
        assert_eq!(check_attach(child.pid()), Ok(()));
        let target = facts.target.expect("a target");
        assert_eq!(facts.relation, Relation::None);
        assert_eq!((target.status.parent, target.status.name.as_str()), (getpid().as_raw(), "cat"));
        assert!(facts.dumpable && !target.status.is_dead() && !target.kernel_thread && !facts.other_user_namespace);
    }

    #[test]
    fn we_are_not_to_be_attached_to() {
        let own = Pid::new(getpid().as_raw()).expect("a pid");
        assert_eq!(check_attach(own), Err(AttachRefused::Itself(own)));
    }

    #[test]
    fn a_dead_child_and_one_long_gone_are_told_apart() {
        let mut child = Running::cat();
        let pid = child.pid();
        child.kill();
        assert_eq!(check_attach(pid), Err(AttachRefused::Dead { pid, parent: getpid().as_raw() }));
        drop(child);
        assert_eq!(explain_attach(pid, Errno::ESRCH), AttachRefused::NoSuchProcess(pid));
    }

    #[test]
    fn a_thread_and_a_kernel_thread_are_no_programs() {
        let (tell, told) = channel();
        let (release, released) = channel::<()>();
        let thread = thread::spawn(move || {
            tell.send(gettid().as_raw()).expect("a listener");
            let _ = released.recv();
        });
        let tid = Pid::new(told.recv().expect("an id")).expect("a pid");
        assert_eq!(check_attach(tid), Err(AttachRefused::IsThread { pid: tid, leader: getpid().as_raw() }));
        drop(release);
        thread.join().expect("no panic");
        // Where process 2 shows and is the kernel's, as outside of containers.
        let kernel = Pid::new(2).expect("a pid");
        if Status::read(2).is_ok_and(|status| status.name == "kthreadd") {
            assert_eq!(check_attach(kernel), Err(AttachRefused::KernelThread(kernel)));
        }
    }

    #[test]
    fn our_own_tracees_are_recognised() {
        let child = Running::cat();
        let pid = child.pid();
        ptrace::seize(nix::unistd::Pid::from_raw(pid.raw()), ptrace::Options::empty()).expect("a child can be traced");
        let refused = explain_attach(pid, Errno::EPERM);
        assert_eq!(refused, AttachRefused::AlreadyTraced { pid, tracer: Tracer::ThisSession });
        let elsewhere = thread::spawn(move || explain_attach(pid, Errno::EPERM)).join().expect("no panic");
        let session = Tracer::Session { pid: getpid().as_raw() };
        assert_eq!(elsewhere, AttachRefused::AlreadyTraced { pid, tracer: session });
    }

    #[test]
    fn another_user_namespace_shows() {
        // Where the system forbids such namespaces there is nothing to see.
        if let Some(child) = Running::start(Command::new("unshare").args(["--user", "--map-root-user", "cat"])) {
            assert!(gather(child.pid()).other_user_namespace);
        }
    }
}
