//! nftables itself (nft(8), libnftables-json(5)). iptables keeps its rules there, too, unless it is the legacy one.

use crate::tool::run;
use crate::{FirewallError, Opened};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;

const TOOL: &str = "nft";
/// By what a rule of ours is known.
const COMMENT: &str = "opened by dbgsrv";
/// Where the kernel lists the tables of the legacy iptables, one a line; absent without them.
const LEGACY: [&str; 2] = ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"];

/// Opens a port in every chain that filters what comes in, until the rules are loaded anew. `None` where there is no nftables.
///
/// In every one: what one chain lets in, another of the same hook may still drop.
pub(crate) fn open(port: u16) -> Result<Option<Opened>, FirewallError> {
    let Some(listed) = run(TOOL, &["-j", "list", "ruleset"], "")? else { return Ok(None) };
    let rules = Ruleset::parse(&listed.succeed(TOOL)?)?;
    if LEGACY.iter().any(|names| fs::read_to_string(names).is_ok_and(|names| filters(&names))) {
        return Err(FirewallError::Legacy);
    }
    let chains = rules.input_chains();
    if chains.is_empty() {
        return Ok(Some(Opened::NoFirewall));
    }
    let closed = rules.closed_chains(port);
    if closed.is_empty() {
        return Ok(Some(Opened::Before { port, firewall: names(&chains) }));
    }
    match run(TOOL, &["-j", "-f", "-"], &insertions(&closed, port).to_string())? {
        None => Ok(None),
        Some(inserted) => inserted.succeed(TOOL).map(|_| Some(Opened::Now { port, firewall: names(&closed) })),
    }
}

/// Whether a table that filters is among those of the legacy iptables.
fn filters(names: &str) -> bool {
    names.lines().any(|name| name == "filter")
}

fn names(chains: &[&Chain]) -> String {
    let names: Vec<_> = chains.iter().map(|chain| format!("{} {} {}", chain.family, chain.table, chain.name)).collect();
    format!("nftables ({})", names.join(", "))
}

/// What is there, of which only a part is of interest.
#[derive(Debug, Default)]
pub(crate) struct Ruleset {
    chains: Vec<Chain>,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Chain {
    family: String,
    table: String,
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    hook: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    family: String,
    table: String,
    chain: String,
    comment: Option<String>,
    expr: Vec<Value>,
}

impl Ruleset {
    pub(crate) fn parse(text: &str) -> Result<Self, FirewallError> {
        let unclear = |problem: String| FirewallError::Unclear { tool: TOOL, problem };
        let whole: Value = serde_json::from_str(text).map_err(|error| unclear(error.to_string()))?;
        let items =
            whole.get("nftables").and_then(Value::as_array).ok_or_else(|| unclear("no list of rules".into()))?;
        let mut ruleset = Self::default();
        for item in items {
            if let Some(chain) = item.get("chain") {
                ruleset.chains.push(Chain::deserialize(chain).map_err(|error| unclear(error.to_string()))?);
            } else if let Some(rule) = item.get("rule") {
                ruleset.rules.push(Rule::deserialize(rule).map_err(|error| unclear(error.to_string()))?);
            }
        }
        Ok(ruleset)
    }

    /// The chains that what comes in for this machine has to pass.
    fn input_chains(&self) -> Vec<&Chain> {
        let filters = |chain: &&Chain| {
            matches!(chain.family.as_str(), "inet" | "ip" | "ip6")
                && chain.kind.as_deref() == Some("filter")
                && chain.hook.as_deref() == Some("input")
        };
        self.chains.iter().filter(filters).collect()
    }

    /// Those of them in which there is no rule of ours for this port.
    pub(crate) fn closed_chains(&self, port: u16) -> Vec<&Chain> {
        self.input_chains().into_iter().filter(|chain| !self.has_rule(chain, port)).collect()
    }

    /// Whether a rule of ours is there for this port.
    fn has_rule(&self, chain: &Chain, port: u16) -> bool {
        let ours = expressions(port);
        self.rules.iter().any(|rule| {
            (&rule.family, &rule.table, &rule.chain) == (&chain.family, &chain.table, &chain.name)
                && rule.comment.as_deref() == Some(COMMENT)
                && ours.as_array().is_some_and(|ours| *ours == rule.expr)
        })
    }
}

/// What a rule of ours does.
fn expressions(port: u16) -> Value {
    let destination = json!({ "payload": { "protocol": "tcp", "field": "dport" } });
    json!([{ "match": { "op": "==", "left": destination, "right": port } }, { "accept": null }])
}

/// Puts a rule before all others of each chain.
pub(crate) fn insertions(chains: &[&Chain], port: u16) -> Value {
    let insertion = |chain: &&Chain| {
        json!({ "insert": { "rule": {
            "family": chain.family,
            "table": chain.table,
            "chain": chain.name,
            "expr": expressions(port),
            "comment": COMMENT,
        } } })
    };
    json!({ "nftables": chains.iter().map(insertion).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As nft 1.0.6 prints it.
    const LISTED: &str = r#"{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "inet", "name": "filter", "handle": 1}},
        {"chain": {"family": "inet", "table": "filter", "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
        {"chain": {"family": "inet", "table": "filter", "name": "helper", "handle": 2}},
        {"chain": {"family": "inet", "table": "nat", "name": "post", "handle": 3, "type": "nat", "hook": "postrouting", "prio": 100, "policy": "accept"}},
        {"chain": {"family": "arp", "table": "arp", "name": "input", "handle": 4, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}},
        {"rule": {"family": "inet", "table": "filter", "chain": "input", "handle": 5, "comment": "opened by dbgsrv", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 5005}}, {"accept": null}]}}]}"#;

    #[test]
    fn only_chains_that_filter_what_comes_in_are_opened() {
        let rules = Ruleset::parse(LISTED).unwrap();
        let chains = rules.input_chains();
        assert_eq!(chains.len(), 1);
        assert_eq!((chains[0].table.as_str(), chains[0].name.as_str()), ("filter", "input"));
        assert!(rules.has_rule(chains[0], 5005) && !rules.has_rule(chains[0], 5006));
    }

    #[test]
    fn names_go_to_nft_as_json_whatever_is_in_them() {
        let text = |text: &str| text.to_owned();
        let chain =
            Chain { family: text("ip"), table: text("a\"; flush ruleset"), name: text("in"), kind: None, hook: None };
        let sent: Value = serde_json::from_str(&insertions(&[&chain], 7).to_string()).unwrap();
        assert_eq!(sent["nftables"][0]["insert"]["rule"]["table"], "a\"; flush ruleset");
        assert_eq!(sent["nftables"][0]["insert"]["rule"]["expr"], expressions(7));
    }

    #[test]
    fn legacy_tables_that_filter_are_told_from_others() {
        assert!(filters("nat\nfilter\n"));
        assert!(!filters("nat\nmangle\n") && !filters(""));
    }

    #[test]
    fn what_is_no_list_of_rules_is_an_error() {
        for text in ["", "{}", "[]", r#"{"nftables": [{"chain": {"family": 1}}]}"#] {
            assert!(matches!(Ruleset::parse(text), Err(FirewallError::Unclear { tool: "nft", .. })), "{text}");
        }
    }
}
