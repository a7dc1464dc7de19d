//! Why a process may not be attached to.

use dbgsrv_protocol::ids::Pid;
use nix::errno::Errno;
use thiserror::Error;

use super::facts::{AttachFacts, Relation, Target};
use crate::engine::linux::process_info::Status;

/// Why a process cannot be attached to.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum AttachRefused {
    /// A process can have one tracer only.
    #[error("process {pid} is already {tracer}")]
    AlreadyTraced {
        /// Which process was asked for.
        pid: Pid,
        /// Who traces it.
        tracer: Tracer,
    },
    /// It has ended.
    #[error("process {pid} has already ended; it only waits for its parent, process {parent}, to take note")]
    Dead {
        /// Which process was asked for.
        pid: Pid,
        /// Who should wait for it.
        parent: i32,
    },
    /// The id is that of a thread.
    #[error("{pid} is a thread of process {leader}; attach to {leader}")]
    IsThread {
        /// What was asked for.
        pid: Pid,
        /// The process that it belongs to.
        leader: i32,
    },
    /// It is the server itself.
    #[error("process {0} is the server of this very session; to debug it, start a second server")]
    Itself(Pid),
    /// It is the kernel's.
    #[error("process {0} is a kernel thread; there is no program in it to debug")]
    KernelThread(Pid),
    /// There is none.
    #[error("there is no process {0} on the server's machine")]
    NoSuchProcess(Pid),
    /// The kernel allows it to others only.
    #[error("process {pid} {obstacle}; {remedy}")]
    NotPermitted {
        /// Which process was asked for.
        pid: Pid,
        /// What stands in the way.
        obstacle: Obstacle,
        /// What to do about it.
        remedy: Remedy,
    },
    /// It serves another client.
    #[error("process {0} serves another session of this server; to debug it, start a second server")]
    OtherSession(Pid),
    /// Anything else the system may say.
    #[error("process {pid} cannot be traced: {}", errno.desc())]
    System {
        /// Which process was asked for.
        pid: Pid,
        /// What the system said.
        errno: Errno,
    },
}

/// Who traces a process already. Reads on after "is already".
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Tracer {
    /// A session of this server, by what its users know it by. The engine does not know; who runs sessions may.
    #[error("debugged by session {number} of this server, of the client at {peer}; detach there first")]
    NamedSession {
        /// Its number.
        number: u64,
        /// Its client's address.
        peer: String,
    },
    /// Some other program.
    #[error("traced by {name} (process {pid}); end that program or let it detach first")]
    Program {
        /// The program's process.
        pid: i32,
        /// What it calls itself.
        name: String,
    },
    /// A session of this server.
    #[error("debugged by another session of this server (its process is {pid}); detach there first")]
    Session {
        /// The session's worker, or this process where sessions are threads of it.
        pid: i32,
    },
    /// The thread that asks, which is a session of its own.
    #[error("debugged in this session")]
    ThisSession,
}

/// What stands in the way of tracing a process (ptrace(2), "Ptrace access mode checking"). Reads on after
/// "process 1234".
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Obstacle {
    /// Other users or groups than ours.
    #[error("belongs to user {target} and the server runs as user {server}")]
    DifferentUser {
        /// The process's real user.
        target: u32,
        /// Ours.
        server: u32,
    },
    /// The same user, another group.
    #[error("belongs to group {target} and the server runs in group {server}")]
    DifferentGroup {
        /// The process's real group.
        target: u32,
        /// Ours.
        server: u32,
    },
    /// It has hidden its memory from its user, or the kernel has since it changed its identity.
    #[error("does not let its own user look into it (it is not dumpable)")]
    NotDumpable,
    /// Capabilities that we lack.
    #[error("has capabilities that the server lacks")]
    Privileged,
    /// A filter on system calls, as containers have.
    #[error("cannot be traced, probably because the seccomp filter that the server runs under forbids ptrace")]
    Seccomp,
    /// Nothing that can be seen.
    #[error("is protected by a rule of the system that the server cannot see")]
    SecurityModule,
    /// A user namespace in which our capabilities do not count.
    #[error("is in another user namespace, where the server has no rights")]
    UserNamespace,
    /// `ptrace_scope` 1.
    #[error("is not a child of the server, and kernel.yama.ptrace_scope is 1")]
    YamaChildrenOnly,
    /// `ptrace_scope` 2.
    #[error("may only be traced by an administrator: kernel.yama.ptrace_scope is 2")]
    YamaAdministrator,
    /// `ptrace_scope` 3.
    #[error("may not be traced by anyone: kernel.yama.ptrace_scope is 3")]
    YamaNobody,
}

