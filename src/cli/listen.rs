//! The addresses to listen on, the order in which ports are tried, and the errors of both.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use super::{Exit, Host};
use crate::server::BindError;

/// The ports to try without `--port`; most other servers for developers begin here too.
const USUAL_PORTS: std::ops::RangeInclusive<u16> = 8080..=8089;

/// How often a port that is free for all addresses is looked for.
const ANY_PORT_TRIES: usize = 16;

/// The addresses to listen on, all at once, and the ports to try.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    addresses: Vec<IpAddr>,
    port: Option<u16>,
}

/// What came of a [`Plan`].
#[derive(Debug)]
pub struct Listening<T> {
    /// What the plan's `bind` returned.
    pub server: T,
    /// A sentence for the greeting when the port is not the usual one.
    pub note: Option<String>,
}

impl Plan {
    /// The addresses of `host`; `None` as port stands for the usual ones.
    ///
    /// # Errors
    ///
    /// If `host` is a name without an address.
    pub fn new(host: &Host, port: Option<u16>) -> Result<Plan, Exit> {
        let addresses = match host {
            Host::Loopback => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Host::Everywhere => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            Host::Named(name) => addresses_of(name)?,
        };
        Ok(Plan { addresses, port })
    }

    /// Lets `bind` try, and try again where that makes sense: without an address that this machine does not have (one
    /// without IPv6, say), and on the next usual port without `--port`.
    ///
    /// `bind` listens on all of the addresses or on none; if their port is 0, the same free one for all.
    ///
    /// # Errors
    ///
    /// What failed, and what to do about it.
    pub fn bind<T>(
        &self,
        mut bind: impl FnMut(&[SocketAddr]) -> Result<T, BindError>,
    ) -> Result<Listening<T>, Exit> {
        let usual = *USUAL_PORTS.start();
        let ports = match self.port {
            None => USUAL_PORTS.collect(),
            // The port that is free for the first address may be taken on the second.
            Some(0) => vec![0; ANY_PORT_TRIES],
            Some(port) => vec![port],
        };
        let mut last = None;
        for port in ports {
            match self.bind_port(port, &mut bind) {
                Ok(server) => {
                    let moved = self.port.is_none() && port != usual;
                    let note =
                        moved.then(|| format!("port {usual} is taken; using {port} instead"));
                    return Ok(Listening { server, note });
                }
                Err(error) if error.source.kind() != ErrorKind::AddrInUse => {
                    return Err(cannot_listen(&error));
                }
                Err(error) => last = Some(error),
            }
        }
        match (self.port, last) {
            (Some(_), Some(error)) => Err(cannot_listen(&error)),
            _ => Err(Exit::cannot_listen(format!(
                "ports {usual} to {} are all taken\n  try --port 0 for any free one",
                USUAL_PORTS.end()
            ))),
        }
    }

