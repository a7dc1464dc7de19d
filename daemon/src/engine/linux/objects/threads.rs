//! `qXfer:threads`: ids, names and cores of all threads in one document.

use std::io::Write;

use dbgsrv_protocol::ids::{Pid, ThreadId};

use super::super::process_info::{ProcDirectory, STAT_LEN_MAX, Stat};
use super::xml;

/// The document that lists `threads` (GDB manual, "Thread List Format"), each with its handle where there is one: a 64-bit
/// program's `pthread_t`. `multiprocess` chooses `pPID.TID` for the ids.
///
/// Name and core are read here and left out for a thread that went away meanwhile. Threads of one process should
/// stand together: its directory is opened once for each run of them.
pub(crate) fn threads_xml(threads: impl IntoIterator<Item = (ThreadId, Option<u64>)>, multiprocess: bool) -> Vec<u8> {
    let mut document = b"<threads>\n".to_vec();
    let mut opened: Option<(Pid, ProcDirectory)> = None;
    let mut buffer = [0; STAT_LEN_MAX];
    for (id, handle) in threads {
        if opened.as_ref().is_none_or(|(pid, _)| *pid != id.pid) {
            opened = ProcDirectory::tasks(id.pid).ok().map(|directory| (id.pid, directory));
        }
        // One file tells both, where `comm` would need another.
        let text = opened.as_ref().and_then(|(_, tasks)| tasks.read(&format!("{}/stat", id.tid), &mut buffer).ok());
        push_thread(&mut document, id, handle, multiprocess, text.and_then(Stat::parse));
    }
    document.extend_from_slice(b"</threads>\n");
    document
}

fn push_thread(document: &mut Vec<u8>, id: ThreadId, handle: Option<u64>, multiprocess: bool, stat: Option<Stat<'_>>) {
    document.extend_from_slice(b"<thread id=\"");
    // Writing to a `Vec` does not fail.
    let _ = if multiprocess {
        write!(document, "p{:x}.{:x}", id.pid.raw(), id.tid.raw())
    } else {
        write!(document, "{:x}", id.tid.raw())
    };
    document.push(b'"');
    if let Some(handle) = handle {
        // The bytes as they are in memory.
        let _ = write!(document, " handle=\"{:016x}\"", handle.swap_bytes());
    }
    if let Some(stat) = stat {
        let _ = write!(document, " core=\"{}\" name=\"", stat.core);
        xml::push_attribute(document, stat.name);
        document.push(b'"');
    }
    document.extend_from_slice(b"/>\n");
}

#[cfg(test)]
mod tests {
    use dbgsrv_protocol::ids::Tid;

    use super::super::xml::tests::assert_well_formed;
    use super::*;

    #[test]
    fn our_own_thread_has_its_name_and_a_core() {
        let id = ThreadId {
            pid: Pid::new(nix::unistd::getpid().as_raw()).expect("a pid"),
            tid: Tid::new(nix::unistd::gettid().as_raw()).expect("a tid"),
        };
        let document = std::thread::Builder::new()
            .spawn(move || threads_xml([(id, Some(0x7fff_f7dd_1740))], true))
            .expect("a thread");
        let document = document.join().expect("no panic");
        assert_well_formed(&document);
        let text = String::from_utf8(document).expect("UTF-8");
        assert!(text.contains(&format!("id=\"p{:x}.{:x}\"", id.pid.raw(), id.tid.raw())), "{text}");
        assert!(text.contains(" handle=\"4017ddf7ff7f0000\""), "{text}");
        assert!(text.contains("core=\"") && text.contains("name=\""), "{text}");
    }

    #[test]
    fn a_thread_that_is_gone_is_listed_bare() {
        let gone = ThreadId { pid: Pid::new(i32::MAX).expect("a pid"), tid: Tid::new(i32::MAX).expect("a tid") };
        assert_eq!(threads_xml([(gone, None)], false), b"<threads>\n<thread id=\"7fffffff\"/>\n</threads>\n");
        assert_eq!(threads_xml([], true), b"<threads>\n</threads>\n");
    }

    #[test]
    fn a_hostile_name_cannot_leave_its_attribute() {
        for name in [&b"\"/><thread id=\"p1.1"[..], b"\xff\xfe\x00\x01\n\t", b"&lt;<!--", b"]]>"] {
            let text =
                [b"7 (", name, b") S 1 7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0"]
                    .concat();
            let id = ThreadId { pid: Pid::new(7).expect("a pid"), tid: Tid::new(7).expect("a tid") };
            let mut document = Vec::new();
            push_thread(&mut document, id, None, true, Some(Stat::parse(&text).expect("a stat line")));
            assert_well_formed(&document);
            assert_eq!(document.split(|&byte| byte == b'<').count(), 2);
        }
    }
}
