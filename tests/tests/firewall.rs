//! `IcfEnable`: the way through the firewall, with real nftables on machines that are network namespaces. The row of table
//! 2.4 of the reference is here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use dbgsrv_tests::network::{FAR, Link};
use dbgsrv_tests::premote::{self, Outcome};
use dbgsrv_tests::server::{Server, dbgsrv};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use tempfile::TempDir;

/// A user that is nobody, and that no other test is.
const STRANGER: u32 = 12_347;
/// A firewall that lets in answers only, in two chains that both have to, and says so at once rather than to have clients wait.
const CLOSED: &str = "
    table inet guard {
        chain in {
            type filter hook input priority 0; policy drop;
            iif lo accept; ct state established accept; meta l4proto tcp reject with tcp reset;
        }
        chain out { type filter hook output priority 0; policy accept; }
    }
    table ip more {
        chain in { type filter hook input priority 10; policy drop; iif lo accept; ct state established accept; }
    }";
const INACTIVE_UFW: &str = "echo 'Status: inactive'";
const NO_FIREWALLD: &str = "echo 'not running' >&2; exit 252";

/// Two machines, of which the far one serves, and what its firewalls' tools are but for nftables'. Those that the
/// system has are another machine's: the one that the tests run on.
struct Machines {
    link: Link,
    tools: TempDir,
}

impl Machines {
    /// `None`, with a word, where there can't be any.
    fn new() -> Option<Self> {
        if !geteuid().is_root() {
            eprintln!("skipped: only root can make networks");
            return None;
        }
        let machines = Self { link: Link::new(), tools: tempfile::tempdir().expect("a folder can be made") };
        // For another user, too.
        fs::set_permissions(machines.tools.path(), PermissionsExt::from_mode(0o755)).expect("it is the test's");
        machines.tool("ufw", INACTIVE_UFW);
        machines.tool("firewall-cmd", NO_FIREWALLD);
        Some(machines)
    }

    /// Has a script stand for a firewall's tool. Its words are noted.
    fn tool(&self, name: &str, script: &str) {
        let (path, words) = (self.tools.path().join(name), self.tools.path().join("words"));
        let script = format!("#!/bin/sh\necho \"$*\" >>{}\n{script}\n", words.display());
        fs::write(&path, script).expect("it is the test's");
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("it is the test's");
    }

    /// What the tools were asked, in order.
    fn words(&self) -> String {
        fs::read_to_string(self.tools.path().join("words")).unwrap_or_default()
    }

    fn far(&self, program: &Path) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Link::command(&self.link.far, program);
        command.env("PATH", format!("{}:{path}", self.tools.path().display()));
        command
    }

    fn serve(&self, transport: &str) -> Server {
        let mut command = self.far(&dbgsrv());
        // The tests' support waits for a port.
        command.args(["-t", transport, "-t", "tcp:port=0,bind=127.0.0.1,hidden"]);
        Server::spawn(command)
    }

    /// A server that can't be started: its exit status, what it printed, and its error.
    fn refused(&self, transport: &str) -> Outcome {
        let mut command = self.far(&dbgsrv());
        command.args(["-t", transport]);
        premote::finish(command)
    }

    fn nft(&self, arguments: &[&str]) -> String {
        let mut command = self.far(Path::new("nft"));
        command.args(arguments);
        premote::finish(command).success()
    }

    fn rules(&self) -> String {
        self.nft(&["list", "ruleset"])
    }

    fn close(&self) {
        self.nft(&[CLOSED]);
    }

    /// A client of the near machine's at a port of the far one.
    fn client(&self, port: u16) -> Outcome {
        let mut client = Link::command(&self.link.near, &premote::path());
        client.args([&format!("tcp:server={FAR},port={port}"), "info"]);
        premote::finish(client)
    }
}

fn end(mut server: Server) {
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait(), 0);
}

/// A name that no other test has.
fn unique() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("opened-{}-{}", std::process::id(), LAST.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn table_2_4_icf_enable_lets_other_machines_in_to_the_port_that_is_used_and_never_closes_it() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let closed = machines.serve("tcp:port=5005,open");
    assert!(machines.client(5005).failure(255).contains("refused"), "the firewall is there");
    assert!(!machines.rules().contains("dbgsrv"));

    let opened = machines.serve("tcp:port=5005:5010,open,IcfEnable");
    assert_eq!(opened.port(), 5006);
    opened.assert_logs("dbgsrv 0.1.0: opened tcp port 5006 in nftables (inet guard in, ip more in)\n");
    opened.assert_logs("INFO opened tcp port 5006 in nftables (inet guard in, ip more in)");
    assert!(machines.client(5006).success().contains("tcp:port=5006:5010,open,IcfEnable"));
    assert!(machines.client(5005).failure(255).contains("refused"));
    let rules = machines.rules();
    let rule = "tcp dport 5006 accept comment \"opened by dbgsrv\"";
    assert_eq!(rules.matches(rule).count(), 2, "{rules}");
    end(opened);
    assert_eq!(machines.rules(), rules);

    let again = machines.serve("tcp:port=5006,open,IcfEnable");
    again.assert_logs("tcp port 5006 was open already in nftables (inet guard in, ip more in)");
    assert!(machines.client(5006).success().contains("tcp:port=5006"));
    assert_eq!(machines.rules(), rules);
    end(closed);
}

#[test]
fn table_2_4_icf_enable_of_npipe_has_nothing_to_open_and_says_so() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let before = machines.rules();
    let name = unique();
    let server = machines.serve(&format!("npipe:pipe={name},IcfEnable"));
    server.assert_logs("dbgsrv 0.1.0: only this machine is served, so there was nothing to open in a firewall\n");
    let info = premote::run(&[&format!("npipe:server=localhost,pipe={name}"), "info"]).success();
    assert!(info.contains(&format!("npipe:pipe={name},IcfEnable")), "{info}");
    assert_eq!((machines.rules(), machines.words()), (before, String::new()));
}

