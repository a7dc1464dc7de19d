//! Processes and process groups.

use std::collections::BTreeSet;
use std::io::Write;

use dbgsrv_protocol::ids::Pid;

use super::table::Table;
use crate::engine::linux::names::{Names, command};
use crate::engine::linux::process_info::{self, ProcDirectory, STAT_LEN_MAX, Stat};

/// Longest command line shown, in bytes; what is over it is cut.
const COMMAND_LINE_MAX: usize = 16 * 1024;

/// `processes`: seven system calls for each process with one thread, which is what makes 5,000 of them fast.
pub(super) fn table() -> Vec<u8> {
    let mut table = Table::new("processes");
    let Ok(proc) = ProcDirectory::root() else {
        return table.finish();
    };
    let mut names = Names::default();
    let mut buffer = vec![0; COMMAND_LINE_MAX];
    let mut stat_text = [0; STAT_LEN_MAX];
    for pid in process_info::processes() {
        // What vanishes between these lines is left out.
        let Ok(user) = proc.user(pid) else { continue };
        let text = proc.read(&format!("{pid}/stat"), &mut stat_text).ok();
        let Some(stat) = text.and_then(Stat::parse) else { continue };
        let command = command_line(&proc, pid, &stat, &mut buffer);
        let cores = cores(&proc, pid, &stat);
        table.row(|row| {
            row.number("pid", pid.raw());
            row.text("user", names.user(user.as_raw()));
            row.text("command", command);
            row.text("cores", &cores);
        });
    }
    table.finish()
}

/// `procgroups`: the processes that belong to a group, by group and then by id.
pub(super) fn groups() -> Vec<u8> {
    let mut table = Table::new("process groups");
    let Ok(proc) = ProcDirectory::root() else {
        return table.finish();
    };
    let mut buffer = vec![0; COMMAND_LINE_MAX];
    let mut stat_text = [0; STAT_LEN_MAX];
    let mut members = Vec::new();
    for pid in process_info::processes() {
        let text = proc.read(&format!("{pid}/stat"), &mut stat_text).ok();
        let Some(stat) = text.and_then(Stat::parse) else { continue };
        // The kernel's own threads have no group.
        if stat.group != 0 {
            let command = command_line(&proc, pid, &stat, &mut buffer).to_vec();
            members.push((stat.group, pid, command));
        }
    }
    members.sort_unstable();
    let mut leader = (0, Vec::new());
    for (group, pid, command_line) in members {
        if leader.0 != group {
            leader = (group, command(&proc, group));
        }
        table.row(|row| {
            row.number("pgid", group);
            row.text("leader command", &leader.1);
            row.number("pid", pid.raw());
            row.text("command line", &command_line);
        });
    }
    table.finish()
}

/// The arguments with blanks between them, or the name in brackets for a process that has none.
fn command_line<'b>(proc: &ProcDirectory, pid: Pid, stat: &Stat<'_>, buffer: &'b mut [u8]) -> &'b [u8] {
    let mut length = 0;
    if !stat.is_kernel_thread() {
        let arguments = proc.read(&format!("{pid}/cmdline"), buffer).unwrap_or_default();
        length = arguments.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    }
    if length == 0 {
        length = stat.name.len() + 2;
        let bracketed = [b"[", stat.name, b"]"].concat();
        buffer[..length].copy_from_slice(&bracketed);
    }
    let line = &mut buffer[..length];
    for byte in &mut *line {
        if *byte == 0 {
            *byte = b' ';
        }
    }
    line
}

/// The processors that the threads ran on last, each once, in ascending order.
fn cores(proc: &ProcDirectory, pid: Pid, stat: &Stat<'_>) -> Vec<u8> {
    let mut cores = BTreeSet::from([stat.core]);
    if stat.threads > 1 {
        let mut buffer = [0; STAT_LEN_MAX];
        for tid in process_info::threads(pid) {
            let text = proc.read(&format!("{pid}/task/{tid}/stat"), &mut buffer).ok();
            cores.extend(text.and_then(Stat::parse).map(|thread| thread.core));
        }
    }
    let mut text = Vec::new();
    for core in cores {
        // Writing to a `Vec` does not fail.
        let _ = if text.is_empty() { write!(text, "{core}") } else { write!(text, ",{core}") };
    }
    text
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::engine::linux::test_program::Running;

    fn row_of(table: Vec<u8>, pid: Pid) -> String {
        let table = String::from_utf8(table).expect("UTF-8");
        let key = format!("<column name=\"pid\">{pid}</column>");
        table.lines().find(|line| line.contains(&key)).unwrap_or_default().to_owned()
    }

    #[test]
    fn a_child_is_listed_with_its_arguments_on_one_line() {
        let script = "read line; echo $line; read line # <b>&\t\u{1}";
        let mut child = Running::start(Command::new("sh").args(["-c", script, "a b", ""])).expect("sh runs");
        let pid = child.pid();
        let shown = "sh -c read line; echo $line; read line # &lt;b&gt;&amp; ? a b</column>";
        let (row, group) = (row_of(table(), pid), row_of(groups(), pid));
        assert!(row.contains(&format!("<column name=\"command\">{shown}<column name=\"cores\">")), "{row}");
        assert!(group.contains(&format!("<column name=\"command line\">{shown}")), "{group}");
        child.kill();
        let dead = row_of(table(), pid);
        assert!(dead.contains("<column name=\"command\">[sh]</column>"), "{dead}");
        drop(child);
        assert_eq!(row_of(table(), pid), "");
    }

    #[test]
    fn cores_of_many_threads_are_listed_once() {
        let proc = ProcDirectory::root().expect("/proc");
        let pid = Pid::new(nix::unistd::getpid().as_raw()).expect("a pid");
        let mut stat = sample();
        (stat.core, stat.threads) = (9999, 2);
        let text = String::from_utf8(cores(&proc, pid, &stat)).expect("ASCII");
        let cores: Vec<u32> = text.split(',').map(|core| core.parse().expect("a number")).collect();
        assert!(cores.len() >= 2 && cores.is_sorted() && cores.ends_with(&[9999]), "{text}");
    }

    #[test]
    fn a_process_without_arguments_shows_its_name_in_brackets() {
        let proc = ProcDirectory::root().expect("/proc");
        let gone = Pid::new(i32::MAX).expect("a pid");
        let mut buffer = vec![b'#'; 64];
        let mut stat = sample();
        stat.name = b"kworker/0:1";
        assert_eq!(command_line(&proc, gone, &stat, &mut buffer), b"[kworker/0:1]");
    }

    fn sample() -> Stat<'static> {
        let text = b"1 (x) S 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0";
        Stat::parse(text).expect("a stat line")
    }
}
