//! Processes as people know them: what they run, whose they are, since when.

use std::fs;
use std::io;
use std::path::Path;

use dbgsrv_protocol::control::{ExecutableMatch, ProcessDescription};
use dbgsrv_protocol::ids::Pid;
use memchr::memmem;
use nix::errno::Errno;
use nix::unistd::{SysconfVar, sysconf};

use crate::engine::linux::names::Names;
use crate::engine::linux::objects::exec_file;
use crate::engine::linux::process_info::{ProcDirectory, STAT_LEN_MAX, Stat, number};
use crate::engine::linux::refusal::{HEAD_LEN, architecture};

/// Longest command line told, in bytes; what is over it is cut.
const COMMAND_LINE_MAX: usize = 4096;
/// Stands where a command line was cut.
const CUT: &str = "…";
/// Room for the control groups of a process, of which version 1 has a dozen. A path has `PATH_MAX` bytes at most.
const CGROUP_LEN_MAX: usize = 8192;
/// As much of a `status` file as holds `TracerPid`, one of its first lines.
const STATUS_HEAD_LEN: usize = 512;
/// Bytes that the kernel keeps of a name (`TASK_COMM_LEN` without the NUL).
const NAME_LEN: usize = 15;

/// Looks at processes one after the other, and remembers meanwhile what they have in common.
#[derive(Debug)]
pub(crate) struct Processes {
    proc: ProcDirectory,
    names: Names,
    /// When the machine was started, in seconds since the epoch.
    boot: u64,
    ticks_per_second: u64,
    buffer: Vec<u8>,
}

impl Processes {
    /// # Errors
    /// `/proc` is not there, or is no `/proc`.
    pub(crate) fn new() -> io::Result<Self> {
        let ticks = sysconf(SysconfVar::CLK_TCK)?.ok_or(Errno::EINVAL)?;
        Ok(Self {
            proc: ProcDirectory::root()?,
            names: Names::default(),
            boot: boot_time().ok_or(Errno::EINVAL)?,
            ticks_per_second: ticks as u64,
            buffer: vec![0; CGROUP_LEN_MAX],
        })
    }

    /// Describes a process; `None`: it is gone. `debugged_by` is left open.
    pub(crate) fn describe(&mut self, pid: Pid) -> Option<ProcessDescription> {
        let mut text = [0; STAT_LEN_MAX];
        let stat = self.stat(pid, &mut text)?;
        let user = self.proc.user(pid).ok()?.as_raw();
        let has_program = has_program(&stat);
        Some(ProcessDescription {
            pid: pid.raw() as u32,
            parent: stat.parent as u32,
            name: lossy(stat.name),
            executable: if has_program {
                exec_file(pid).map(|path| lossy(&path)).unwrap_or_default()
            } else {
                String::new()
            },
            command_line: if has_program { self.command_line(pid) } else { Vec::new() },
            user: lossy(self.names.user(user)),
            session: stat.session as u32,
            service: self.service(pid),
            architecture: if has_program {
                self.architecture(pid).unwrap_or_default().to_owned()
            } else {
                String::new()
            },
            started: self.boot + stat.start_time / self.ticks_per_second,
            // Another letter than that of a thread that its tracer has stopped.
            stopped: stat.state == b'T',
            debugged_by: None,
        })
    }

    /// Whether a process runs `executable`. Where it is not ours to know, as with other users' processes, what the process
    /// says itself counts: its first argument, or the name that the kernel has for it.
    pub(crate) fn runs(&mut self, pid: Pid, executable: &str, by: ExecutableMatch) -> bool {
        if let Ok(path) = exec_file(pid) {
            return matches(&path, executable, by);
        }
        let mut text = [0; STAT_LEN_MAX];
        let Some(stat) = self.stat(pid, &mut text).filter(has_program) else { return false };
        let name = executable.as_bytes();
        (by == ExecutableMatch::FileName && stat.name == &name[..name.len().min(NAME_LEN)])
            || matches(first_argument(self.arguments(pid)), executable, by)
    }

