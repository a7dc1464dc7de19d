//! Who may connect.

use dbgsrv_protocol::options::ServerOptions;
use dbgsrv_transports::Peer;
use std::fmt;
use thiserror::Error;

/// Whom one listener serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Policy {
    /// Every peer that reaches it, because the user said `open`.
    Open,
    /// Protected mode: without a password, only peers on this machine.
    Protected,
}

/// Why a peer may not connect, in words for its user.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum Refusal {
    #[error("this server has no password and so serves clients on its own machine only")]
    NotLocal,
}

impl Refusal {
    /// What the server's owner can do about it.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::NotLocal => {
                "connect through an ssh tunnel, or add `open` to the transport (-t tcp:port=...,open) to serve everybody"
            }
        }
    }
}

impl Policy {
    /// What `options` say. Where nothing is said, the answer is the safe one.
    pub(crate) fn new(options: &ServerOptions) -> Self {
        match options {
            ServerOptions::Tcp(tcp) if tcp.open => Self::Open,
            _ => Self::Protected,
        }
    }

    /// Lets `peer` in or says why not.
    pub(crate) fn admit(self, peer: &Peer) -> Result<(), Refusal> {
        match self {
            Self::Open => Ok(()),
            Self::Protected if peer.is_loopback() => Ok(()),
            Self::Protected => Err(Refusal::NotLocal),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "all clients",
            Self::Protected => "clients on this machine",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(options: &str, peer: &str) -> Result<(), Refusal> {
        Policy::new(&options.parse().unwrap()).admit(&Peer::Tcp(peer.parse().unwrap()))
    }

    #[test]
    fn a_listener_without_a_password_serves_its_own_machine_only() {
        for peer in ["127.0.0.1:9", "[::1]:9"] {
            assert_eq!(admit("tcp:port=1", peer), Ok(()));
        }
        for peer in ["192.0.2.1:9", "[2001:db8::1]:9", "[fe80::1]:9", "[::ffff:192.0.2.1]:9"] {
            assert_eq!(admit("tcp:port=1", peer), Err(Refusal::NotLocal));
        }
    }

    #[test]
    fn open_serves_everybody() {
        for peer in ["127.0.0.1:9", "192.0.2.1:9", "[2001:db8::1]:9"] {
            assert_eq!(admit("tcp:port=1,open", peer), Ok(()));
        }
    }

    #[test]
    fn a_reason_can_be_sent_as_an_rsp_error_without_escapes() {
        let reason = Refusal::NotLocal.to_string();
        assert!(reason.is_ascii() && !reason.contains(['#', '$', '*', '}']), "{reason}");
    }
}
