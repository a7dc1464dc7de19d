//! Lists of processes, one by one.

use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::platform::{NameMatch, ProcessInfo, ProcessMatch};
use nix::errno::Errno;
use nix::unistd::{getpid, getuid};
use regex_lite::{Regex, RegexBuilder};

use super::{fits, triple};
use crate::engine::linux::objects::exec_file;
use crate::engine::linux::process_info::{ProcDirectory, Status, processes};
use crate::engine::linux::refusal::{HEAD_LEN, machine};

/// Most bytes of arguments that are told of one process; the rest is cut off. Twice as many digits have to fit into a
/// packet beside the rest.
const ARGUMENTS_MAX: usize = 0x1_0000;

/// Most memory that a regular expression may take, in bytes.
const REGEX_MAX: usize = 1 << 20;

/// The processes that a client wants to see and has not seen yet. Each is looked at when it is asked for.
#[derive(Debug, Default)]
pub(crate) struct ProcessList {
    pids: std::vec::IntoIter<Pid>,
    wanted: Wanted,
    /// Without it there are no processes to see.
    proc: Option<ProcDirectory>,
    /// Room for one file.
    buffer: Vec<u8>,
}

/// A [`ProcessMatch`] that is kept.
#[derive(Debug, Default)]
struct Wanted {
    name: Option<Name>,
    parent: Option<u32>,
    user: Option<u32>,
    group: Option<u32>,
    effective_user: Option<u32>,
    effective_group: Option<u32>,
    triple: Vec<u8>,
}

#[derive(Debug)]
enum Name {
    Literal(NameMatch, Vec<u8>),
    Regex(Regex),
}

impl ProcessList {
    /// The processes that there are now and that fit.
    ///
    /// # Errors
    /// `EINVAL` where the name is no regular expression, and should be.
    pub(crate) fn new(wanted: &ProcessMatch<'_>) -> Result<Self, Errno> {
        // Root looks at everybody's, as it may do to them what it likes.
        let own = (!wanted.all_users && !getuid().is_root()).then(|| getuid().as_raw());
        let user = match (own, wanted.user) {
            (Some(own), Some(user)) if own != user => return Ok(Self::default()),
            (own, user) => user.or(own),
        };
        let name = wanted.name.map(|(how, name)| Name::new(how, name)).transpose()?;
        let ourselves = getpid().as_raw();
        let pids: Vec<Pid> = match wanted.pid {
            Some(pid) => [pid].into(),
            None => processes().filter(|pid| pid.raw() != ourselves).collect(),
        };
        let &ProcessMatch { parent, group, effective_user, effective_group, triple, .. } = wanted;
        let triple = triple.to_vec();
        let wanted = Wanted { name, parent, user, group, effective_user, effective_group, triple };
        Ok(Self { pids: pids.into_iter(), wanted, proc: ProcDirectory::root().ok(), buffer: vec![0; ARGUMENTS_MAX] })
    }
}

impl Iterator for ProcessList {
    type Item = ProcessInfo;

    fn next(&mut self) -> Option<ProcessInfo> {
        let Self { pids, wanted, proc, buffer } = self;
        let proc = proc.as_ref()?;
        pids.filter_map(|pid| describe(proc, pid, buffer)).find(|process| wanted.admits(process))
    }
}

impl Wanted {
    fn admits(&self, process: &ProcessInfo) -> bool {
        let numbers = [
            (self.parent, process.parent),
            (self.user, process.user),
            (self.group, process.group),
            (self.effective_user, process.effective_user),
            (self.effective_group, process.effective_group),
        ];
        numbers.iter().all(|(wanted, found)| wanted.is_none_or(|wanted| wanted == *found))
            && (self.triple.is_empty() || process.triple.is_some_and(|triple| fits(triple, &self.triple)))
            && self.name.as_ref().is_none_or(|name| name.admits(file_name(&process.executable)))
    }
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

impl Name {
    fn new(how: NameMatch, name: &[u8]) -> Result<Self, Errno> {
        if how != NameMatch::Regex {
            return Ok(Self::Literal(how, name.to_vec()));
        }
        let pattern = std::str::from_utf8(name).map_err(|_| Errno::EINVAL)?;
        RegexBuilder::new(pattern).size_limit(REGEX_MAX).build().map(Self::Regex).map_err(|_| Errno::EINVAL)
    }

