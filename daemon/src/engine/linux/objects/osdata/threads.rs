//! Threads of all processes.

use super::table::Table;
use crate::engine::linux::process_info::{self, ProcDirectory, STAT_LEN_MAX, Stat};

/// `threads`: one row each, below the name of their process.
pub(super) fn table() -> Vec<u8> {
    let mut table = Table::new("threads");
    let Ok(proc) = ProcDirectory::root() else {
        return table.finish();
    };
    let (mut process_text, mut thread_text) = ([0; STAT_LEN_MAX], [0; STAT_LEN_MAX]);
    for pid in process_info::processes() {
        let text = proc.read(&format!("{pid}/stat"), &mut process_text).ok();
        let Some(process) = text.and_then(Stat::parse) else { continue };
        let mut push = |tid: i32, core: u32| {
            table.row(|row| {
                row.number("pid", pid.raw());
                row.text("command", process.name);
                row.number("tid", tid);
                row.number("core", core);
            });
        };
        if process.threads <= 1 {
            push(pid.raw(), process.core);
            continue;
        }
        for tid in process_info::threads(pid) {
            let text = proc.read(&format!("{pid}/task/{tid}/stat"), &mut thread_text).ok();
            if let Some(thread) = text.and_then(Stat::parse) {
                push(tid.raw(), thread.core);
            }
        }
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_of_ours_is_listed() {
        let (tid, table) = std::thread::spawn(|| (nix::unistd::gettid(), table())).join().expect("no panic");
        let table = String::from_utf8(table).expect("UTF-8");
        let (pid, tid) = (format!("\"pid\">{}<", nix::unistd::getpid()), format!("\"tid\">{tid}<"));
        assert!(table.lines().any(|row| row.contains(&pid) && row.contains(&tid)), "{tid}");
    }
}
