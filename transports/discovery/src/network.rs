//! DNS-SD: announcing servers to the machines of the same link, and asking those for theirs.

use crate::Findings;
use crate::record::{self, NearServer, SERVER, VERSION, port_of};
use dbgsrv_protocol::limits::MAX_NEAR_SERVERS;
use dbgsrv_protocol::options::ListedServer;
use mdns_sd::{DaemonEvent, IfKind, Receiver, ScopedIp, ServiceDaemon, ServiceEvent, ServiceInfo};
use nix::unistd::gethostname;
use std::net::IpAddr;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::debug;

/// The service (RFC 6763, section 7).
const SERVICE: &str = "_dbgsrv._tcp.local.";
/// How long saying goodbye may take: it is a packet or two.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);
/// Longest name of a machine in multicast DNS, in bytes: a label's (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// Multicast DNS does not work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// As it says itself.
    #[error("multicast DNS: {0}")]
    Mdns(#[from] mdns_sd::Error),
}

/// What announces this machine's servers to its network, until it is dropped. It has a thread of its own.
pub struct Announcement {
    daemon: ServiceDaemon,
    events: Receiver<DaemonEvent>,
}

impl Announcement {
    /// Announces `servers`, each with the addresses that it listens at; the unspecified address stands for all of its
    /// version. Those on no port are left out.
    ///
    /// # Errors
    /// [`NetworkError`]: nothing is announced.
    pub fn new(servers: &[(ListedServer, Vec<IpAddr>)]) -> Result<Self, NetworkError> {
        let daemon = daemon()?;
        let announced = (|| {
            let events = daemon.monitor()?;
            for (server, addresses) in servers {
                if let Some(info) = service(server, addresses)? {
                    daemon.register(info)?;
                }
            }
            Ok(events)
        })();
        match announced {
            Ok(events) => Ok(Self { daemon, events }),
            Err(error) => {
                // It ends its thread.
                let _ = daemon.shutdown();
                Err(error)
            }
        }
    }

