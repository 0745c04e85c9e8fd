//! By which addresses other machines may reach this one.

use std::net::IpAddr;

use nix::ifaddrs::{InterfaceAddress, getifaddrs};

/// The addresses by which other machines may reach this one; none if the system does not tell them.
pub fn interfaces() -> Vec<IpAddr> {
    let Ok(found) = getifaddrs() else {
        return Vec::new();
    };
    let ip = |interface: InterfaceAddress| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
        v4.or(address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
    };
    let mut addresses: Vec<IpAddr> = found.filter_map(ip).filter(is_reachable).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Whether other machines may reach this one by an address of it, without naming an interface of theirs.
fn is_reachable(ip: &IpAddr) -> bool {
    let is_link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !ip.is_loopback() && !is_link_local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_or_of_one_link_are_not_reached_from_others() {
        for (ip, reachable) in [
            ("127.0.0.1", false),
            ("169.254.1.2", false),
            ("::1", false),
            ("fe80::1", false),
            ("192.0.2.7", true),
            ("2001:db8::7", true),
        ] {
            assert_eq!(is_reachable(&ip.parse().unwrap()), reachable, "{ip}");
        }
        assert!(interfaces().iter().all(is_reachable));
    }
}
