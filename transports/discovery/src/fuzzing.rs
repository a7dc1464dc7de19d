//! The bodies of the fuzz target `discovery`.

use crate::entry::Entry;
use crate::record;
use std::net::{IpAddr, Ipv6Addr};
use std::str;

/// Reads `data` as a file of the registry, and as an announcement: two bytes of port, the machine's name up to a zero, then
/// the text record.
///
/// # Panics
/// Where an entry that is read does not print as one that reads the same, and where a message is unbounded.
pub fn discovery(data: &[u8]) {
    /// More than any message needs, as for connection strings.
    const MAX_MESSAGE: usize = 1600;
    match Entry::parse(data) {
        Ok(entry) => assert_eq!(Ok(&entry), Entry::parse(entry.to_string().as_bytes()).as_ref()),
        Err(error) => assert!(error.to_string().len() <= MAX_MESSAGE, "{error}"),
    }
    let Some((port, rest)) = data.split_first_chunk() else { return };
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let (name, text) = rest.split_at(end);
    let addresses = [IpAddr::from([192, 0, 2, 7]), Ipv6Addr::LOCALHOST.into()];
    let Ok(name) = str::from_utf8(name) else { return };
    match record::read(name, u16::from_be_bytes(*port), text.get(1..), addresses) {
        Ok(near) => {
            let client = near.server.client_options(&near.machine).to_string();
            assert!(!client.contains(char::is_control), "{client}");
        }
        Err(error) => assert!(error.to_string().len() <= MAX_MESSAGE, "{error}"),
    }
}
