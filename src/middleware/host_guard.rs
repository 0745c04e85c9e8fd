//! Answers only requests that are addressed to this server by one of its names.
//!
//! A page from anywhere can point its own name at 127.0.0.1 (DNS rebinding) and then read a local server with the
//! visitor's browser (esbuild GHSA-67mh-4wv8-2f99, Vite CVE-2025-24010). The request still names the page's host, so
//! a name that is not ours is answered 421 and nothing else.

use std::net::IpAddr;
use std::str::FromStr;

use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode, is_authority};

/// The names under which a server may be addressed.
///
/// Loopback names always are: `localhost`, whatever ends in `.localhost`, 127.0.0.0/8 and ::1.
///
/// ```
/// use sockeye::middleware::host_guard::{HostGuard, Hosts};
/// use sockeye::{Echo, Handler, Request, StatusCode};
///
/// let asked = |hosts: Hosts, host: &str| {
///     HostGuard::new(hosts, Echo).handle(&Request::get("/").with_header("Host", host)).status()
/// };
/// assert_eq!(asked(Hosts::loopback(), "localhost:8080"), StatusCode::OK);
/// assert_eq!(asked(Hosts::loopback(), "192.0.2.7"), StatusCode::MISDIRECTED_REQUEST);
/// assert_eq!(asked(Hosts::addresses(), "192.0.2.7"), StatusCode::OK);
/// assert_eq!(asked(Hosts::addresses().and(".dev.test".parse()?), "a.dev.test"), StatusCode::OK);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<HostName>,
    any_address: bool,
}

/// A name or address under which a server may be addressed, or several at once.
///
/// ```
/// use sockeye::middleware::host_guard::HostName;
///
/// assert_eq!("*".parse(), Ok(HostName::Any));
/// assert_eq!("[2001:db8::7]:8080".parse(), Ok(HostName::Address("2001:db8::7".parse()?)));
/// assert_eq!("*.Dev.test".parse(), Ok(HostName::Name(".dev.test".to_owned())));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// All names and addresses there are.
    Any,
    /// This address.
    Address(IpAddr),
    /// This name, or if it begins with a dot, the domain and all names in it; in lower case.
    Name(String),
}

impl FromStr for HostName {
    type Err = String;

    /// `dev.test`, `.dev.test` or `*.dev.test`, `192.0.2.7`, `[2001:db8::7]`, or `*`; with a port, as a request or the
    /// log names it, which is left out.
    fn from_str(text: &str) -> Result<HostName, String> {
        if text == "*" {
            return Ok(HostName::Any);
        }
        if let Ok(address) = text.parse() {
            return Ok(HostName::Address(address));
        }
        let text = text
            .strip_prefix("*.")
            .map_or(text.to_owned(), |domain| format!(".{domain}"));
        let bare = text.strip_prefix('.').unwrap_or(&text);
        if bare.contains('/') {
            return Err(
                "name the host alone, such as dev.test, without http:// and path".to_owned(),
            );
        }
        if !bare.is_ascii() {
            return Err("write the name as browsers send it, in ASCII: xn--…".to_owned());
        }
        if !is_authority(bare.as_bytes()) || bare.contains('*') {
            return Err(
                "expected a host such as dev.test, .dev.test, 192.0.2.7, [2001:db8::7] or *"
                    .to_owned(),
            );
        }
        let host = host_of(&text);
        Ok(match host.parse() {
            Ok(address) => HostName::Address(address),
            Err(_) => HostName::Name(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()),
        })
    }
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

    /// The same and `name`.
    pub fn and(mut self, name: HostName) -> Hosts {
        self.names.push(name);
        self
    }

