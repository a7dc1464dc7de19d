//! What a debugger is started for.

use crate::exit::ExitError;
use dbgsrv_client::{GetProc, ProcessDescription, ProcessMatch, RemoteServer};

/// What the debugger finds once it is connected.
#[derive(Debug)]
pub(super) enum Beginning {
    /// No process.
    Nothing,
    /// A process that it is attached to.
    Attached { pid: u32, goes_on: bool },
    /// A program that it has started.
    Started(Vec<String>),
}

/// What is attached to.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Target {
    Pid(u32),
    /// The only process of this executable.
    Name(String),
    /// The main process of this service.
    Service(String),
    /// A program that the server was told to keep ready.
    Implicit,
}

impl Target {
    /// Asks the server what it is; `goes_on`: a process goes on once it is attached to.
    pub(super) async fn find(&self, server: &RemoteServer, goes_on: bool) -> Result<Beginning, ExitError> {
        let pid = match self {
            Self::Pid(pid) => *pid,
            Self::Name(name) => find(server, name).await?,
            Self::Service(name) => find_service(server, name).await?,
            Self::Implicit => return Ok(Beginning::Started(implicit_command_line(server).await?)),
        };
        Ok(Beginning::Attached { pid, goes_on })
    }
}

/// The only process of an executable.
async fn find(server: &RemoteServer, name: &str) -> Result<u32, ExitError> {
    let path = if name.contains('/') { GetProc::FULL_MATCH } else { GetProc::empty() };
    let flags = path | GetProc::ONLY_MATCH;
    match server.running_process_system_id_by_executable_name(name, flags).await? {
        ProcessMatch::Found(pid) => Ok(pid),
        ProcessMatch::NotFound => Err(ExitError::Failure(format!("no process there has the executable `{name}`"))),
        ProcessMatch::Several(pids) => {
            let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
            let pids = pids.join(", ");
            Err(ExitError::Failure(format!("several processes have the executable `{name}`; choose with -p: {pids}")))
        }
    }
}

/// The main process of a service: the only one of its processes whose parent is none of them.
async fn find_service(server: &RemoteServer, name: &str) -> Result<u32, ExitError> {
    let mut processes = server.processes().await?;
    processes.retain(|process| process.service.as_deref().is_some_and(|service| is_called(service, name)));
    match main_processes(&processes).as_slice() {
        [pid] => Ok(*pid),
        [] => Err(ExitError::Failure(format!("no process there belongs to the service `{name}`"))),
        pids => {
            let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
            let pids = pids.join(", ");
            Err(ExitError::Failure(format!("the service `{name}` has several main processes; choose with -p: {pids}")))
        }
    }
}

/// Whether a unit goes by that name: `nginx` or `nginx.service`.
fn is_called(unit: &str, name: &str) -> bool {
    unit == name || unit.strip_suffix(".service") == Some(name)
}

/// Those whose parents are not among them.
fn main_processes(processes: &[ProcessDescription]) -> Vec<u32> {
    let is_one_of = |pid| processes.iter().any(|process| process.pid == pid);
    processes.iter().filter(|process| !is_one_of(process.parent)).map(|process| process.pid).collect()
}

/// The program that the server was told to keep ready, and its arguments.
async fn implicit_command_line(server: &RemoteServer) -> Result<Vec<String>, ExitError> {
    let words = server.server_info().await?.implicit_command_line;
    if words.is_empty() {
        let text = "the server has no implicit command line; it is given one with: dbgsrv -t TRANSPORT -pc PROGRAM";
        return Err(ExitError::Failure(text.to_owned()));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_s_main_process_is_the_one_that_no_other_of_it_started() {
        let process = |pid, parent| ProcessDescription { pid, parent, ..ProcessDescription::default() };
        assert_eq!(main_processes(&[process(10, 1), process(11, 10), process(12, 11)]), [10]);
        assert_eq!(main_processes(&[process(10, 1), process(11, 1)]), [10, 11]);
        assert!(is_called("nginx.service", "nginx") && is_called("nginx.service", "nginx.service"));
        assert!(!is_called("nginx.service", "ngin") && !is_called("nginx.socket", "nginx"));
    }
}
