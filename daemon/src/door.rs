//! What holds for all who come through one listener.

use crate::policy::Policy;
use crate::worker::Terms;
use dbgsrv_protocol::options::{Password, ServerOptions};
use dbgsrv_session::Sessions;
use std::time::Duration;

/// One listener's terms, and the sessions that began there: a session can be continued only where it began.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) policy: Policy,
    /// How long a session whose connection is cut waits for its client.
    pub(crate) linger: Duration,
    /// Whether a client that is called is called again when it is gone.
    pub(crate) reconnect: bool,
    pub(crate) sessions: Sessions,
    /// Those of debug sessions.
    pub(crate) terms: Terms,
}

impl Door {
    pub(crate) fn new(options: &ServerOptions, password: Option<Password>) -> Self {
        Self {
            policy: Policy::new(options, password),
            reconnect: options.reconnect(),
            linger: options.session().linger.unwrap_or_default().duration(),
            sessions: Sessions::default(),
            terms: Terms::of(options.session()),
        }
    }
}