    /// Whether a request for `authority`, a host with or without a port, is meant for us.
    fn include(&self, authority: &str) -> bool {
        let host = host_of(authority);
        // The host of nearly every request on a developer's machine.
        if matches!(host, "localhost" | "127.0.0.1") {
            return true;
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            let is_ours = |name: &HostName| match name {
                HostName::Any => true,
                HostName::Address(ours) => *ours == address,
                HostName::Name(_) => false,
            };
            return self.any_address || address.is_loopback() || self.names.iter().any(is_ours);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_ours = |name: &HostName| match name {
            HostName::Any => true,
            HostName::Address(_) => false,
            HostName::Name(name) => covers(name, host),
        };
        covers(".localhost", host) || self.names.iter().any(is_ours)
    }
}

/// Whether `authority` is one of the names that a machine has for itself.
pub(super) fn is_loopback_name(authority: &str) -> bool {
    Hosts::loopback().include(authority)
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
///
/// ```
/// use sockeye::middleware::host_guard::{HostGuard, Hosts};
/// use sockeye::{Echo, Handler, Request, StatusCode};
///
/// let guard = HostGuard::new(Hosts::loopback().and("dev.test".parse()?), Echo);
/// let asked = |host: &str| guard.handle(&Request::get("/").with_header("Host", host)).status();
/// assert_eq!(asked("dev.test:8080"), StatusCode::OK);
/// assert_eq!(asked("attacker.test"), StatusCode::MISDIRECTED_REQUEST);
/// # Ok::<(), String>(())
/// ```
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

impl<H> HostGuard<H> {
    fn refusal(&self, head: &Request) -> Option<Response> {
        // The authority of CONNECT is the tunnel's destination, not this server; no handler here makes tunnels.
        let authority = head
            .authority()
            .filter(|_| head.method() != Method::CONNECT)?;
        (!self.hosts.include(authority)).then(|| misdirected(head))
    }
}

impl<H: Handler> Handler for HostGuard<H> {
    fn handle(&self, request: &Request) -> Response {
        self.refusal(request)
            .unwrap_or_else(|| self.behind.handle(request))
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        self.refusal(head).or_else(|| self.behind.handle_head(head))
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        self.behind.complete(request, response)
    }
}

fn misdirected(head: &Request) -> Response {
    tracing::info!(target: "sockeye", host = head.authority(), "refused a request for another host; see --allow-host");
    let sentence = "this server does not answer for that host; start it with --allow-host and the name if it should";
    Response::problem(StatusCode::MISDIRECTED_REQUEST, sentence, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_and_addresses_are_included_and_others_are_not() {
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
        let names = [
            "Box.lan",
            ".example.test",
            "[2001:db8::2]:8214",
            "2001:db8::3",
            "wall.lan:8214",
            "*.star.test",
        ];
        let hosts = names.iter().fold(Hosts::loopback(), |hosts, name| {
            hosts.and(name.parse().unwrap())
        });
        for authority in [
            "box.lan",
            "BOX.LAN:80",
            "example.test",
            "a.b.example.test",
            "[2001:db8::2]",
            "[2001:DB8:0::2]:1",
            "[2001:db8::3]:80",
            "wall.lan",
            "wall.lan.:8214",
            "a.star.test",
        ] {
            assert!(hosts.include(authority), "{authority}");
        }
        for authority in ["abox.lan", "badexample.test", "lan", "[2001:db8::4]"] {
            assert!(!hosts.include(authority), "{authority}");
        }
        let any = Hosts::loopback().and(HostName::Any);
        assert!(any.include("anything.at.all") && any.include("192.0.2.7"));
    }

    #[test]
    fn a_malformed_host_is_refused_with_what_to_write() {
        for (text, sentence) in [
            ("", "expected a host"),
            (".", "expected a host"),
            ("a b", "expected a host"),
            ("a*", "expected a host"),
            ("a:port", "expected a host"),
            ("[::g]", "expected a host"),
            ("http://x", "without http://"),
            ("x/", "without http://"),
            ("bücher.test", "xn--"),
        ] {
            let error = text.parse::<HostName>().unwrap_err();
            assert!(error.contains(sentence), "{text:?}: {error}");
        }
    }
}
