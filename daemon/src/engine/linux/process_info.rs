//! What `/proc` tells of processes and threads (proc(5)).

use std::fs;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::Uid;

/// Room for a whole `stat` file: 52 numbers and a name.
pub(crate) const STAT_LEN_MAX: usize = 2048;

/// Room for most other files of one process.
const FILE_LEN: usize = 4096;

/// `PF_KTHREAD` of the kernel's task flags: the task has no program of its own.
const KERNEL_THREAD_FLAG: u32 = 0x0020_0000;

/// An open directory under `/proc`, which saves the kernel the walk to it for each of the files below.
#[derive(Debug)]
pub(crate) struct ProcDirectory(OwnedFd);

impl ProcDirectory {
    /// `/proc` itself.
    pub(crate) fn root() -> nix::Result<Self> {
        Self::open(Path::new("/proc"))
    }

    /// `/proc/PID/task`.
    pub(crate) fn tasks(pid: Pid) -> nix::Result<Self> {
        Self::open(Path::new(&format!("/proc/{pid}/task")))
    }

    fn open(path: &Path) -> nix::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        nix::fcntl::open(path, flags, Mode::empty()).map(Self)
    }

    /// The file `path` below here, as much of it as one read into `buffer` yields. Three system calls.
    pub(crate) fn read<'b>(&self, path: &str, buffer: &'b mut [u8]) -> nix::Result<&'b [u8]> {
        let file = openat(&self.0, path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        let count = nix::unistd::read(&file, buffer)?;
        Ok(&buffer[..count])
    }

    /// Where the symbolic link `path` below here points.
    pub(crate) fn link(&self, path: &str) -> nix::Result<std::ffi::OsString> {
        readlinkat(&self.0, path)
    }

    /// The effective user of process `pid`: the owner of its directory, even where its files are root's because it
    /// is not dumpable.
    pub(crate) fn user(&self, pid: Pid) -> nix::Result<Uid> {
        fstatat(&self.0, pid.to_string().as_str(), AtFlags::empty()).map(|stat| Uid::from_raw(stat.st_uid))
    }
}

