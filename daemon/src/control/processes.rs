//! The processes of the machine: their ids, what they are, and which of them are debugged.

use crate::engine::host::{self, Processes};
use dbgsrv_protocol::control::{ExecutableMatch, ProcessDescription};
use dbgsrv_protocol::ids::Pid;
use std::io;

/// All process ids, in ascending order.
///
/// # Errors
/// `/proc` can't be read.
pub(crate) fn ids() -> io::Result<Vec<u32>> {
    Processes::new()?;
    Ok(host::pids().map(unsigned).collect())
}

/// Describes processes; one describer for all of a request, since it looks up each user only once.
#[derive(Debug)]
pub(crate) struct Describer(Processes);

impl Describer {
    /// # Errors
    /// `/proc` can't be read.
    pub(crate) fn new() -> io::Result<Self> {
        Processes::new().map(Self)
    }

    /// Describes a process; `None`: it is gone. Which session holds it is left open.
    pub(crate) fn describe(&mut self, pid: u32) -> Option<ProcessDescription> {
        self.0.describe(Pid::new(i32::try_from(pid).ok()?)?)
    }
}

/// The processes that run `executable`, in ascending order. Processes of other users, whose executables the server may
/// not know, are found by what they call themselves.
///
/// # Errors
/// `/proc` can't be read.
pub(crate) fn by_executable(executable: &str, by: ExecutableMatch) -> io::Result<Vec<u32>> {
    let mut processes = Processes::new()?;
    Ok(host::pids().filter(|&pid| processes.runs(pid, executable, by)).map(unsigned).collect())
}

/// The processes that `workers` debug, each with its worker, in ascending order of the processes.
///
/// # Errors
/// `/proc` can't be read.
pub(crate) fn traced_by(workers: &[u32]) -> io::Result<Vec<(u32, u32)>> {
    if workers.is_empty() {
        return Ok(Vec::new());
    }
    let mut processes = Processes::new()?;
    // A worker traces with its only thread, which has its process's id.
    let worker =
        |pid| processes.tracer(pid).filter(|tracer| workers.contains(tracer)).map(|tracer| (tracer, unsigned(pid)));
    Ok(host::pids().filter_map(worker).collect())
}

fn unsigned(pid: Pid) -> u32 {
    pid.raw() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_listed_described_and_found() {
        let own = std::process::id();
        let ids = ids().expect("/proc");
        assert!(ids.contains(&own) && ids.is_sorted());
        let described = Describer::new().expect("/proc").describe(own).expect("ourselves");
        let path = std::env::current_exe().expect("a path").to_string_lossy().into_owned();
        assert_eq!((described.pid, &described.executable), (own, &path));
        assert!(by_executable(&path, ExecutableMatch::FullPath).expect("/proc").contains(&own));
        assert!(by_executable("no such program", ExecutableMatch::FileName).expect("/proc").is_empty());
    }

    #[test]
    fn ids_of_no_process_are_of_none() {
        let mut describer = Describer::new().expect("/proc");
        for pid in [0, i32::MAX as u32, u32::MAX] {
            assert_eq!(describer.describe(pid), None, "{pid}");
        }
    }

    #[test]
    fn who_is_no_worker_debugs_nothing() {
        assert_eq!(traced_by(&[u32::MAX]).expect("/proc"), []);
        assert_eq!(traced_by(&[]).expect("/proc"), []);
    }
}