/// What the user can do.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Remedy {
    /// The capability is what a container's root lacks.
    #[error("start the container with --cap-add=SYS_PTRACE")]
    AddCapability,
    /// The setting outlasts the running system.
    #[error("lower the setting where the system is configured (/etc/sysctl.d) and restart the machine")]
    Restart,
    /// The capability helps, and so does the setting.
    #[error("run `sysctl kernel.yama.ptrace_scope=0` as root, or start the server as root or with CAP_SYS_PTRACE")]
    RelaxYama,
    /// Nothing that is known to help.
    #[error("look into the logs of the system's security module (SELinux, AppArmor)")]
    SeeLogs,
    /// The capability is missing.
    #[error("start the server as root or with CAP_SYS_PTRACE")]
    StartAsRoot,
    /// Where the process lives there are rights to be had.
    #[error("start the server in the process's own container or user namespace")]
    StartThere,
    /// A filter is part of how the container was started.
    #[error("start the container with a profile that allows it (--security-opt seccomp=unconfined allows all)")]
    Unconfine,
}

impl AttachRefused {
    /// The number for an RSP error reply, as errno(3) counts.
    #[must_use]
    pub fn errno(&self) -> u8 {
        let errno = match self {
            Self::NoSuchProcess(_) | Self::Dead { .. } => Errno::ESRCH,
            Self::System { errno, .. } => *errno,
            _ => Errno::EPERM,
        };
        errno as i32 as u8
    }
}

/// `CAP_SYS_PTRACE` (capabilities(7)).
pub(crate) const CAPABILITY: u64 = 1 << 19;

/// What refuses every attempt, whatever the kernel would say: it would stop us or a session that is not ours, or the
/// id does not mean a process.
pub(crate) fn precondition(pid: Pid, relation: Relation, target: Option<&Target>) -> Result<&Target, AttachRefused> {
    match relation {
        Relation::Itself => return Err(AttachRefused::Itself(pid)),
        Relation::Session => return Err(AttachRefused::OtherSession(pid)),
        Relation::None => {}
    }
    let target = target.ok_or(AttachRefused::NoSuchProcess(pid))?;
    let leader = target.status.group_leader;
    if leader != pid.raw() {
        return Err(AttachRefused::IsThread { pid, leader });
    }
    if target.status.is_dead() {
        return Err(AttachRefused::Dead { pid, parent: target.status.parent });
    }
    if target.kernel_thread {
        return Err(AttachRefused::KernelThread(pid));
    }
    Ok(target)
}

/// The reason for `errno`, given the facts.
pub(crate) fn diagnose(pid: Pid, errno: Errno, facts: &AttachFacts) -> AttachRefused {
    let target = match precondition(pid, facts.relation, facts.target.as_ref()) {
        Ok(target) => target,
        Err(refused) => return refused,
    };
    if let Some(tracer) = facts.tracer.clone() {
        return AttachRefused::AlreadyTraced { pid, tracer };
    }
    match errno {
        Errno::ESRCH => AttachRefused::NoSuchProcess(pid),
        Errno::EPERM | Errno::EACCES => {
            let obstacle = obstacle(target, facts);
            let remedy = Remedy::of(&obstacle, &facts.server);
            AttachRefused::NotPermitted { pid, obstacle, remedy }
        }
        errno => AttachRefused::System { pid, errno },
    }
}

/// What stands in the way, in the order in which the kernel looks: identity, dumpability, capabilities, Yama.
fn obstacle(target: &Target, facts: &AttachFacts) -> Obstacle {
    let server = &facts.server;
    if facts.yama == Some(3) {
        return Obstacle::YamaNobody;
    }
    if facts.other_user_namespace {
        return Obstacle::UserNamespace;
    }
    if server.effective & CAPABILITY == 0 {
        // Attaching is judged by our real ids against all three of the process's.
        if target.status.users.iter().any(|&user| user != server.users[0]) {
            return Obstacle::DifferentUser { target: target.status.users[0], server: server.users[0] };
        }
        if target.status.groups.iter().any(|&group| group != server.groups[0]) {
            return Obstacle::DifferentGroup { target: target.status.groups[0], server: server.groups[0] };
        }
        if !facts.dumpable {
            return Obstacle::NotDumpable;
        }
        if target.status.permitted & !server.permitted != 0 {
            return Obstacle::Privileged;
        }
        match facts.yama {
            Some(1) => return Obstacle::YamaChildrenOnly,
            Some(2) => return Obstacle::YamaAdministrator,
            _ => {}
        }
    }
    if server.seccomp == 2 { Obstacle::Seccomp } else { Obstacle::SecurityModule }
}

impl Remedy {
    /// What helps a server with these rights against an obstacle.
    pub(crate) fn of(obstacle: &Obstacle, server: &Status) -> Self {
        // A root without the capability in its bounding set was put into a container; being root is no remedy there.
        let contained_root = server.users[1] == 0 && server.bounding & CAPABILITY == 0;
        match obstacle {
            Obstacle::Seccomp => Self::Unconfine,
            Obstacle::SecurityModule => Self::SeeLogs,
            Obstacle::UserNamespace => Self::StartThere,
            Obstacle::YamaNobody => Self::Restart,
            _ if contained_root => Self::AddCapability,
            Obstacle::YamaChildrenOnly => Self::RelaxYama,
            _ => Self::StartAsRoot,
        }
    }
}

#[cfg(test)]
mod tests;