#[test]
fn a_port_of_loopback_addresses_is_opened_to_nobody() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let before = machines.rules();
    let server = machines.serve("tcp:port=5005,bind=127.0.0.1,IcfEnable");
    server.assert_logs("only this machine is served");
    assert_eq!(machines.rules(), before);
}

#[test]
fn where_no_firewall_is_in_force_the_server_says_so_and_serves() {
    let Some(machines) = Machines::new() else { return };
    let server = machines.serve("tcp:port=5005,open,IcfEnable");
    server.assert_logs("dbgsrv 0.1.0: no firewall is in force, so there was nothing to open\n");
    assert!(machines.client(5005).success().contains("tcp:port=5005"));
    assert!(!machines.rules().contains("dbgsrv"));
}

#[test]
fn rules_of_iptables_are_opened_in_nftables_where_they_are() {
    let Some(machines) = Machines::new() else { return };
    // What `iptables -P INPUT DROP` makes.
    machines.nft(&["table ip filter { chain INPUT { type filter hook input priority 0; policy drop; }\n}"]);
    let server = machines.serve("tcp:port=5005,open,IcfEnable");
    server.assert_logs("opened tcp port 5005 in nftables (ip filter INPUT)");
    let rules = machines.rules();
    assert!(rules.contains("tcp dport 5005 accept"), "{rules}");
}

#[test]
fn where_the_firewall_cannot_be_opened_nothing_is_served_and_the_exit_status_is_1() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let before = machines.rules();
    machines.tool("nft", "echo 'Error: No such file or directory' >&2; exit 1");
    let outcome = machines.refused("tcp:port=5005,open,IcfEnable");
    let error = "error: cannot open tcp port 5005 in the firewall: nft says: Error: No such file or directory; \
                 allowed: to start the server as root, or to leave out IcfEnable\n";
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    assert!(outcome.stderr.ends_with(error), "{}", outcome.stderr);
    fs::remove_file(machines.tools.path().join("nft")).unwrap();
    assert_eq!(machines.rules(), before);
}

#[test]
fn who_is_not_root_is_told_to_be() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    // The build may be where that user can't look.
    let copy = machines.tools.path().join("dbgsrv");
    fs::copy(dbgsrv(), &copy).unwrap();
    let mut command = machines.far(Path::new("setpriv"));
    command.args(["--reuid", &STRANGER.to_string(), "--clear-groups"]).arg(copy);
    command.args(["-t", "tcp:port=5005,open,IcfEnable"]);
    let outcome = premote::finish(command);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""), "{}", outcome.stderr);
    for part in ["cannot open tcp port 5005 in the firewall: nft says: ", "not permitted", "start the server as root"] {
        assert!(outcome.stderr.contains(part), "no {part} in: {}", outcome.stderr);
    }
}

#[test]
fn where_nothing_can_be_bound_nothing_is_opened() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let _first = machines.serve("tcp:port=5005,open");
    let mut command = machines.far(&dbgsrv());
    command.args(["-t", "tcp:port=5006,open,IcfEnable", "-t", "tcp:port=5005"]);
    let outcome = premote::finish(command);
    assert_eq!(outcome.status, 1, "{}", outcome.stderr);
    assert!(!machines.rules().contains("dbgsrv"));
}

#[test]
fn where_firewalld_runs_it_is_the_one_that_is_asked() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let before = machines.rules();
    machines.tool("firewall-cmd", "case $1 in --state) echo running;; --query-port=*) exit 1;; *) echo success;; esac");
    let server = machines.serve("tcp:port=5005,open,IcfEnable");
    server.assert_logs("opened tcp port 5005 in firewalld");
    assert_eq!(machines.words(), "--state\n--query-port=5005/tcp\n--add-port=5005/tcp\n");
    assert_eq!(machines.rules(), before);
    end(server);
    machines.tool("firewall-cmd", "echo yes");
    machines.serve("tcp:port=5005,open,IcfEnable").assert_logs("tcp port 5005 was open already in firewalld");
}

#[test]
fn where_ufw_is_active_it_is_the_one_that_is_asked() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let before = machines.rules();
    machines.tool("ufw", "case $1 in status) echo 'Status: active';; *) echo 'Rule added';; esac");
    let server = machines.serve("tcp:port=5005,open,IcfEnable");
    server.assert_logs("opened tcp port 5005 in ufw");
    assert_eq!(machines.words(), "--state\nstatus\nallow proto tcp to any port 5005 comment dbgsrv\n");
    assert_eq!(machines.rules(), before);
}

#[test]
fn a_relay_lets_its_clients_in_as_a_server_does() {
    let Some(machines) = Machines::new() else { return };
    machines.close();
    let _server = machines.serve("tcp:port=5005,bind=127.0.0.1,password=Sesame-17");
    let mut relay = machines.far(&premote::path());
    relay.args(["relay", "-p", "-c", "tcp:server=127.0.0.1,port=5005", "-s", "tcp:port=5006,open,IcfEnable"]);
    let relay = Server::spawn(relay);
    relay.assert_logs("premote relay: opened tcp port 5006 in nftables (inet guard in, ip more in)\n");
    let mut client = Link::command(&machines.link.near, &premote::path());
    client.args([&format!("tcp:server={FAR},port=5006,password=Sesame-17"), "info"]);
    assert!(premote::finish(client).success().contains("tcp:port=5005"));
}