    /// The thread that traces a process, as far as it can be seen from here.
    pub(crate) fn tracer(&mut self, pid: Pid) -> Option<u32> {
        let text = self.proc.read(&format!("{pid}/status"), &mut self.buffer[..STATUS_HEAD_LEN]).ok()?;
        let at = memmem::find(text, b"\nTracerPid:\t")?;
        let value = text[at..].split(|&byte| byte == b'\t').nth(1)?.split(|&byte| byte == b'\n').next()?;
        number(value).filter(|&tracer| tracer != 0)
    }

    fn stat<'b>(&self, pid: Pid, text: &'b mut [u8]) -> Option<Stat<'b>> {
        Stat::parse(self.proc.read(&format!("{pid}/stat"), text).ok()?)
    }

    /// The arguments, each with a NUL behind it, up to one byte over the longest that is told.
    fn arguments(&mut self, pid: Pid) -> &[u8] {
        self.proc.read(&format!("{pid}/cmdline"), &mut self.buffer[..=COMMAND_LINE_MAX]).unwrap_or_default()
    }

    fn command_line(&mut self, pid: Pid) -> Vec<String> {
        let text = self.arguments(pid);
        let cut = text.len() > COMMAND_LINE_MAX;
        let text = &text[..text.len().min(COMMAND_LINE_MAX)];
        if text.is_empty() {
            return Vec::new();
        }
        // A program that has written over its arguments may leave none of the NULs, or many at the end.
        let mut arguments: Vec<_> =
            text.strip_suffix(b"\0").unwrap_or(text).split(|&byte| byte == 0).map(lossy).collect();
        if cut && let Some(last) = arguments.last_mut() {
            last.push_str(CUT);
        }
        arguments
    }

    fn service(&mut self, pid: Pid) -> Option<String> {
        service(self.proc.read(&format!("{pid}/cgroup"), &mut self.buffer).ok()?)
    }

    fn architecture(&self, pid: Pid) -> Option<&'static str> {
        let mut head = [0; HEAD_LEN];
        architecture(self.proc.read(&format!("{pid}/exe"), &mut head).ok()?)
    }
}

/// Whether there is a program in a process: not in the kernel's own, and not in one that has ended.
fn has_program(stat: &Stat<'_>) -> bool {
    !stat.is_kernel_thread() && !stat.is_dead()
}

fn matches(path: &[u8], executable: &str, by: ExecutableMatch) -> bool {
    let known = match by {
        ExecutableMatch::FileName => path.rsplit(|&byte| byte == b'/').next().unwrap_or_default(),
        ExecutableMatch::FullPath => path,
    };
    known == executable.as_bytes()
}

fn first_argument(arguments: &[u8]) -> &[u8] {
    arguments.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The innermost systemd unit that is a service, of a process in these control groups (cgroups(7)): that of a user's
/// own manager rather than the manager's.
fn service(groups: &[u8]) -> Option<String> {
    let path = groups.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.splitn(3, |&byte| byte == b':').skip(1);
        // Version 2 has one hierarchy without a name; in version 1 systemd has one to itself.
        fields.next().filter(|name| name.is_empty() || *name == b"name=systemd").and_then(|_| fields.next())
    })?;
    let unit = path.rsplit(|&byte| byte == b'/').find(|part| part.ends_with(b".service"))?;
    Some(lossy(unit))
}

