//! To the server, with a password from the terminal where one is wanted.

use crate::exit::ExitError;
use crate::terminal::{Reply, ask};
use dbgsrv_client::{ClientOptions, ConnectSettings, Connector, Error, Password, RemoteServer};
use dbgsrv_protocol::session::{HandshakeError, Rejected};
use dbgsrv_session::ConnectError;
use std::time::Duration;
use tokio::time::sleep;

/// How often a password is asked for, as by ssh(1).
const ATTEMPTS: usize = 3;

/// How many seconds a server that is not ready for another password is given.
const PATIENCE: usize = 10;

/// Connects, or waits for the server's call and says where. A server that wants a password and was given none is given one
/// from the terminal.
///
/// # Errors
/// [`ExitError::Client`] with the reason, [`ExitError::NoTerminal`] where there is nobody to ask.
pub(crate) async fn connect(options: &ClientOptions) -> Result<RemoteServer, ExitError> {
    let connector = Connector::new(options)?;
    if let Some(place) = connector.listen().await? {
        eprintln!("premote: waiting at {place} for the call of {}", options.redacted());
    }
    let mut refusal = match connector.connect(ConnectSettings::default()).await {
        Err(error @ Error::PasswordNeeded { .. }) => error,
        result => return Ok(result?),
    };
    for attempt in 1..=ATTEMPTS {
        // It blocks this thread, on which nothing else goes on yet.
        let password = match ask(&format!("Password of {}: ", options.redacted())) {
            Ok(Reply::Answer(password)) => password,
            Ok(Reply::Declined) => return Err(refusal.into()),
            Err(_) => return Err(ExitError::NoTerminal(refusal)),
        };
        let Ok(password) = password.parse::<Password>() else {
            eprintln!("A password has 1 to {} bytes.", Password::MAX_LENGTH);
            continue;
        };
        match connect_patiently(&connector, &ConnectSettings::default().password(password)).await {
            Err(error @ Error::WrongPassword { .. }) => {
                refusal = error;
                if attempt < ATTEMPTS {
                    eprintln!("Wrong password, please try again.");
                }
            }
            result => return Ok(result?),
        }
    }
    Err(refusal.into())
}

/// Connects to a server that lets a wrong password wait before it listens to another.
async fn connect_patiently(connector: &Connector, settings: &ConnectSettings) -> Result<RemoteServer, Error> {
    for _ in 0..PATIENCE {
        match connector.connect(settings.clone()).await {
            Err(Error::Connect { source, .. }) if is_busy(&source) => sleep(Duration::from_secs(1)).await,
            result => return result,
        }
    }
    connector.connect(settings.clone()).await
}

fn is_busy(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Handshake(HandshakeError::Rejected { reason: Rejected::Busy, .. }))
}
