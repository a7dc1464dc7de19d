//! Finding process servers.

use crate::Error;
use dbgsrv_discovery::{Findings, FoundServer, find};
use dbgsrv_protocol::options::Host;

/// The process servers of a machine (`OutputServers`), or, where none is named, those of this machine and all that the
/// network's machines announce. Must be called inside a tokio runtime with I/O and time. Takes up to 8 seconds where it is
/// not about this machine alone.
///
/// Of this machine those are listed that this user may know of: this user's and, where root started them, everybody's. Other
/// machines announce what could be used from here. Neither has servers that are `hidden`, or that call their clients.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let found = dbgsrv_client::servers(Some(&"BOX17".parse()?)).await?;
/// for server in &found.servers {
///     println!("{server}: premote {}", server.client_options());
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Find`]. A machine without servers is none.
pub async fn servers(machine: Option<&Host>) -> Result<Findings<FoundServer>, Error> {
    Ok(find(machine).await?)
}