fn boot_time() -> Option<u64> {
    let text = fs::read_to_string(Path::new("/proc/stat")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::linux::test_program::Running;
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::time::SystemTime;

    fn describe(pid: Pid) -> Option<ProcessDescription> {
        Processes::new().expect("/proc").describe(pid)
    }

    #[test]
    fn a_child_is_described() {
        let script = "read line; echo $line; read line";
        let child = Running::start(Command::new("sh").args(["-c", script, "a b", "", "\u{e4}"])).expect("sh runs");
        let described = describe(child.pid()).expect("it is there");
        assert_eq!((described.pid, described.parent), (child.pid().raw() as u32, std::process::id()));
        assert_eq!(described.command_line, ["sh", "-c", script, "a b", "", "\u{e4}"]);
        assert_eq!(described.architecture, std::env::consts::ARCH);
        assert!(described.executable.starts_with('/'), "{}", described.executable);
        assert_eq!(described.user, nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name);
        assert_eq!(described.session, nix::unistd::getsid(None).unwrap().as_raw() as u32);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert!(described.started.abs_diff(now) < 60, "{} is not about {now}", described.started);
    }

    #[test]
    fn a_dead_child_has_a_name_and_no_program_and_one_long_gone_is_none() {
        let mut child = Running::cat();
        child.kill();
        let pid = child.pid();
        let described = describe(pid).expect("nobody has waited for it");
        assert_eq!(
            (described.name.as_str(), described.executable.as_str(), described.command_line.len()),
            ("cat", "", 0)
        );
        drop(child);
        assert_eq!(describe(pid), None);
    }

    #[test]
    fn a_long_command_line_is_cut_and_marked() {
        let long = "x".repeat(COMMAND_LINE_MAX);
        let child = Running::start(Command::new("sh").args(["-c", "read line; echo $line; read line", &long])).unwrap();
        let line = describe(child.pid()).expect("it is there").command_line;
        assert!(line.last().unwrap().ends_with("xx…"));
        assert_eq!(line.iter().map(|argument| argument.len() + 1).sum::<usize>(), COMMAND_LINE_MAX + CUT.len() + 1);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let odd = OsStr::from_bytes(b"a\xffb");
        let mut command = Command::new("sh");
        let child = Running::start(command.args(["-c", "read line; echo $line; read line"]).arg(odd)).unwrap();
        assert_eq!(describe(child.pid()).expect("it is there").command_line.last().unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn an_executable_is_found_by_its_name_and_by_its_path() {
        let child = Running::start(Command::new("cat").arg0("tomcat")).expect("cat runs");
        let path = lossy(&exec_file(child.pid()).expect("a path"));
        let name = path.rsplit('/').next().unwrap();
        let mut processes = Processes::new().expect("/proc");
        let mut runs = |executable: &str, by| processes.runs(child.pid(), executable, by);
        assert!(runs(name, ExecutableMatch::FileName) && runs(&path, ExecutableMatch::FullPath));
        assert!(!runs(&path, ExecutableMatch::FileName) && !runs(name, ExecutableMatch::FullPath));
        assert!(!runs("tomcat", ExecutableMatch::FileName) && !runs("", ExecutableMatch::FileName));
    }

    #[test]
    fn a_tracer_shows() {
        let child = Running::cat();
        let mut processes = Processes::new().expect("/proc");
        assert_eq!(processes.tracer(child.pid()), None);
        let pid = nix::unistd::Pid::from_raw(child.pid().raw());
        nix::sys::ptrace::seize(pid, nix::sys::ptrace::Options::empty()).expect("a child can be traced");
        assert_eq!(processes.tracer(child.pid()), Some(nix::unistd::gettid().as_raw() as u32));
    }

    #[test]
    fn the_innermost_service_is_told_of_either_version_of_control_groups() {
        let cases = [
            ("0::/system.slice/ssh.service\n", Some("ssh.service")),
            ("0::/user.slice/user-1.slice/user@1.service/app.slice/pipe.service\n", Some("pipe.service")),
            ("0::/system.slice/containerd.service/pod-1/main\n", Some("containerd.service")),
            ("2:cpu:/x.service\n1:name=systemd:/system.slice/a:b.service\n", Some("a:b.service")),
            ("0::/user.slice/user-1.slice/session-3.scope\n", None),
            ("0::/\n", None),
            ("", None),
        ];
        for (groups, expected) in cases {
            assert_eq!(service(groups.as_bytes()).as_deref(), expected, "{groups}");
        }
    }
}
