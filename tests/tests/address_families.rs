//! Listening where an address family is lacking.

use std::process::Command;

use dbgsrv_tests::server::Server;
use nix::sched::{CloneFlags, unshare};

/// Moves this thread, and what it starts, into a network of its own that has nothing but IPv4's loopback. False where
/// that is not allowed.
fn enter_network_without_ipv6() -> bool {
    // Each network has settings of its own, so this changes the new one only.
    let switch_off = || std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    let loopback_up = || Command::new("ip").args(["link", "set", "lo", "up"]).status();
    unshare(CloneFlags::CLONE_NEWNET).is_ok()
        && switch_off().is_ok()
        && loopback_up().is_ok_and(|status| status.success())
}

#[test]
fn clients_are_served_over_ipv4_where_there_is_no_ipv6() {
    if !enter_network_without_ipv6() {
        eprintln!("skipped: no network of its own can be made here, or it has no switch for IPv6");
        return;
    }
    Server::start().assert_still_serves();
}
