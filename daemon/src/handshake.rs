//! Who a client is that speaks the session's protocol, and whether it may come in.

use crate::door::Door;
use crate::refusal::tell_session;
use crate::server::Server;
use dbgsrv_protocol::session::{Access, HandshakeError, Rejected, ServerConfig, Versions};
use dbgsrv_session::{AcceptError, Accepted, accept};
use dbgsrv_transports::{Peer, Stream};
use tracing::warn;

/// Authenticates the client, or tells it why it is turned away. Cancel safe: the connection is closed then.
pub(crate) async fn admit(server: &Server, door: &Door, stream: Stream, peer: &Peer) -> Option<Accepted> {
    match door.policy.access(peer) {
        Ok(access @ Access::Password(_)) => try_password(server, door, stream, peer, access).await,
        Ok(access @ Access::Open { sealed }) => {
            let accepted = accept(stream, config(server, access), &door.sessions, door.linger).await.map_err(log).ok();
            if sealed && accepted.is_some() {
                warn!("the client is not authenticated: this listener is open to everybody");
            }
            accepted
        }
        Err(refusal) => {
            warn!(reason = %refusal, hint = refusal.hint(), "connection refused");
            refuse(server, stream, Rejected::NotAllowed, &format!("{refusal}; {}", refusal.hint())).await;
            None
        }
    }
}

/// Lets the client in if it knows the password, and if it has not guessed too often.
async fn try_password(server: &Server, door: &Door, stream: Stream, peer: &Peer, password: Access) -> Option<Accepted> {
    let turn = match server.guesses.turn(peer).await {
        Ok(turn) => turn,
        Err(too_soon) => {
            warn!(reason = %too_soon, "connection refused");
            // Not for good: a client that comes back to its session tries again.
            refuse(server, stream, Rejected::Busy, &too_soon.to_string()).await;
            return None;
        }
    };
    match accept(stream, config(server, password), &door.sessions, door.linger).await {
        Ok(accepted) => {
            turn.right();
            Some(accepted)
        }
        Err(AcceptError::Handshake(HandshakeError::WrongPassword)) => {
            let count = turn.wrong();
            warn!(count, "wrong password");
            None
        }
        Err(error) => {
            log(error);
            None
        }
    }
}

fn config(server: &Server, access: Access) -> ServerConfig {
    ServerConfig { facts: server.facts.clone(), versions: Versions::SPOKEN, access, channel_binding: None }
}

async fn refuse(server: &Server, stream: Stream, reason: Rejected, text: &str) {
    if let Some(_slot) = server.refusal_slot() {
        let nobody = config(server, Access::Open { sealed: false });
        tell_session(stream, nobody, reason, text).await;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the last that is heard of the error")]
fn log(error: AcceptError) {
    warn!(reason = %error, "connection refused");
}
