//! Letting clients find this server: an entry in the machine's registry, and announcements to the network.

use crate::door::Door;
use dbgsrv_discovery::{Announcement, Registration};
use dbgsrv_protocol::options::ListedServer;
use dbgsrv_transports::Listener;
use std::future::pending;
use std::net::IpAddr;
use tracing::{info, warn};

/// A listener that may be found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Listed {
    server: ListedServer,
    /// Where the clients of other machines that it serves reach it. None: it serves no other machine's.
    addresses: Vec<IpAddr>,
}

impl Listed {
    /// A listener that is listed as `server`.
    pub(crate) fn new(server: ListedServer, listener: &Listener, door: &Door) -> Self {
        let addresses = if door.policy.serves_other_machines() { listener.outer_addresses() } else { Vec::new() };
        Self { server, addresses }
    }
}

/// How a server is found, until this is dropped. What does not work is logged: a server that nobody finds still serves.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    registration: Option<Registration>,
    announcement: Option<Announcement>,
}

impl Discovery {
    /// Has all of `listed` found.
    pub(crate) fn start(listed: &[Listed]) -> Self {
        Self { registration: register(listed), announcement: announce(listed) }
    }

    /// Logs what goes wrong later; never ends. Cancel safe.
    pub(crate) async fn watch(&mut self) {
        let Some(announcement) = &mut self.announcement else { return pending().await };
        loop {
            let reason = announcement.next_failure().await;
            warn!(reason, "other machines may not find this server");
        }
    }

    /// Takes it all back. Takes 2 seconds at most.
    pub(crate) async fn end(self) {
        drop(self.registration);
        if let Some(announcement) = self.announcement {
            announcement.withdraw().await;
        }
    }
}

fn register(listed: &[Listed]) -> Option<Registration> {
    if listed.is_empty() {
        return None;
    }
    let registration = Registration::new(listed.iter().map(|listed| listed.server.clone()).collect());
    registration.inspect_err(|reason| warn!(%reason, "this server is not in the list of servers")).ok()
}

fn announce(listed: &[Listed]) -> Option<Announcement> {
    let reachable = listed.iter().filter(|listed| !listed.addresses.is_empty());
    let servers: Vec<_> = reachable.map(|listed| (listed.server.clone(), listed.addresses.clone())).collect();
    if servers.is_empty() {
        return None;
    }
    match Announcement::new(&servers) {
        Ok(announcement) => {
            let servers: Vec<_> = servers.iter().map(|(server, _)| server.to_string()).collect();
            info!(servers = servers.join(" "), "announced to the network");
            Some(announcement)
        }
        Err(reason) => {
            warn!(%reason, "other machines do not find this server");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgsrv_protocol::options::ServerOptions;
    use dbgsrv_transports::Endpoint;

    /// Whether other machines are told of a server with these options.
    fn is_announced(text: &str) -> bool {
        let options: ServerOptions = text.parse().unwrap();
        let password = options.session().password.as_ref().map(|_| "Secret1".parse().unwrap());
        let endpoint = Endpoint::new(&options).unwrap();
        let listener = endpoint.bind().unwrap();
        let server = endpoint.listed(&listener).unwrap();
        !Listed::new(server, &listener, &Door::new(&options, password)).addresses.is_empty()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_network_is_told_of_what_its_machines_could_use_and_of_nothing_else() {
        let pipe = format!("npipe:pipe=announced-{}", std::process::id());
        for (text, announced) in [
            ("tcp:port=0,open", true),
            ("tcp:port=0,password=Secret1", true),
            ("tcp:port=0", false),
            ("tcp:port=0,bind=127.0.0.1,open", false),
            ("tcp:port=0,bind=127.0.0.1,password=Secret1", false),
            (&pipe, false),
        ] {
            assert_eq!(is_announced(text), announced, "{text}");
        }
    }
}
