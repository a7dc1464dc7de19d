//! The body of the fuzz target `firewall`.

use crate::nftables::{Ruleset, insertions};
use serde_json::Value;
use std::str;

/// Reads `data` as what nft prints, and looks for a port in every chain that filters what comes in, as opening it does.
///
/// # Panics
/// Where what is to be inserted into those chains can't be read back.
pub fn firewall(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(rules) = Ruleset::parse(text) else { return };
    let closed = rules.closed_chains(5005);
    let sent = insertions(&closed, 5005).to_string();
    let items = serde_json::from_str::<Value>(&sent).expect("it is JSON");
    assert_eq!(items["nftables"].as_array().map(Vec::len), Some(closed.len()));
}
