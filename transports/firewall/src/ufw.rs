//! ufw, which keeps its rules in files (ufw(8)).

use crate::tool::run;
use crate::{FirewallError, Opened};

const TOOL: &str = "ufw";

/// Opens a port, for good. `None` where ufw is not active.
pub(crate) fn open(port: u16) -> Result<Option<Opened>, FirewallError> {
    let Some(status) = run(TOOL, &["status"], "")? else { return Ok(None) };
    if !is_active(&status.succeed(TOOL)?) {
        return Ok(None);
    }
    let port_argument = port.to_string();
    let rule = ["allow", "proto", "tcp", "to", "any", "port", &port_argument, "comment", "dbgsrv"];
    match run(TOOL, &rule, "")? {
        None => Ok(None),
        Some(added) => added.succeed(TOOL).map(|said| Some(outcome(port, &said))),
    }
}

fn is_active(status: &str) -> bool {
    status.lines().any(|line| line.trim() == "Status: active")
}

/// It says for each version of IP whether there was such a rule.
fn outcome(port: u16, said: &str) -> Opened {
    let firewall = "ufw".to_owned();
    let skipped = said.lines().all(|line| line.starts_with("Skipping"));
    if skipped { Opened::Before { port, firewall } } else { Opened::Now { port, firewall } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ufw_says_is_understood() {
        assert!(is_active("Status: active\n\nTo   Action  From\n"));
        assert!(!is_active("Status: inactive\n"));
        let firewall = "ufw".to_owned();
        assert_eq!(outcome(7, "Rule added\nRule added (v6)\n"), Opened::Now { port: 7, firewall: firewall.clone() });
        let skipped = "Skipping adding existing rule\nSkipping adding existing rule (v6)\n";
        assert_eq!(outcome(7, skipped), Opened::Before { port: 7, firewall });
    }
}
