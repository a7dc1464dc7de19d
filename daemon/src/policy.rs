//! Who may connect.

use dbgsrv_protocol::options::{Password, ServerOptions};
use dbgsrv_protocol::session::Access;
use dbgsrv_transports::Peer;
use std::fmt;
use thiserror::Error;

/// Whom one listener serves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Policy {
    /// Every peer that reaches it, because the user said `open`.
    Open,
    /// Whoever proves to know the password. Plain RSP has no way to.
    Password(Password),
    /// Protected mode: without a password, only peers on this machine.
    Protected,
}

/// Why a peer may not connect, in words for its user.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum Refusal {
    #[error("this server has no password and so serves clients on its own machine only")]
    NotLocal,
    #[error(
        "this server wants a password, which a debugger cannot give by itself; \
         start it with: premote tcp:server=HOST,port=PORT gdb"
    )]
    PasswordWanted,
}

impl Refusal {
    /// What can be done about it, by the server's owner or the client's.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::NotLocal => {
                "connect through an ssh tunnel, set a password with `password-file=PATH`, \
                 or add `open` to the transport (-t tcp:port=...,open) to serve everybody"
            }
            Self::PasswordWanted => "connect with premote",
        }
    }
}

impl Policy {
    /// What `options` say, with the password that was found where they say. Where nothing is said, the answer is the safe
    /// one.
    pub(crate) fn new(options: &ServerOptions, password: Option<Password>) -> Self {
        match (password, options) {
            (Some(password), _) => Self::Password(password),
            (None, ServerOptions::Tcp(tcp)) if tcp.open => Self::Open,
            (None, _) => Self::Protected,
        }
    }

    /// Whether `peer` may debug by plain RSP, or why not.
    pub(crate) fn admit_debugger(&self, peer: &Peer) -> Result<(), Refusal> {
        match self {
            Self::Password(_) => Err(Refusal::PasswordWanted),
            Self::Protected if !peer.is_loopback() => Err(Refusal::NotLocal),
            Self::Open | Self::Protected => Ok(()),
        }
    }

    /// How `peer` may begin a session, or why it may not.
    pub(crate) fn access(&self, peer: &Peer) -> Result<Access, Refusal> {
        match self {
            Self::Password(password) => Ok(Access::Password(password.clone())),
            Self::Open => Ok(Access::Open { sealed: !peer.is_loopback() }),
            Self::Protected if peer.is_loopback() => Ok(Access::Open { sealed: false }),
            Self::Protected => Err(Refusal::NotLocal),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "all clients",
            Self::Password(_) => "clients that know the password",
            Self::Protected => "clients on this machine",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: [&str; 2] = ["127.0.0.1:9", "[::1]:9"];
    const FAR: [&str; 4] = ["192.0.2.1:9", "[2001:db8::1]:9", "[fe80::1]:9", "[::ffff:192.0.2.1]:9"];

    fn policy(options: &str) -> Policy {
        let options: ServerOptions = options.parse().unwrap();
        Policy::new(&options, None)
    }

    fn secret() -> Policy {
        Policy::new(&"tcp:port=1,open".parse().unwrap(), Some("Secret1".parse().unwrap()))
    }

    fn peer(address: &str) -> Peer {
        Peer::Tcp(address.parse().unwrap())
    }

    #[test]
    fn a_listener_without_a_password_serves_its_own_machine_only() {
        let policy = policy("tcp:port=1");
        for near in NEAR.map(peer) {
            assert_eq!(policy.admit_debugger(&near), Ok(()));
            assert!(matches!(policy.access(&near), Ok(Access::Open { sealed: false })));
        }
        for far in FAR.map(peer) {
            assert_eq!(policy.admit_debugger(&far), Err(Refusal::NotLocal));
            assert_eq!(policy.access(&far).unwrap_err(), Refusal::NotLocal);
        }
    }

    #[test]
    fn open_serves_everybody_and_seals_what_leaves_the_machine() {
        let policy = policy("tcp:port=1,open");
        for (peer, leaves) in NEAR.map(|near| (peer(near), false)).into_iter().chain(FAR.map(|far| (peer(far), true))) {
            assert_eq!(policy.admit_debugger(&peer), Ok(()));
            assert!(matches!(policy.access(&peer), Ok(Access::Open { sealed }) if sealed == leaves), "{peer}");
        }
    }

    #[test]
    fn where_there_is_a_password_everybody_has_to_prove_it_and_plain_debuggers_cannot() {
        for peer in NEAR.into_iter().chain(FAR).map(peer) {
            assert_eq!(secret().admit_debugger(&peer), Err(Refusal::PasswordWanted));
            assert!(matches!(secret().access(&peer), Ok(Access::Password(password)) if password.reveal() == "Secret1"));
        }
    }

    #[test]
    fn a_policy_does_not_print_its_password() {
        assert!(!format!("{} {:?}", secret(), secret()).contains("Secret1"));
    }

    #[test]
    fn a_reason_can_be_sent_as_an_rsp_error_without_escapes() {
        for reason in [Refusal::NotLocal, Refusal::PasswordWanted].map(|refusal| refusal.to_string()) {
            assert!(reason.is_ascii() && !reason.contains(['#', '$', '*', '}']), "{reason}");
        }
    }
}