    fn bind_port<T>(
        &self,
        port: u16,
        bind: &mut impl FnMut(&[SocketAddr]) -> Result<T, BindError>,
    ) -> Result<T, BindError> {
        let with_port = |ip: &IpAddr| SocketAddr::new(*ip, port);
        let mut addresses: Vec<SocketAddr> = self.addresses.iter().map(with_port).collect();
        loop {
            match bind(&addresses) {
                Err(error) if is_not_here(&error.source) && addresses.len() > 1 => {
                    let before = addresses.len();
                    addresses
                        .retain(|address| Some(address.ip()) != error.address.map(|it| it.ip()));
                    if addresses.len() == before {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }
}

fn addresses_of(name: &str) -> Result<Vec<IpAddr>, Exit> {
    let mut addresses: Vec<IpAddr> = match (name, 0).to_socket_addrs() {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(_) => Vec::new(),
    };
    if addresses.is_empty() {
        let hint = "name an address of this machine, or say --host alone for all interfaces";
        return Err(Exit::cannot_listen(format!(
            "cannot listen on `{name}`: no such name\n  {hint}"
        )));
    }
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// Whether this machine lacks the address, or its whole family.
fn is_not_here(error: &io::Error) -> bool {
    // std has no kind for EAFNOSUPPORT, which a kernel without IPv6 answers.
    let no_family = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(no_family)
}

fn cannot_listen(error: &BindError) -> Exit {
    let BindError {
        address: Some(address),
        source,
    } = error
    else {
        return Exit::cannot_listen(error.to_string());
    };
    let port = address.port();
    let (what, hint) = match source.kind() {
        ErrorKind::PermissionDenied if port < 1024 => (
            "permission denied".to_owned(),
            "ports below 1024 need privileges; try --port 8080".to_owned(),
        ),
        ErrorKind::AddrInUse => (
            "the port is taken".to_owned(),
            "stop whoever has it, or try another: --port 0 is any free one".to_owned(),
        ),
        _ if is_not_here(source) => (
            "this machine has no such address".to_owned(),
            "say --host alone for all interfaces, or leave it out for this machine only".to_owned(),
        ),
        _ => (
            plain(source),
            "try another --port, or another address with --host".to_owned(),
        ),
    };
    Exit::cannot_listen(format!("cannot listen on {address}: {what}\n  {hint}"))
}

/// The system's error without its number, in lower case.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}

/// Where a browser finds us, the best first: `http://localhost:8080/`, then other machines' ways here.
///
/// `bound` are the sockets' addresses, `interfaces` those of this machine.
pub fn urls(host: &Host, bound: &[SocketAddr], interfaces: &[IpAddr]) -> Vec<String> {
    let Some(port) = bound.first().map(SocketAddr::port) else {
        return Vec::new();
    };
    let mut urls = Vec::new();
    if let Host::Named(name) = host
        && name.parse::<IpAddr>().is_err()
    {
        urls.push(format!("http://{name}:{port}/"));
        return urls;
    }
    if *host == Host::Loopback || bound.iter().any(|address| address.ip().is_unspecified()) {
        urls.push(format!("http://localhost:{port}/"));
    }
    for address in bound {
        match address.ip() {
            ip if ip.is_unspecified() => {
                let reached = |other: &&IpAddr| other.is_ipv4() == ip.is_ipv4();
                let others = interfaces.iter().filter(reached);
                urls.extend(others.map(|other| url(*other, port)));
            }
            _ if *host == Host::Loopback => {}
            ip => urls.push(url(ip, port)),
        }
    }
    urls
}

fn url(ip: IpAddr, port: u16) -> String {
    format!("http://{}/", SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: [&str; 2] = ["127.0.0.1:8080", "[::1]:8080"];

    fn plan(host: Host, port: Option<u16>) -> Plan {
        Plan::new(&host, port).unwrap()
    }

    /// Answers each bind from `answer`, and keeps what was tried.
    fn bind(
        plan: &Plan,
        answer: impl Fn(SocketAddr) -> Option<ErrorKind>,
    ) -> (Result<Listening<()>, Exit>, Vec<String>) {
        let mut tried = Vec::new();
        let result = plan.bind(|addresses| {
            tried.push(
                addresses
                    .iter()
                    .map(SocketAddr::to_string)
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            let failed = addresses
                .iter()
                .find_map(|address| Some((*address, answer(*address)?)));
            failed.map_or(Ok(()), |(address, kind)| {
                let source = kind.into();
                Err(BindError {
                    address: Some(address),
                    source,
                })
            })
        });
        (result, tried)
    }

    #[test]
    fn by_default_both_loopback_addresses_are_bound_at_once() {
        let (result, tried) = bind(&plan(Host::Loopback, None), |_| None);
        assert_eq!(result.unwrap().note, None);
        assert_eq!(tried, [LOOPBACK.join(" ")]);
    }

    #[test]
    fn a_machine_without_ipv6_is_served_on_ipv4_alone() {
        let no_v6 = |address: SocketAddr| address.is_ipv6().then_some(ErrorKind::AddrNotAvailable);
        let (result, tried) = bind(&plan(Host::Loopback, None), no_v6);
        assert!(result.is_ok());
        assert_eq!(tried, [LOOPBACK.join(" "), LOOPBACK[0].to_owned()]);
        assert!(
            is_not_here(&io::Error::from_raw_os_error(97)),
            "EAFNOSUPPORT"
        );
    }

    #[test]
    fn without_a_port_the_next_free_one_is_used_with_a_note() {
        // Taken on one family is taken: else `localhost` would lead to another server.
        let taken = |address: SocketAddr| {
            let busy = address.port() == 8080 || address.port() == 8081 && address.is_ipv6();
            busy.then_some(ErrorKind::AddrInUse)
        };
        let (result, tried) = bind(&plan(Host::Loopback, None), taken);
        assert_eq!(
            result.unwrap().note.unwrap(),
            "port 8080 is taken; using 8082 instead"
        );
        assert_eq!(tried.len(), 3);

        let (result, tried) = bind(&plan(Host::Loopback, None), |_| Some(ErrorKind::AddrInUse));
        assert!(
            result
                .unwrap_err()
                .text
                .contains("8080 to 8089 are all taken")
        );
        assert_eq!(tried.len(), 10);
    }

    #[test]
    fn any_free_port_is_looked_for_again_when_it_is_taken_on_the_other_family() {
        let tries = std::cell::Cell::new(0);
        let plan = plan(Host::Loopback, Some(0));
        let (result, _) = bind(&plan, |address| {
            tries.set(tries.get() + 1);
            (address.is_ipv6() && tries.get() < 6).then_some(ErrorKind::AddrInUse)
        });
        assert_eq!(result.unwrap().note, None);
    }

    #[test]
    fn a_host_or_port_that_is_not_available_is_exit_3_with_the_reason() {
        for (port, kind, text) in [
            (
                80,
                ErrorKind::PermissionDenied,
                "cannot listen on 127.0.0.1:80: permission denied\n  ports below 1024 need privileges; try --port 8080",
            ),
            (
                8080,
                ErrorKind::AddrInUse,
                "cannot listen on 127.0.0.1:8080: the port is taken\n",
            ),
            (
                8080,
                ErrorKind::AddrNotAvailable,
                "cannot listen on 127.0.0.1:8080: this machine has no such address\n",
            ),
        ] {
            let plan = plan(Host::Named("127.0.0.1".to_owned()), Some(port));
            let (result, tried) = bind(&plan, |_| Some(kind));
            let exit = result.unwrap_err();
            assert_eq!((exit.code, tried.len()), (3, 1));
            assert!(exit.text.starts_with(text), "{}", exit.text);
        }
    }

    #[test]
    fn the_systems_error_is_shown_without_its_number() {
        let exit = cannot_listen(&BindError {
            address: "[::1]:1".parse().ok(),
            source: io::Error::from_raw_os_error(24),
        });
        assert!(
            exit.text
                .starts_with("cannot listen on [::1]:1: too many open files\n")
        );
    }

    #[test]
    fn a_name_without_an_address_is_exit_3() {
        let exit = Plan::new(&Host::Named("no such name".to_owned()), None).unwrap_err();
        assert_eq!(exit.code, 3);
        assert!(exit.text.contains("`no such name`: no such name"));
    }

    #[test]
    fn the_urls_lead_here_from_where_one_may_come() {
        let machine = ["192.0.2.7", "2001:db8::7"].map(|text| text.parse().unwrap());
        for (host, bound, expected) in [
            (
                Host::Loopback,
                &["127.0.0.1:80", "[::1]:80"][..],
                &["http://localhost:80/"][..],
            ),
            (
                Host::Everywhere,
                &["0.0.0.0:81", "[::]:81"],
                &[
                    "http://localhost:81/",
                    "http://192.0.2.7:81/",
                    "http://[2001:db8::7]:81/",
                ],
            ),
            (
                Host::Named("0.0.0.0".to_owned()),
                &["0.0.0.0:82"],
                &["http://localhost:82/", "http://192.0.2.7:82/"],
            ),
            (
                Host::Named("::1".to_owned()),
                &["[::1]:83"],
                &["http://[::1]:83/"],
            ),
            (
                Host::Named("box.test".to_owned()),
                &["192.0.2.7:84"],
                &["http://box.test:84/"],
            ),
        ] {
            let bound: Vec<SocketAddr> = bound.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(urls(&host, &bound, &machine), expected);
        }
    }
}
