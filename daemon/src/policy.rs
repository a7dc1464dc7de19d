//! Who may connect.

use dbgsrv_protocol::options::server::PipeAccess;
use dbgsrv_protocol::options::{Password, ServerOptions};
use dbgsrv_protocol::session::Access;
use dbgsrv_transports::Peer;
use nix::unistd::geteuid;
use std::fmt;
use thiserror::Error;

/// Whom one listener serves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Policy {
    /// Whoever is at the other end of a serial line: who put the cable there let him in.
    Line,
    /// Every peer that its pipe's mode lets in, because the user widened that. The kernel has checked it.
    Mode,
    /// Every peer that reaches it, because the user said `open`.
    Open,
    /// A pipe's default: this user, by number, and root. The kernel has checked that too, but what it checked by, a file and
    /// its directory, can be changed.
    Owner(u32),
    /// The client that this side calls: the user named its machine.
    Called,
    /// Every peer with a certificate that `clientca` has signed. TLS has checked it.
    Certificate,
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
    #[error("this server's pipe is for the user who started the server, and for root")]
    NotOwner,
    #[error(
        "this server wants a password, which a debugger cannot give by itself; start it with: premote {server} gdb"
    )]
    PasswordWanted {
        /// How `premote` reaches the server.
        server: &'static str,
    },
    #[error("this server speaks TLS, which a debugger cannot by itself; start it with: premote {server} gdb")]
    TlsWanted {
        /// How `premote` reaches the server.
        server: &'static str,
    },
}

impl Refusal {
    /// That of a listener with TLS for a `peer` that has none.
    pub(crate) const fn without_tls(peer: &Peer) -> Self {
        Self::TlsWanted { server: server(peer, true) }
    }

    /// What can be done about it, by the server's owner or the client's.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::NotLocal => {
                "start it with `password-file=PATH` in the transport, connect through an ssh tunnel, \
                 or add `open` to serve everybody"
            }
            Self::NotOwner => "start it with `group=NAME` or `mode=0660` in the transport",
            Self::PasswordWanted { .. } | Self::TlsWanted { .. } => "connect with premote",
        }
    }

    /// All of it, for who sees no log.
    pub(crate) fn with_hint(self) -> String {
        format!("{self}; {}", self.hint())
    }
}

impl Policy {
    /// What `options` say, with the password that was found where they say. Where nothing is said, the answer is the safe
    /// one.
    pub(crate) fn new(options: &ServerOptions, password: Option<Password>) -> Self {
        match (password, options) {
            (Some(password), _) => Self::Password(password),
            (None, ServerOptions::Ssl(ssl)) if ssl.tls.client_ca.is_some() => Self::Certificate,
            (None, ServerOptions::SslReverse(ssl)) if ssl.tls.client_ca.is_some() => Self::Certificate,
            (None, ServerOptions::TcpReverse(_) | ServerOptions::SslReverse(_)) => Self::Called,
            (None, ServerOptions::Tcp(tcp)) if tcp.open => Self::Open,
            (None, ServerOptions::Serial(_)) => Self::Line,
            (None, ServerOptions::Ssl(ssl)) if ssl.open => Self::Open,
            (None, ServerOptions::NamedPipe(pipe)) => Self::of_pipe(&pipe.access),
            (None, ServerOptions::SecurePipe(pipe)) => Self::of_pipe(&pipe.access),
            (None, _) => Self::Protected,
        }
    }

    /// Whether a client of another machine could be served.
    pub(crate) const fn serves_other_machines(&self) -> bool {
        match self {
            Self::Certificate | Self::Open | Self::Password(_) => true,
            Self::Called | Self::Line | Self::Mode | Self::Owner(_) | Self::Protected => false,
        }
    }

    fn of_pipe(access: &PipeAccess) -> Self {
        if access.admits_others() { Self::Mode } else { Self::Owner(geteuid().as_raw()) }
    }

