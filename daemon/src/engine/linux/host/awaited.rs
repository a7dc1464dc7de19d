//! Processes that a client knows by the name of their program only, and that may not be there yet.

use super::Processes;
use crate::engine::error::{Error, Result};
use crate::engine::linux::process_info;
use dbgsrv_protocol::control::ExecutableMatch;
use dbgsrv_protocol::ids::Pid;
use nix::errno::Errno;
use std::collections::BTreeSet;

/// Most processes that an error names.
const SHOWN: usize = 8;

/// A process that a client wants to attach to.
#[derive(Debug)]
pub(crate) struct Awaited {
    name: String,
    processes: Processes,
    /// Those that it is not.
    passed_over: BTreeSet<Pid>,
}

impl Awaited {
    /// One that runs a program with this file name or path.
    ///
    /// # Errors
    /// `/proc` can't be read.
    pub(crate) fn new(name: &[u8]) -> Result<Self> {
        let processes = Processes::new().map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
        Ok(Self { name: String::from_utf8_lossy(name).into_owned(), processes, passed_over: BTreeSet::new() })
    }

    /// It is none of those that run the program by now. One that runs another may still become it.
    pub(crate) fn pass_over_present(&mut self) {
        self.passed_over = self.running().into_iter().collect();
    }

    /// The one process that it may be.
    ///
    /// # Errors
    /// [`Error::NoSuchName`], [`Error::SeveralNamed`].
    pub(crate) fn find(&mut self) -> Result<Pid> {
        let found = self.running();
        match found[..] {
            [] => Err(Error::NoSuchName(self.name.clone())),
            [pid] => Ok(pid),
            _ => {
                let ids: Vec<_> = found.iter().take(SHOWN).map(ToString::to_string).collect();
                Err(Error::SeveralNamed(self.name.clone(), ids.join(", ")))
            }
        }
    }

    /// Those that run the program, but for what is passed over.
    fn running(&mut self) -> Vec<Pid> {
        let by = if self.name.contains('/') { ExecutableMatch::FullPath } else { ExecutableMatch::FileName };
        let own = std::process::id() as i32;
        let Self { name, processes, passed_over } = self;
        let candidates = process_info::processes().filter(|pid| !passed_over.contains(pid) && pid.raw() != own);
        candidates.filter(|&pid| processes.runs(pid, name, by)).collect()
    }
}
