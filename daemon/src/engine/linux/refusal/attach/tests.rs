use super::*;
use crate::engine::linux::process_info::Status;

const PID: i32 = 77;

fn pid() -> Pid {
    Pid::new(PID).expect("a pid")
}

/// A process of the same ordinary user, without anything that forbids.
fn facts() -> AttachFacts {
    let server = Status { users: [1000; 3], groups: [1000; 3], bounding: u64::MAX, ..Status::default() };
    let status = Status { group_leader: PID, parent: 5, ..server.clone() };
    let target = Target { status, kernel_thread: false };
    AttachFacts {
        target: Some(target),
        server,
        relation: Relation::None,
        dumpable: true,
        tracer: None,
        yama: None,
        other_user_namespace: false,
    }
}

/// The sentence and the number for `errno` when `change` is made to the facts.
fn says(errno: Errno, change: impl FnOnce(&mut AttachFacts, &mut Target)) -> (String, u8) {
    let mut facts = facts();
    let mut target = facts.target.take().expect("a target");
    change(&mut facts, &mut target);
    facts.target = Some(target);
    let refused = diagnose(pid(), errno, &facts);
    (refused.to_string(), refused.errno())
}

#[track_caller]
fn refused(change: impl FnOnce(&mut AttachFacts, &mut Target), sentence: &str) {
    assert_eq!(says(Errno::EPERM, change), (sentence.to_owned(), 1));
}

#[test]
fn what_is_no_process_to_trace_is_said_first() {
    refused(
        |facts, _| facts.relation = Relation::Itself,
        "process 77 is the server of this very session; to debug it, start a second server",
    );
    refused(
        |facts, _| facts.relation = Relation::Session,
        "process 77 serves another session of this server; to debug it, start a second server",
    );
    refused(|_, target| target.status.group_leader = 70, "77 is a thread of process 70; attach to 70");
    refused(
        |_, target| target.kernel_thread = true,
        "process 77 is a kernel thread; there is no program in it to debug",
    );
    assert_eq!(
        says(Errno::EPERM, |_, target| target.status.state = b'Z'),
        ("process 77 has already ended; it only waits for its parent, process 5, to take note".to_owned(), 3)
    );
    let nobody = AttachFacts { target: None, ..facts() };
    let refused = diagnose(pid(), Errno::ESRCH, &nobody);
    assert_eq!(refused.to_string(), "there is no process 77 on the server's machine");
    assert_eq!(refused.errno(), 3);
}

#[test]
fn a_tracer_is_named() {
    refused(
        |facts, _| facts.tracer = Some(Tracer::Program { pid: 9, name: "strace".to_owned() }),
        "process 77 is already traced by strace (process 9); end that program or let it detach first",
    );
    refused(
        |facts, _| facts.tracer = Some(Tracer::Session { pid: 9 }),
        "process 77 is already debugged by another session of this server (its process is 9); detach there first",
    );
    refused(|facts, _| facts.tracer = Some(Tracer::ThisSession), "process 77 is already debugged in this session");
}

#[test]
fn other_owners_are_told_apart() {
    refused(
        |_, target| target.status.users = [0, 1000, 1000],
        "process 77 belongs to user 0 and the server runs as user 1000; start the server as root or with \
         CAP_SYS_PTRACE",
    );
    refused(
        |_, target| target.status.groups = [7, 7, 7],
        "process 77 belongs to group 7 and the server runs in group 1000; start the server as root or with \
         CAP_SYS_PTRACE",
    );
    refused(
        |facts, _| facts.dumpable = false,
        "process 77 does not let its own user look into it (it is not dumpable); start the server as root or with \
         CAP_SYS_PTRACE",
    );
    refused(
        |_, target| target.status.permitted = 1 << 12,
        "process 77 has capabilities that the server lacks; start the server as root or with CAP_SYS_PTRACE",
    );
}

#[test]
fn each_setting_of_yama_has_its_sentence() {
    refused(
        |facts, _| facts.yama = Some(1),
        "process 77 is not a child of the server, and kernel.yama.ptrace_scope is 1; run `sysctl \
         kernel.yama.ptrace_scope=0` as root, or start the server as root or with CAP_SYS_PTRACE",
    );
    refused(
        |facts, _| facts.yama = Some(2),
        "process 77 may only be traced by an administrator: kernel.yama.ptrace_scope is 2; start the server as \
         root or with CAP_SYS_PTRACE",
    );
    refused(
        |facts, _| (facts.yama, facts.server.effective) = (Some(3), u64::MAX),
        "process 77 may not be traced by anyone: kernel.yama.ptrace_scope is 3; lower the setting where the \
         system is configured (/etc/sysctl.d) and restart the machine",
    );
    // With the capability, 1 and 2 forbid nothing, and neither does 0 without it.
    for (scope, effective) in [(0, 0), (1, CAPABILITY), (2, CAPABILITY)] {
        let sentence = says(Errno::EPERM, |facts, _| (facts.yama, facts.server.effective) = (Some(scope), effective)).0;
        assert!(!sentence.contains("yama"), "{sentence}");
    }
}

#[test]
fn containers_get_the_advice_for_containers() {
    refused(
        |facts, target| {
            facts.server = Status { seccomp: 2, permitted: 0xff, ..Status::default() };
            target.status.users = [1000; 3];
        },
        "process 77 belongs to user 1000 and the server runs as user 0; start the container with \
         --cap-add=SYS_PTRACE",
    );
    refused(
        |facts, _| facts.server.seccomp = 2,
        "process 77 cannot be traced, probably because the seccomp filter that the server runs under forbids \
         ptrace; start the container with a profile that allows it (--security-opt seccomp=unconfined allows all)",
    );
    refused(
        |facts, _| (facts.other_user_namespace, facts.server.effective) = (true, u64::MAX),
        "process 77 is in another user namespace, where the server has no rights; start the server in the \
         process's own container or user namespace",
    );
}

#[test]
fn what_cannot_be_explained_is_said_so() {
    refused(
        |facts, _| facts.server.effective = u64::MAX,
        "process 77 is protected by a rule of the system that the server cannot see; look into the logs of the \
         system's security module (SELinux, AppArmor)",
    );
    assert_eq!(says(Errno::ESRCH, |_, _| ()), ("there is no process 77 on the server's machine".to_owned(), 3));
    assert_eq!(says(Errno::EIO, |_, _| ()), ("process 77 cannot be traced: I/O error".to_owned(), 5));
}