    fn admits(&self, found: &[u8]) -> bool {
        match self {
            Self::Literal(NameMatch::Contains, name) => memchr::memmem::find(found, name).is_some(),
            Self::Literal(NameMatch::EndsWith, name) => found.ends_with(name),
            Self::Literal(NameMatch::StartsWith, name) => found.starts_with(name),
            Self::Literal(NameMatch::Equals | NameMatch::Regex, name) => found == name,
            Self::Regex(pattern) => pattern.is_match(&String::from_utf8_lossy(found)),
        }
    }
}

/// Describes a process; `None`: there is none, or it only waits for its parent to notice that it has ended.
pub(crate) fn process_info(pid: Pid) -> Option<ProcessInfo> {
    describe(&ProcDirectory::root().ok()?, pid, &mut vec![0; ARGUMENTS_MAX])
}

/// As [`process_info`], with room for [`ARGUMENTS_MAX`] bytes. In a list, LLDB asks for each process by itself and waits.
fn describe(proc: &ProcDirectory, pid: Pid, buffer: &mut [u8]) -> Option<ProcessInfo> {
    let text = proc.read(&format!("{pid}/status"), buffer).ok()?;
    let status = Status::parse(&String::from_utf8_lossy(text));
    if status.group_leader != pid.raw() || status.is_dead() {
        return None;
    }
    let head = proc.read(&format!("{pid}/exe"), &mut buffer[..HEAD_LEN]).unwrap_or_default();
    let triple = machine(head).and_then(triple);
    let arguments = proc.read(&format!("{pid}/cmdline"), buffer).unwrap_or_default();
    let arguments = arguments.strip_suffix(b"\0").unwrap_or(arguments);
    Some(ProcessInfo {
        pid,
        parent: status.parent as u32,
        user: status.users[0],
        group: status.groups[0],
        effective_user: status.users[1],
        effective_group: status.groups[1],
        triple,
        // The kernel keeps a program's path from those who may not trace it, but not its name.
        executable: exec_file(pid).unwrap_or_else(|_| status.name.into_bytes()),
        arguments: if arguments.is_empty() {
            Vec::new()
        } else {
            arguments.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
        },
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;
    use crate::engine::linux::test_program::Running;

    fn found(wanted: &ProcessMatch<'_>, pid: Pid) -> bool {
        ProcessList::new(wanted).expect("a list").any(|process| process.pid == pid)
    }

    #[test]
    fn a_process_is_described_by_what_it_runs_and_whose_it_is() {
        let script = "read line; echo $line; read line";
        let child = Running::start(Command::new("sh").args(["-c", script, "", "b c"])).expect("sh runs");
        let info = process_info(child.pid()).expect("it is there");
        assert_eq!((info.pid, info.parent), (child.pid(), std::process::id()));
        assert_eq!(info.arguments, ["sh", "-c", script, "", "b c"].map(|text| text.as_bytes().to_vec()));
        assert_eq!((info.user, info.effective_user), (getuid().as_raw(), nix::unistd::geteuid().as_raw()));
        assert!(info.triple.is_some_and(|triple| triple.starts_with(std::env::consts::ARCH)), "{info:?}");
        assert!(info.executable.starts_with(b"/"), "{info:?}");
    }

    #[test]
    fn processes_are_found_by_what_they_are_called_and_by_their_numbers() {
        let child = Running::start(Command::new("cat").arg0("tomcat")).expect("cat runs");
        let (pid, parent) = (child.pid(), std::process::id());
        // Where cat is another program's link, that is what runs.
        let name = file_name(&process_info(pid).expect("it is there").executable).to_vec();
        let (start, end) = (&name[..2], &name[name.len() - 2..]);
        let pattern = [b"^", &name[..1], b".+$"].concat();
        for (how, text, expected) in [
            (NameMatch::Equals, &name[..], true),
            (NameMatch::Equals, b"tomcat", false),
            (NameMatch::StartsWith, start, true),
            (NameMatch::EndsWith, end, true),
            (NameMatch::Contains, &name[1..2], true),
            (NameMatch::Contains, b"/", false),
            (NameMatch::Regex, &pattern, true),
            (NameMatch::Regex, b"^$", false),
        ] {
            let wanted = ProcessMatch { name: Some((how, text)), parent: Some(parent), ..Default::default() };
            assert_eq!(found(&wanted, pid), expected, "{how:?} {}", text.escape_ascii());
        }
        let by_pid = ProcessMatch { pid: Some(pid), triple: b"x86_64", ..Default::default() };
        assert!(found(&by_pid, pid) && !found(&ProcessMatch { triple: b"armv7", ..by_pid }, pid));
        assert!(!found(&ProcessMatch { user: Some(u32::MAX), ..by_pid }, pid));
        assert!(!found(&ProcessMatch { effective_group: Some(u32::MAX), ..by_pid }, pid));
        let nonsense = ProcessMatch { name: Some((NameMatch::Regex, b"(")), ..Default::default() };
        assert_eq!(ProcessList::new(&nonsense).map(drop), Err(Errno::EINVAL));
    }

    #[test]
    fn a_list_has_everybody_but_ourselves() {
        let child = Running::cat();
        let everybody = ProcessMatch { all_users: true, ..Default::default() };
        assert!(found(&everybody, child.pid()));
        assert!(!found(&everybody, Pid::new(getpid().as_raw()).expect("a pid")));
    }

    #[test]
    fn threads_and_processes_that_have_ended_are_none() {
        let mut child = Running::cat();
        child.kill();
        assert_eq!(process_info(child.pid()), None);
        assert_eq!(process_info(Pid::new(i32::MAX).expect("a pid")), None);
        let tid = std::thread::spawn(|| {
            let tid = nix::unistd::gettid().as_raw();
            process_info(Pid::new(tid).expect("a pid")).map(|info| info.pid)
        });
        assert_eq!(tid.join().expect("no panic"), None);
    }
}
