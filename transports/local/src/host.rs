//! Which machine is meant.

use dbgsrv_protocol::options::{Address, Host};
use nix::ifaddrs::getifaddrs;
use nix::sys::utsname::uname;
use std::net::IpAddr;

/// Whether `host` is a name of this machine: `localhost`, a loopback address or another one of its own, or what it calls
/// itself, with or without its domain. Nothing is looked up.
#[must_use]
pub fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Address(Address::V4(address)) => is_own_address(&IpAddr::V4(*address)),
        Host::Address(Address::V6(address, _)) => is_own_address(&address.to_canonical()),
        Host::Name(name) => {
            let own = uname().map(|system| system.nodename().to_string_lossy().into_owned());
            is_one_of(name.as_str(), &own.unwrap_or_default())
        }
    }
}

/// Whether `address` is a loopback address, or one of an interface of this machine.
#[must_use]
pub fn is_own_address(address: &IpAddr) -> bool {
    let of_interfaces = || getifaddrs().into_iter().flatten().filter_map(|interface| interface.address);
    address.is_loopback()
        || of_interfaces().any(|own| {
            let v4 = own.as_sockaddr_in().map(|own| IpAddr::V4(own.ip()));
            v4.or_else(|| own.as_sockaddr_in6().map(|own| IpAddr::V6(own.ip()))) == Some(*address)
        })
}

fn is_one_of(name: &str, own: &str) -> bool {
    let short = own.split('.').next().unwrap_or_default();
    ["localhost", own, short].iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_knows_its_own_names_in_any_case() {
        for name in ["localhost", "LocalHost", "box17", "BOX17.example.org"] {
            assert!(is_one_of(name, "box17.example.org"), "{name}");
        }
        for name in ["box1", "box17.example", "example.org", "box18"] {
            assert!(!is_one_of(name, "box17.example.org"), "{name}");
        }
    }

    #[test]
    fn loopback_addresses_are_this_machine_and_others_are_not_looked_up() {
        for (text, here) in [("127.0.0.1", true), ("[::1]", true), ("localhost", true), ("192.0.2.1", false)] {
            assert_eq!(is_this_machine(&text.parse().unwrap()), here, "{text}");
        }
    }
}