/// What a task's `stat` file says, borrowed from its text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stat<'a> {
    /// The name that the task gave itself: any bytes but NUL, usually at most 15 of them.
    pub(crate) name: &'a [u8],
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`.
    pub(crate) state: u8,
    /// The parent; 0 for none.
    pub(crate) parent: i32,
    /// The process group; 0 for none.
    pub(crate) group: i32,
    /// The session (`setsid(2)`); 0 for none.
    pub(crate) session: i32,
    /// The processor it ran on last.
    pub(crate) core: u32,
    /// When it started, in clock ticks since boot: with its id, what tells it from any other.
    pub(crate) start_time: u64,
    /// Threads in its process.
    pub(crate) threads: u32,
    flags: u32,
}

impl<'a> Stat<'a> {
    /// Reads the text of `/proc/PID/stat` or `/proc/PID/task/TID/stat`; `None` where it isn't one.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        // The name may hold parentheses and blanks itself; nothing after it does.
        let open = text.iter().position(|&byte| byte == b'(')?;
        let close = text.iter().rposition(|&byte| byte == b')')?;
        let name = text.get(open + 1..close)?;
        let mut fields = text.get(close + 2..)?.split(|&byte| byte == b' ');
        // Counted as proc_pid_stat(5) counts them, which starts at 1 with the pid.
        let state = *fields.next()?.first()?; // 3
        let parent = number(fields.next()?)?; // 4
        let group = number(fields.next()?)?; // 5
        let session = number(fields.next()?)?; // 6
        let flags = number(fields.nth(2)?)?; // 9
        let threads = number(fields.nth(10)?)?; // 20
        let start_time = number(fields.nth(1)?)?; // 22
        let core = number(fields.nth(16)?)?; // 39
        Some(Self { name, state, parent, group, session, core, start_time, threads, flags })
    }

    /// Whether the task is the kernel's own.
    pub(crate) fn is_kernel_thread(&self) -> bool {
        self.flags & KERNEL_THREAD_FLAG != 0
    }

    /// Whether the task has ended and only waits for its parent to notice.
    pub(crate) fn is_dead(&self) -> bool {
        is_dead(self.state)
    }
}

fn is_dead(state: u8) -> bool {
    matches!(state, b'Z' | b'X' | b'x')
}

/// What a process's `status` file says, mostly about who may trace it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Status {
    /// The name it gave itself, as the kernel escapes it.
    pub(crate) name: String,
    /// See [`Stat::state`].
    pub(crate) state: u8,
    /// The process that it is a thread of; its own id for a process.
    pub(crate) group_leader: i32,
    /// The parent; 0 for none.
    pub(crate) parent: i32,
    /// The process that traces it; 0 for none that can be seen from here.
    pub(crate) tracer: i32,
    /// Real, effective and saved user.
    pub(crate) users: [u32; 3],
    /// Real, effective and saved group.
    pub(crate) groups: [u32; 3],
    /// Capabilities it may use.
    pub(crate) permitted: u64,
    /// Capabilities in force.
    pub(crate) effective: u64,
    /// Capabilities it can ever gain.
    pub(crate) bounding: u64,
    /// 0: none; 1: strict; 2: a filter.
    pub(crate) seccomp: u8,
    /// How many signals are on their way to all processes of its real user.
    pub(crate) queued_signals: Option<u32>,
    /// Signals on their way to this thread alone, SIGHUP as the lowest bit.
    pub(crate) own_signals: u64,
    /// Signals on their way to any thread of the process.
    pub(crate) signals: u64,
    /// Signals that the thread blocks.
    pub(crate) blocked: u64,
}

impl Status {
    /// The status of the process or thread `id`.
    pub(crate) fn read(id: i32) -> io::Result<Self> {
        read(&format!("/proc/{id}/status")).map(|text| Self::parse(&String::from_utf8_lossy(&text)))
    }

    /// As [`Stat::is_dead`].
    pub(crate) fn is_dead(&self) -> bool {
        is_dead(self.state)
    }

    /// Reads the text of a `status` file; what it does not say stays zero.
    pub(crate) fn parse(text: &str) -> Self {
        let mut status = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(":\t")) {
            match key {
                "Name" => value.clone_into(&mut status.name),
                "State" => status.state = value.bytes().next().unwrap_or_default(),
                "Tgid" => status.group_leader = value.parse().unwrap_or_default(),
                "PPid" => status.parent = value.parse().unwrap_or_default(),
                "TracerPid" => status.tracer = value.parse().unwrap_or_default(),
                "Uid" => status.users = ids(value),
                "Gid" => status.groups = ids(value),
                "CapPrm" => status.permitted = bits(value),
                "CapEff" => status.effective = bits(value),
                "CapBnd" => status.bounding = bits(value),
                "SigPnd" => status.own_signals = bits(value),
                "ShdPnd" => status.signals = bits(value),
                "SigBlk" => status.blocked = bits(value),
                "SigQ" => status.queued_signals = value.split('/').next().and_then(|count| count.parse().ok()),
                "Seccomp" => status.seccomp = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
        status
    }
}

/// A set, as a number in hexadecimal.
fn bits(value: &str) -> u64 {
    u64::from_str_radix(value, 16).unwrap_or_default()
}

/// Real, effective and saved id; the fourth, of the file system, is left out.
fn ids(value: &str) -> [u32; 3] {
    let mut ids = [0; 3];
    for (id, field) in ids.iter_mut().zip(value.split('\t')) {
        *id = field.parse().unwrap_or_default();
    }
    ids
}

/// A file of `/proc` as a whole. `fs::read` asks for its size, which is always 0, and then begins with a few bytes; `take`
/// keeps the same from happening here.
pub(crate) fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(FILE_LEN);
    fs::File::open(path)?.take(u64::MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// How many threads a process has.
pub(crate) fn thread_count(pid: Pid) -> Option<usize> {
    Some(Stat::parse(&read(&format!("/proc/{pid}/stat")).ok()?)?.threads as usize)
}

/// When a process started, see [`Stat::start_time`].
pub(crate) fn start_time(pid: Pid) -> Option<u64> {
    Some(Stat::parse(&read(&format!("/proc/{pid}/stat")).ok()?)?.start_time)
}

/// Whether signals wait for anybody of the user whose process this is; also where that can't be told.
pub(crate) fn has_queued_signals(pid: Pid) -> bool {
    Status::read(pid.raw()).map_or(true, |status| status.queued_signals != Some(0))
}

/// Whether a signal waits for a thread that it does not block.
pub(crate) fn has_signal_to_take(tid: Tid) -> bool {
    Status::read(tid.raw()).is_ok_and(|status| (status.own_signals | status.signals) & !status.blocked != 0)
}

/// The state letter of a thread, see [`Stat::state`].
pub(crate) fn state(pid: Pid, tid: Tid) -> Option<u8> {
    Some(Stat::parse(&read(&format!("/proc/{pid}/task/{tid}/stat")).ok()?)?.state)
}

/// The number of the system call that a thread is in; `None` where it is in none, runs, or may not be looked into.
pub(crate) fn system_call(thread: ThreadId) -> Option<u64> {
    let call = fs::read_to_string(format!("/proc/{}/task/{}/syscall", thread.pid, thread.tid)).ok()?;
    call.split_ascii_whitespace().next()?.parse().ok()
}

/// Whether a process runs 32-bit code, told by its ELF header.
pub(crate) fn is_32_bit(pid: Pid) -> bool {
    let mut header = [0; 5];
    let read = fs::File::open(format!("/proc/{pid}/exe")).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header == *b"\x7fELF\x01"
}

/// All processes, in ascending order as the kernel lists them. Without `/proc` there are none to see.
pub(crate) fn processes() -> impl Iterator<Item = Pid> {
    numbered_entries("/proc").filter_map(Pid::new)
}

/// The threads of `pid`; none where it is gone.
pub(crate) fn threads(pid: Pid) -> impl Iterator<Item = Tid> {
    numbered_entries(&format!("/proc/{pid}/task")).filter_map(Tid::new)
}

/// The entries of a directory that are numbers.
pub(crate) fn numbered_entries(directory: &str) -> impl Iterator<Item = i32> + use<> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| number(entry.file_name().as_encoded_bytes()))
}

/// A decimal number that is the whole of `text`.
pub(crate) fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &[u8] =
        b"17 (a) b (c) S 3 17 16 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 12 0 99 100 101 102 1 2 3 4 5 6 7 8 9 \
        10 11 12 17 63 0 0 0 0 0 1 2 3 4 5 6 7 0\n";

    #[test]
    fn signals_of_the_user_are_counted_where_the_kernel_says_how_many() {
        for (text, count) in [("SigQ:\t3/95000\n", Some(3)), ("SigQ:\t0/0\n", Some(0)), ("SigPnd:\t0\n", None)] {
            assert_eq!(Status::parse(text).queued_signals, count, "{text}");
        }
    }

    #[test]
    fn a_stat_line_is_read_although_the_name_holds_parentheses() {
        let stat = Stat::parse(STAT).expect("a stat line");
        assert_eq!((stat.name, stat.state), (&b"a) b (c"[..], b'S'));
        assert_eq!((stat.parent, stat.group, stat.session, stat.threads, stat.core), (3, 17, 16, 12, 63));
        assert_eq!(stat.start_time, 99);
        assert!(!stat.is_kernel_thread() && !stat.is_dead());
    }

    #[test]
    fn no_prefix_of_a_stat_line_is_misread() {
        let end_of_core = STAT.len() - b" 0 0 0 0 0 1 2 3 4 5 6 7 0\n".len();
        for end in 0..end_of_core - 2 {
            assert_eq!(Stat::parse(&STAT[..end]), None, "{end}");
        }
        assert_eq!(Stat::parse(b") ("), None);
        assert_eq!(Stat::parse(&[0xff; 300]), None);
    }

    #[test]
    fn our_own_stat_names_our_parent() {
        let mut buffer = [0; STAT_LEN_MAX];
        let proc = ProcDirectory::root().expect("/proc");
        let text = proc.read("self/stat", &mut buffer).expect("our own stat");
        let stat = Stat::parse(text).expect("a stat line");
        assert_eq!(stat.parent, nix::unistd::getppid().as_raw());
        assert!(stat.threads >= 1);
    }

    #[test]
    fn a_status_is_read_and_what_is_missing_is_zero() {
        let status = Status::parse(
            "Name:\tmy\\nprog\nState:\tZ (zombie)\nTgid:\t12\nPPid:\t3\nTracerPid:\t9\nUid:\t1\t2\t3\t4\nCapBnd:\t000001ffffffffff\nSeccomp:\t2\n",
        );
        assert!(status.is_dead() && !Status::parse("State:\tS (sleeping)\n").is_dead());
        assert_eq!((status.name.as_str(), status.group_leader, status.parent, status.tracer), ("my\\nprog", 12, 3, 9));
        assert_eq!((status.users, status.groups), ([1, 2, 3], [0, 0, 0]));
        assert_eq!((status.bounding, status.effective, status.seccomp), (0x1ff_ffff_ffff, 0, 2));
    }

    #[test]
    fn our_own_process_and_thread_are_listed() {
        let pid = Pid::new(nix::unistd::getpid().as_raw()).expect("a pid");
        assert!(processes().any(|other| other == pid));
        assert!(threads(pid).any(|tid| tid.raw() == nix::unistd::gettid().as_raw()));
        assert_eq!(threads(Pid::new(i32::MAX).expect("a pid")).count(), 0);
    }
}
