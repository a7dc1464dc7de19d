//! The few facts of `/proc` that running debuggees takes (proc(5)). Tables for clients are in `objects`.

use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use std::fs;

/// The threads of a process, in no order; empty when it has ended.
pub(crate) fn threads(pid: Pid) -> impl Iterator<Item = Tid> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    entries.filter_map(|entry| Tid::new(entry.ok()?.file_name().to_str()?.parse().ok()?))
}

/// The fields of `/proc/PID/stat` after the name, which may itself hold spaces and parentheses; the state is the first.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace())
}

/// When a process started, in clock ticks since boot: with its id, what tells it from any other.
pub(crate) fn start_time(pid: Pid) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    fields(&stat)?.nth(19)?.parse().ok()
}

/// The state letter of a thread: `R`, `S`, `Z`, `t`, ….
pub(crate) fn state(pid: Pid, tid: Tid) -> Option<u8> {
    let stat = fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).ok()?;
    fields(&stat)?.next()?.bytes().next()
}

/// The number of the system call that a thread is in; `None` where it is in none, runs, or may not be looked into.
pub(crate) fn system_call(thread: ThreadId) -> Option<u64> {
    let call = fs::read_to_string(format!("/proc/{}/task/{}/syscall", thread.pid, thread.tid)).ok()?;
    call.split_ascii_whitespace().next()?.parse().ok()
}

/// How many threads a process has.
pub(crate) fn thread_count(pid: Pid) -> Option<usize> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    fields(&stat)?.nth(17)?.parse().ok()
}

/// Whether a process runs 32-bit code, told by its ELF header.
pub(crate) fn is_32_bit(pid: Pid) -> bool {
    use std::io::Read;
    let mut header = [0; 5];
    let read = fs::File::open(format!("/proc/{pid}/exe")).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header == *b"\x7fELF\x01"
}
