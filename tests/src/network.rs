//! The network that this machine is in, and ones that tests make.

use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

/// This machine's address in a network, if it is in one: who connects to it from here comes from there. Connecting a
/// datagram socket sends nothing.
#[must_use]
pub fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    // 192.0.2.0/24 is set aside for documentation (RFC 5737).
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// The far machine's address on a [`Link`]. TEST-NET-1 (RFC 5737): nobody else has it.
pub const FAR: &str = "192.0.2.1";
/// The near one's.
pub const NEAR: &str = "192.0.2.2";

/// Two machines on one link: network namespaces joined by a virtual cable. They share the file system, so that each sees
/// the other's registry as its own; the tests ask for the other by its address. Only root can make one, and a test's process
/// one at a time.
#[derive(Debug)]
pub struct Link {
    /// The namespace of the one machine.
    pub near: String,
    /// That of the other.
    pub far: String,
}

/// Runs `ip` with these words.
///
/// # Panics
/// When it fails.
pub fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("ip starts");
    assert!(status.success(), "ip {arguments}: {status}");
}

impl Link {
    /// Makes both, with a link that is up.
    ///
    /// # Panics
    /// When the system does not allow it.
    #[must_use]
    pub fn new() -> Self {
        let [near, far] = ["n", "f"].map(|end| format!("dbg{end}{}", std::process::id()));
        // From here on they are removed, whatever fails.
        let link = Self { near, far };
        let Self { near, far } = &link;
        for name in [near, far] {
            ip(&format!("netns add {name}"));
        }
        ip(&format!("link add {near} netns {near} type veth peer name {far} netns {far}"));
        for (name, address) in [(near, NEAR), (far, FAR)] {
            ip(&format!("-n {name} address add {address}/24 dev {name}"));
            ip(&format!("-n {name} link set lo up"));
            ip(&format!("-n {name} link set {name} up"));
        }
        link
    }

    /// A command line of a program on one of the machines.
    #[must_use]
    pub fn command(namespace: &str, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(program).env_remove("DBGSRV_CONNECTION").stdin(Stdio::null());
        command
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for name in [&self.near, &self.far] {
            // What is left of them goes with the machine.
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