    /// Waits for the next thing that goes wrong, in words. Cancel safe.
    pub async fn next_failure(&mut self) -> String {
        loop {
            match self.events.recv_async().await {
                Ok(DaemonEvent::Error(error)) => return error.to_string(),
                Ok(event) => debug!(?event, "announcing"),
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Tells the network that the servers are gone. Takes 2 seconds at most.
    pub async fn withdraw(self) {
        if let Ok(ended) = self.daemon.shutdown() {
            // Where it takes longer, the network forgets them by itself.
            let _ = timeout(GOODBYE_LIMIT, ended.recv_async()).await;
        }
    }
}

impl std::fmt::Debug for Announcement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Announcement").finish_non_exhaustive()
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // It has ended already where it was withdrawn.
        let _ = self.daemon.shutdown();
    }
}

/// Multicast DNS on all interfaces that lead to other machines.
fn daemon() -> Result<ServiceDaemon, NetworkError> {
    let daemon = ServiceDaemon::new()?;
    daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
    Ok(daemon)
}

/// A server as a service.
fn service(server: &ListedServer, addresses: &[IpAddr]) -> Result<Option<ServiceInfo>, NetworkError> {
    let Some(port) = port_of(server).map(|range| range.low().get()) else { return Ok(None) };
    let machine = machine();
    let text = server.to_string();
    let properties = [VERSION, (SERVER, text.as_str())];
    let fixed: Vec<IpAddr> = addresses.iter().copied().filter(|address| !address.is_unspecified()).collect();
    let name = format!("{machine} port {port}");
    let host = format!("{machine}.local.");
    let mut info = ServiceInfo::new(SERVICE, &name, &host, &fixed[..], port, &properties[..])?;
    if fixed.is_empty() {
        info = info.enable_addr_auto();
        let versions = [(IfKind::IPv4, false), (IfKind::IPv6, true)].into_iter();
        let wanted = versions.filter(|(_, v6)| addresses.iter().any(|address| address.is_ipv6() == *v6));
        info.set_interfaces(wanted.map(|(kind, _)| kind).collect());
    }
    Ok(Some(info))
}

/// What this machine is called on its link: its name up to the first dot, with nothing in it that a name can't have.
fn machine() -> String {
    let name = gethostname().unwrap_or_default().to_string_lossy().into_owned();
    let label = name.split('.').next().unwrap_or_default().chars();
    let good = label.filter(|char| char.is_ascii_alphanumeric() || *char == '-').take(MAX_LABEL);
    let label = good.collect::<String>();
    if label.trim_matches('-').is_empty() { "dbgsrv".into() } else { label.trim_matches('-').into() }
}

/// Asks all machines of the link for their servers, and listens for `time`. This machine's own are among them where it
/// announces any.
///
/// # Errors
/// [`NetworkError`].
pub async fn on_the_network(time: Duration) -> Result<Findings<NearServer>, NetworkError> {
    let end = Instant::now() + time;
    let daemon = daemon()?;
    let heard = listen(&daemon, end).await;
    if let Ok(ended) = daemon.shutdown() {
        // Its thread ends by itself, if it takes longer.
        let _ = timeout(GOODBYE_LIMIT, ended.recv_async()).await;
    }
    heard
}

async fn listen(daemon: &ServiceDaemon, end: Instant) -> Result<Findings<NearServer>, NetworkError> {
    let events = daemon.browse(SERVICE)?;
    let mut findings = Findings::default();
    let mut names: Vec<String> = Vec::new();
    while let Ok(Ok(event)) = timeout_at(end, events.recv_async()).await {
        let ServiceEvent::ServiceResolved(service) = event else { continue };
        // It is resolved again when more of its addresses come.
        let known = names.iter().position(|name| *name == service.fullname);
        if known.is_none() && names.len() == MAX_NEAR_SERVERS {
            findings.note("network", format_args!("more than {MAX_NEAR_SERVERS} servers"));
            break;
        }
        let addresses = service.addresses.iter().map(ScopedIp::to_ip_addr);
        let text = service.txt_properties.get_property_val(SERVER).flatten();
        match (record::read(&service.host, service.port, text, addresses), known) {
            (Ok(server), Some(index)) => findings.servers[index] = server,
            (Ok(server), None) => {
                names.push(service.fullname.clone());
                findings.servers.push(server);
            }
            (Err(problem), _) => findings.note(service.fullname.escape_debug(), format_args!("ignored: {problem}")),
        }
    }
    findings.servers.sort_by_key(|near| (near.machine.to_string(), near.server.to_string()));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(text: &str, addresses: &[&str]) -> Option<ServiceInfo> {
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        service(&text.parse().unwrap(), &addresses).unwrap()
    }

    #[test]
    fn a_server_on_a_port_is_announced_with_transport_and_whether_it_wants_a_password() {
        let info = announced("tcp:Port=53:60,Password=*", &["0.0.0.0", "::"]).unwrap();
        assert_eq!((info.get_type(), info.get_port()), (SERVICE, 53));
        assert_eq!(info.get_property_val_str(SERVER), Some("tcp:Port=53:60,Password=*"));
        assert_eq!(info.get_property_val_str("txtvers"), Some("1"));
        assert!(info.is_addr_auto());
    }

    #[test]
    fn an_address_that_is_listened_at_alone_is_announced_alone() {
        let info = announced("tcp:Port=53", &["192.0.2.7"]).unwrap();
        assert!(!info.is_addr_auto());
        assert_eq!(info.get_addresses_v4().into_iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.7"]);
    }

    #[test]
    fn what_is_on_no_port_is_not_announced() {
        assert!(announced("npipe:Pipe=app", &[]).is_none());
        assert!(announced("com:Port=COM2,Baud=57600,Channel=3", &[]).is_none());
    }

    #[test]
    fn this_machine_has_a_name_that_multicast_dns_takes() {
        let name = machine();
        assert!((1..=MAX_LABEL).contains(&name.len()), "{name}");
        assert!(name.chars().all(|char| char.is_ascii_alphanumeric() || char == '-'), "{name}");
    }
}
