//! firewalld: a daemon, asked by `firewall-cmd` (firewall-cmd(1)).

use crate::tool::run;
use crate::{FirewallError, Opened};

const TOOL: &str = "firewall-cmd";

/// Opens a port in the default zone, until firewalld is reloaded. `None` where firewalld does not run.
pub(crate) fn open(port: u16) -> Result<Option<Opened>, FirewallError> {
    match run(TOOL, &["--state"], "")? {
        Some(state) if state.succeeded => {}
        _ => return Ok(None),
    }
    let port_argument = format!("{port}/tcp");
    let firewall = || "firewalld".to_owned();
    let query = run(TOOL, &[&format!("--query-port={port_argument}")], "")?;
    if query.is_some_and(|query| query.succeeded) {
        return Ok(Some(Opened::Before { port, firewall: firewall() }));
    }
    match run(TOOL, &[&format!("--add-port={port_argument}")], "")? {
        None => Ok(None),
        Some(added) => added.succeed(TOOL).map(|_| Some(Opened::Now { port, firewall: firewall() })),
    }
}
