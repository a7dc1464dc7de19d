//! Who a client is that speaks the session's protocol, and whether it may come in.

use crate::call::Called;
use crate::door::Door;
use crate::guesses::Guesses;
use crate::refusal::tell_session;
use crate::server::Server;
use dbgsrv_protocol::session::{Access, HandshakeError, Rejected, ServerConfig, Versions};
use dbgsrv_session::{AcceptError, Accepted, Guard, accept, accept_guarded};
use dbgsrv_transports::Peer;
use tracing::{debug, warn};

/// Authenticates the client, or tells it why it is turned away. Cancel safe: the connection is closed then.
pub(crate) async fn admit(server: &Server, door: &Door, stream: Called, peer: &Peer) -> Option<Accepted> {
    match door.policy.access(peer) {
        Ok(access @ Access::Password(_)) => try_password(server, door, stream, peer, access).await,
        Ok(access @ Access::Open { sealed }) => {
            let config = config(server, door, access, stream.channel_binding());
            let accepted = accept(stream, config, &door.sessions).await.map_err(log).ok();
            if sealed && accepted.is_some() {
                warn!("the client is not authenticated: there is no password");
            }
            accepted
        }
        Err(refusal) => {
            warn!(reason = %refusal, hint = refusal.hint(), "connection refused");
            refuse(server, door, stream, Rejected::NotAllowed, &refusal.with_hint()).await;
            None
        }
    }
}

/// Lets the client in if it knows the password, and if not too many from its address did not.
async fn try_password(server: &Server, door: &Door, stream: Called, peer: &Peer, password: Access) -> Option<Accepted> {
    let mut guard = PeersGuesses { guesses: &server.guesses, peer, count: 0 };
    let config = config(server, door, password, stream.channel_binding());
    match accept_guarded(stream, config, &door.sessions, &mut guard).await {
        Ok(accepted) => Some(accepted),
        Err(AcceptError::Handshake(HandshakeError::WrongPassword)) => {
            warn!(count = guard.count, "wrong password");
            None
        }
        Err(error) => {
            log(error);
            None
        }
    }
}

/// What one peer may guess.
struct PeersGuesses<'a> {
    guesses: &'a Guesses,
    peer: &'a Peer,
    /// Wrong passwords in a row, this one included.
    count: u32,
}

impl Guard for PeersGuesses<'_> {
    fn guess(&mut self) -> Result<(), String> {
        self.count = self.guesses.guess(self.peer).map_err(|too_soon| too_soon.to_string())?;
        Ok(())
    }

    fn right(&mut self) {
        self.guesses.right(self.peer);
    }
}

fn config(server: &Server, door: &Door, access: Access, channel_binding: Option<[u8; 32]>) -> ServerConfig {
    ServerConfig {
        facts: server.facts.clone(),
        versions: Versions::SPOKEN,
        access,
        channel_binding,
        linger: door.linger,
    }
}

/// Tells a client that speaks the session's protocol why it is turned away, where there is room for that.
pub(crate) async fn refuse(server: &Server, door: &Door, stream: Called, reason: Rejected, text: &str) {
    if let Some(_slot) = server.refusal_slot() {
        let nobody = config(server, door, Access::Open { sealed: false }, None);
        tell_session(stream, nobody, reason, text).await;
    }
}

fn log(error: AcceptError) {
    match error {
        // Who has no password finds out that one is wanted, and leaves to ask its user.
        AcceptError::Io(error) => debug!(reason = %error, "connection closed"),
        AcceptError::Handshake(HandshakeError::Rejected { text, .. }) => warn!(reason = text, "connection refused"),
        error => warn!(reason = %error, "connection refused"),
    }
}
