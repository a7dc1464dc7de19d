//! Finding the servers of a machine, whichever it is.

use crate::Findings;
use crate::network::{NetworkError, on_the_network};
use crate::record::NearServer;
use crate::registry::{LocalServer, on_this_machine};
use dbgsrv_local::{is_own_address, is_this_machine};
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::options::{ClientOptions, Host, ListedServer, PipeHost};
use nix::unistd::gethostname;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use thiserror::Error;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long the network is listened to. Answers come within half a second (RFC 6762, section 6), the question is asked again
/// after a second, for it may have got lost.
const NETWORK_TIME: Duration = Duration::from_secs(3);
/// How long looking up a machine's name may take.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);

/// A process server that was found. `Display` is how dbgeng lists it: `Remote Process Server - npipe:Pipe=app`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FoundServer {
    /// Its machine, as that calls itself.
    pub machine: Host,
    /// Its process, where that is on this machine.
    pub pid: Option<Pid>,
    /// Where it is reached there.
    pub server: ListedServer,
    host: Host,
}

impl FoundServer {
    /// What dbgeng calls a server of this kind.
    pub const LABEL: &'static str = "Remote Process Server";

    /// How to connect to it; the password, where it wants one, is to be added.
    #[must_use]
    pub fn client_options(&self) -> ClientOptions {
        self.server.client_options(&self.host)
    }

    fn of_this_machine(LocalServer { pid, server }: LocalServer) -> Self {
        Self { machine: this_machine(), pid: Some(pid), server, host: PipeHost::this_machine().host }
    }

    fn near(near: NearServer) -> Self {
        let host = near.host();
        Self { machine: near.machine, pid: None, server: near.server, host }
    }
}

impl fmt::Display for FoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {}", Self::LABEL, self.server)
    }
}

/// What this machine calls itself.
fn this_machine() -> Host {
    let name = gethostname().ok().and_then(|name| name.to_str()?.parse().ok());
    name.unwrap_or_else(|| PipeHost::this_machine().host)
}

/// Servers can't be looked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FindError {
    /// Nobody knows the machine.
    #[error("cannot find the machine {machine}: {source}; no server announces itself under that name either")]
    NoMachine {
        /// What it was called.
        machine: Host,
        /// Why not.
        source: io::Error,
    },
    /// The network can't be asked.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// The servers of `machine`, of this one and all of the network where there is none given, by machine and process. Takes some
/// 3 seconds where the network has to be asked, 8 at most.
///
/// # Errors
/// [`FindError`]. That a machine has no servers, or is not there to tell of them, is none.
pub async fn find(machine: Option<&Host>) -> Result<Findings<FoundServer>, FindError> {
    match machine {
        None => everywhere().await,
        Some(host) if is_this_machine(host) => Ok(here()),
        Some(host) => on_machine(host).await,
    }
}

fn here() -> Findings<FoundServer> {
    on_this_machine().map(FoundServer::of_this_machine)
}

async fn everywhere() -> Result<Findings<FoundServer>, FindError> {
    let mut findings = here();
    match on_the_network(NETWORK_TIME).await {
        Ok(near) => {
            // This machine's own are there already, with those that are not for the network.
            let others = near.filter(|near| !near.addresses.iter().any(is_own_address));
            findings.append(others.map(FoundServer::near));
        }
        // What is found here is of use all the same.
        Err(problem) => findings.note("network", problem),
    }
    Ok(findings)
}

async fn on_machine(host: &Host) -> Result<Findings<FoundServer>, FindError> {
    let (near, addresses) = tokio::join!(on_the_network(NETWORK_TIME), addresses(host));
    let known = addresses.as_deref().unwrap_or_default();
    if known.iter().any(is_own_address) {
        return Ok(here());
    }
    let found = near?.filter(|near| is_called(near, host) || near.addresses.iter().any(|one| known.contains(one)));
    match addresses {
        Err(source) if found.servers.is_empty() => Err(FindError::NoMachine { machine: host.clone(), source }),
        // One connects to a machine by what one calls it.
        _ => Ok(found.map(|near| FoundServer { host: host.clone(), ..FoundServer::near(near) })),
    }
}

/// Whether a server's machine announces itself as `host`, with or without the domain of the link.
fn is_called(near: &NearServer, host: &Host) -> bool {
    let (name, host) = (near.machine.to_string().to_lowercase(), host.to_string().to_lowercase());
    name == host || name.strip_suffix(".local") == Some(host.as_str())
}

async fn addresses(host: &Host) -> io::Result<Vec<IpAddr>> {
    let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "looking up its name takes too long");
    let found = timeout(LOOKUP_LIMIT, lookup_host((host.to_string(), 0))).await.map_err(silent)??;
    Ok(found.map(|address| address.ip().to_canonical()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(machine: &str) -> NearServer {
        let server = "tcp:Port=53:60,Password=*".parse().unwrap();
        NearServer { machine: machine.parse().unwrap(), addresses: vec!["192.0.2.7".parse().unwrap()], server }
    }

    #[test]
    fn a_server_is_printed_as_dbgeng_lists_it_and_tells_how_to_connect() {
        let found = FoundServer::near(near("box17.local"));
        assert_eq!(found.to_string(), "Remote Process Server - tcp:Port=53:60,Password=*");
        assert_eq!(found.client_options().to_string(), "tcp:server=192.0.2.7,port=53");
        let local = LocalServer { pid: Pid::new(7).unwrap(), server: "npipe:Pipe=app".parse().unwrap() };
        let found = FoundServer::of_this_machine(local);
        assert_eq!(found.client_options().to_string(), "npipe:server=localhost,pipe=app");
    }

    #[test]
    fn a_machine_is_known_by_its_name_with_and_without_the_links_domain() {
        for (host, known) in [("BOX17", true), ("box17.local", true), ("box1", false), ("box17.example.org", false)] {
            assert_eq!(is_called(&near("Box17.local"), &host.parse().unwrap()), known, "{host}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_name_that_nobody_has_is_told_from_a_machine_without_servers() {
        // Never given to a machine: RFC 6761, section 6.4.
        assert!(addresses(&"nobody.invalid".parse().unwrap()).await.is_err());
        // TEST-NET-1 (RFC 5737).
        assert_eq!(addresses(&"192.0.2.1".parse().unwrap()).await.unwrap().len(), 1);
    }
}
