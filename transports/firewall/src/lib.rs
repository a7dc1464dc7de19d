//! Opens a TCP port in the firewall that is there: firewalld, ufw, or nftables itself, with what iptables keeps in it.
//!
//! Nothing is ever closed again: who opened a port for a server may count on it, and the next server finds it open. A rule
//! that is there already is not added twice.
//!
//! The tools of the firewalls do it, which know of their own files and daemons. They are started without a shell, and what
//! they are given are numbers, and names that nftables has printed itself, as JSON.
#![forbid(unsafe_code)]

mod firewalld;
#[cfg(fuzzing)]
pub mod fuzzing;
mod nftables;
mod tool;
mod ufw;

use std::fmt;
use std::io;
use thiserror::Error;

/// What was done about a port. `Display` says it: `opened tcp port 5005 in nftables (inet filter input)`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Opened {
    /// It was opened, for good or until the firewall is set up anew.
    Now {
        /// The port.
        port: u16,
        /// In which firewall.
        firewall: String,
    },
    /// It was open: this or another server has opened it before.
    Before {
        /// The port.
        port: u16,
        /// In which firewall.
        firewall: String,
    },
    /// There is a firewall's tool, and nothing that would keep anybody out.
    NoFirewall,
    /// Nothing was asked of a firewall: what is served is this machine alone.
    ThisMachine,
}

/// A port can't be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FirewallError {
    /// There is none of the firewalls that are known here.
    #[error("there is none that could be; allowed: firewalld, ufw or nftables, or to leave out IcfEnable")]
    None,
    /// The kernel filters with iptables' old tables, too, which nftables neither shows nor overrules.
    #[error(
        "the old tables of iptables are in force (iptables-legacy); allowed: firewalld, ufw or nftables, or to open it \
         there and leave out IcfEnable"
    )]
    Legacy,
    /// Its tool can't be started.
    #[error("cannot start {tool}: {source}")]
    Start {
        /// Which tool.
        tool: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Its tool says no.
    #[error("{tool} says: {said}; allowed: to start the server as root, or to leave out IcfEnable")]
    Refused {
        /// Which tool.
        tool: &'static str,
        /// In its own words.
        said: String,
    },
    /// What its tool prints can't be read.
    #[error("what {tool} prints is not understood: {problem}")]
    Unclear {
        /// Which tool.
        tool: &'static str,
        /// Why.
        problem: String,
    },
}

/// Opens a TCP port for connections from everywhere, in the first firewall that is in force. Blocks for as long as the
/// firewall's tool takes.
///
/// # Errors
/// [`FirewallError`], with the tool that was asked and what it said.
pub fn open(port: u16) -> Result<Opened, FirewallError> {
    for firewall in [firewalld::open, ufw::open, nftables::open] {
        if let Some(opened) = firewall(port)? {
            return Ok(opened);
        }
    }
    Err(FirewallError::None)
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now { port, firewall } => write!(f, "opened tcp port {port} in {firewall}"),
            Self::Before { port, firewall } => write!(f, "tcp port {port} was open already in {firewall}"),
            Self::NoFirewall => f.write_str("no firewall is in force, so there was nothing to open"),
            Self::ThisMachine => f.write_str("only this machine is served, so there was nothing to open in a firewall"),
        }
    }
}
