//! A handler before a handler: answers only requests that are meant for this server, by the name they use.
//!
//! A page from anywhere can point its own name at 127.0.0.1 (DNS rebinding) and then read a local server with the
//! visitor's browser (esbuild GHSA-67mh-4wv8-2f99, Vite CVE-2025-24010). The request still names the page's host, so
//! a name that is not ours is answered 421 and nothing else.

use std::net::IpAddr;

use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode};

/// The names under which a server may be addressed.
///
/// Loopback names always are: `localhost`, whatever ends in `.localhost`, 127.0.0.0/8 and ::1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<String>,
    any_name: bool,
    any_address: bool,
}

impl Hosts {
    /// Loopback names and no others: right for a server that only this machine can reach.
    pub fn loopback() -> Hosts {
        Hosts::default()
    }

    /// The same and every address: right for a server that others reach. No page can rebind an address, so an
    /// address that we do not know as ours (behind a port forward, say) does no harm.
    pub fn addresses() -> Hosts {
        Hosts {
            any_address: true,
            ..Hosts::default()
        }
    }

    /// The same and `name`; one that begins with a dot stands for all names that end in it, and `*` for all there are.
    pub fn and(mut self, name: &str) -> Hosts {
        self.any_name |= name == "*";
        self.names.push(name.to_ascii_lowercase());
        self
    }

    /// Whether a request for `authority`, a host with or without a port, is meant for us.
    fn include(&self, authority: &str) -> bool {
        let host = host_of(authority);
        // What nearly every request on a developer's machine says.
        if matches!(host, "localhost" | "127.0.0.1") {
            return true;
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.any_address
                || self.any_name
                || address.is_loopback()
                || self.names.iter().any(|name| name == host);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        self.any_name
            || covers(".localhost", host)
            || self.names.iter().any(|name| covers(name, host))
    }
}

/// Whether `host`, in any letter case, is `name`, or lies in the domain that `name` is if it begins with a dot.
fn covers(name: &str, host: &str) -> bool {
    let (name, host) = (name.as_bytes(), host.as_bytes());
    match name.strip_prefix(b".") {
        Some(_) if host.len() >= name.len() => {
            host[host.len() - name.len()..].eq_ignore_ascii_case(name)
        }
        Some(parent) => host.eq_ignore_ascii_case(parent),
        None => host.eq_ignore_ascii_case(name),
    }
}

/// The host in `host [":" port]`, without the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    let (host, end) = match authority.strip_prefix('[') {
        Some(rest) => (rest, b']'),
        None => (authority, b':'),
    };
    let end = host.bytes().position(|byte| byte == end);
    &host[..end.unwrap_or(host.len())]
}

/// Asks the handler behind it only about requests for [`Hosts`]; others are answered 421.
///
/// A request that names no host (HTTP/1.0) is let through: no browser sends one.
#[derive(Debug)]
pub struct HostGuard<H> {
    hosts: Hosts,
    behind: H,
}

impl<H: Handler> HostGuard<H> {
    /// Stands before `behind`.
    pub fn new(hosts: Hosts, behind: H) -> HostGuard<H> {
        HostGuard { hosts, behind }
    }
}

impl<H: Handler> Handler for HostGuard<H> {
    fn handle(&self, request: &Request) -> Response {
        self.behind.handle(request)
    }

    // Every request passes here before its body is read, so this is the only door.
    fn handle_head(&self, head: &Request) -> Option<Response> {
        match head.authority() {
            // It names where it wants a tunnel to, not who we are; nobody behind us digs one.
            _ if head.method() == Method::CONNECT => self.behind.handle_head(head),
            Some(authority) if !self.hosts.include(authority) => Some(misdirected(head)),
            _ => self.behind.handle_head(head),
        }
    }
}

fn misdirected(head: &Request) -> Response {
    tracing::info!(target: "sockeye", host = head.authority(), "refused a request for another host; see --allow-host");
    let sentence = "this server does not answer for that host; start it with --allow-host and the name if it should";
    Response::problem(StatusCode::MISDIRECTED_REQUEST, sentence, head.headers())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_ours_are_told_from_those_that_are_not() {
        let table = [
            ("localhost", true, true),
            ("LOCALHOST:8080", true, true),
            ("localhost.", true, true),
            ("app.localhost:80", true, true),
            ("127.0.0.1:8080", true, true),
            ("127.8.9.1", true, true),
            ("[::1]:8080", true, true),
            ("192.0.2.7", false, true),
            ("[2001:db8::1]:80", false, true),
            ("0.0.0.0:8080", false, true),
            ("evil.test", false, false),
            ("localhost.evil.test", false, false),
            ("notlocalhost", false, false),
            ("127.0.0.1.evil.test", false, false),
        ];
        for (authority, on_loopback, elsewhere) in table {
            assert_eq!(
                Hosts::loopback().include(authority),
                on_loopback,
                "{authority}"
            );
            assert_eq!(
                Hosts::addresses().include(authority),
                elsewhere,
                "{authority}"
            );
        }
    }

    #[test]
    fn a_name_that_is_allowed_is_ours_too() {
        let hosts = Hosts::loopback().and("Box.lan").and(".example.test");
        for authority in ["box.lan", "BOX.LAN:80", "example.test", "a.b.example.test"] {
            assert!(hosts.include(authority), "{authority}");
        }
        for authority in ["abox.lan", "badexample.test", "lan"] {
            assert!(!hosts.include(authority), "{authority}");
        }
        assert!(Hosts::loopback().and("*").include("anything.at.all"));
    }
}