    /// Whether `peer` may debug by plain RSP, `secured` by TLS or not, or why it may not.
    pub(crate) fn admit_debugger(&self, peer: &Peer, secured: bool) -> Result<(), Refusal> {
        match self.access(peer)? {
            Access::Password(_) => Err(Refusal::PasswordWanted { server: server(peer, secured) }),
            Access::Open { .. } => Ok(()),
        }
    }

    /// How `peer` may begin a session, or why it may not.
    pub(crate) fn access(&self, peer: &Peer) -> Result<Access, Refusal> {
        match self {
            Self::Password(password) => Ok(Access::Password(password.clone())),
            Self::Protected if !peer.is_local() => Err(Refusal::NotLocal),
            Self::Owner(user) if !is_user(peer, *user) => Err(Refusal::NotOwner),
            Self::Certificate => Ok(Access::Open { sealed: false }),
            Self::Called | Self::Line | Self::Mode | Self::Open | Self::Owner(_) | Self::Protected => {
                Ok(Access::Open { sealed: !peer.is_local() })
            }
        }
    }
}

/// Whether the peer is that user, or root.
fn is_user(peer: &Peer, user: u32) -> bool {
    matches!(peer, Peer::Pipe(process) if [user, 0].contains(&process.uid))
}

/// What to connect to, for who came as `peer`.
const fn server(peer: &Peer, secured: bool) -> &'static str {
    match (peer, secured) {
        (Peer::Pipe(_), false) => "npipe:server=localhost,pipe=NAME",
        (Peer::Pipe(_), true) => "spipe:proto=tls1,server=localhost,pipe=NAME",
        (Peer::Line(_), _) => "com:port=PORT,baud=RATE,channel=NUMBER",
        (_, false) => "tcp:server=HOST,port=PORT",
        (_, true) => "ssl:proto=tls1,server=HOST,port=PORT",
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Called => "the client there",
            Self::Line => "whoever is at the other end",
            Self::Certificate => "clients with a certificate of its authority",
            Self::Mode => "clients that its mode lets in",
            Self::Open => "all clients",
            Self::Owner(0) => "root's clients",
            Self::Owner(_) => "this user's clients and root's",
            Self::Password(_) => "clients that know the password",
            Self::Protected => "clients on this machine",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgsrv_protocol::limits::MAX_REJECT_TEXT;
    use dbgsrv_transports::PipePeer;

    const PASSWORD_WANTED: Refusal = Refusal::PasswordWanted { server: "tcp:server=HOST,port=PORT" };

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
            assert_eq!(policy.admit_debugger(&near, false), Ok(()));
            assert!(matches!(policy.access(&near), Ok(Access::Open { sealed: false })));
        }
        for far in FAR.map(peer) {
            assert_eq!(policy.admit_debugger(&far, false), Err(Refusal::NotLocal));
            assert_eq!(policy.access(&far).unwrap_err(), Refusal::NotLocal);
        }
    }

    #[test]
    fn open_serves_everybody_and_seals_what_leaves_the_machine() {
        let policy = policy("tcp:port=1,open");
        for (peer, leaves) in NEAR.map(|near| (peer(near), false)).into_iter().chain(FAR.map(|far| (peer(far), true))) {
            assert_eq!(policy.admit_debugger(&peer, false), Ok(()));
            assert!(matches!(policy.access(&peer), Ok(Access::Open { sealed }) if sealed == leaves), "{peer}");
        }
    }

    #[test]
    fn a_client_that_is_called_is_served_wherever_it_is_and_what_leaves_the_machine_is_sealed() {
        let policy = policy("tcp:port=1,clicon=BOX17");
        for (peer, leaves) in NEAR.map(|near| (peer(near), false)).into_iter().chain(FAR.map(|far| (peer(far), true))) {
            assert_eq!(policy.admit_debugger(&peer, false), Ok(()));
            assert!(matches!(policy.access(&peer), Ok(Access::Open { sealed }) if sealed == leaves), "{peer}");
        }
    }

    #[test]
    fn whoever_is_at_the_other_end_of_a_line_is_served_and_its_sessions_are_sealed() {
        let peer = Peer::Line(None);
        let line = policy("com:port=1,baud=9600,channel=3");
        assert_eq!(line.admit_debugger(&peer, false), Ok(()));
        assert!(matches!(line.access(&peer), Ok(Access::Open { sealed: true })));
        let refusal = secret().admit_debugger(&peer, false).unwrap_err().to_string();
        assert!(refusal.contains("premote com:port=PORT,"), "{refusal}");
    }

    fn process_of(uid: u32) -> Peer {
        Peer::Pipe(PipePeer { uid, pid: Some(7) })
    }

    #[test]
    fn a_pipe_serves_its_own_user_and_root_and_nothing_is_sealed() {
        let own = geteuid().as_raw();
        let policy = policy("npipe:pipe=a");
        for peer in [own, 0].map(process_of) {
            assert_eq!(policy.admit_debugger(&peer, false), Ok(()));
            assert!(matches!(policy.access(&peer), Ok(Access::Open { sealed: false })));
        }
        for stranger in [own + 1, u32::MAX].map(process_of) {
            assert_eq!(policy.admit_debugger(&stranger, false), Err(Refusal::NotOwner));
            assert_eq!(policy.access(&stranger).unwrap_err(), Refusal::NotOwner);
        }
    }

    #[test]
    fn whom_a_widened_mode_lets_in_is_served() {
        for options in ["npipe:pipe=a,mode=0666", "npipe:pipe=a,group=debuggers"] {
            assert_eq!(policy(options).admit_debugger(&process_of(12345), false), Ok(()), "{options}");
        }
        let narrow = policy("npipe:pipe=a,group=debuggers,mode=0600");
        assert_eq!(narrow.admit_debugger(&process_of(12345), false), Err(Refusal::NotOwner));
    }

    #[test]
    fn where_there_is_a_password_everybody_has_to_prove_it_and_plain_debuggers_cannot() {
        for peer in NEAR.into_iter().chain(FAR).map(peer) {
            assert_eq!(secret().admit_debugger(&peer, false), Err(PASSWORD_WANTED));
            assert!(matches!(secret().access(&peer), Ok(Access::Password(password)) if password.reveal() == "Secret1"));
        }
    }

    #[test]
    fn tls_alone_lets_nobody_in_from_elsewhere_and_a_clients_certificate_does() {
        let ssl = |more: &str| policy(&format!("ssl:proto=tls1,certuser=a,port=1{more}"));
        let far = peer(FAR[0]);
        assert_eq!(ssl("").admit_debugger(&far, true), Err(Refusal::NotLocal));
        assert_eq!(ssl("").admit_debugger(&peer(NEAR[0]), true), Ok(()));
        for more in [",open", ",clientca=/a"] {
            assert_eq!(ssl(more).admit_debugger(&far, true), Ok(()), "{more}");
        }
        let reverse = policy("ssl:proto=tls1,certuser=a,port=1,clicon=a,clientca=/a");
        assert_eq!(reverse, Policy::Certificate);
        let pipe = policy("spipe:proto=tls1,certuser=a,pipe=a");
        assert_eq!(pipe.admit_debugger(&process_of(geteuid().as_raw() + 1), true), Err(Refusal::NotOwner));
        let wanted = secret().admit_debugger(&far, true).unwrap_err().to_string();
        assert!(wanted.contains("premote ssl:proto=tls1,server=HOST,port=PORT gdb"), "{wanted}");
    }

    #[test]
    fn a_policy_does_not_print_its_password() {
        assert!(!format!("{} {:?}", secret(), secret()).contains("Secret1"));
    }

    #[test]
    fn a_reason_and_what_can_be_done_fit_into_a_refusal() {
        for text in [Refusal::NotLocal, Refusal::NotOwner].map(Refusal::with_hint) {
            assert!(text.len() <= MAX_REJECT_TEXT, "{} bytes", text.len());
        }
    }

    #[test]
    fn a_reason_can_be_sent_as_an_rsp_error_without_escapes() {
        for reason in [Refusal::NotLocal, Refusal::NotOwner, PASSWORD_WANTED].map(|refusal| refusal.to_string()) {
            assert!(reason.is_ascii() && !reason.contains(['#', '$', '*', '}']), "{reason}");
        }
    }
}
