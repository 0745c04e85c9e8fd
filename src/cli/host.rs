//! The address to listen on, in all its spellings (pure).

/// The address to listen on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Host {
    /// From this machine: 127.0.0.1 and ::1.
    #[default]
    Loopback,
    /// From everywhere: all interfaces.
    Everywhere,
    /// At this address or the addresses of this name.
    Named(String),
}

/// Every spelling of "all interfaces", or a name; an IPv6 address may stand in its brackets.
pub(super) fn host(name: &str) -> Host {
    match name {
        "" | "*" => Host::Everywhere,
        _ => Host::Named(name.trim_matches(['[', ']']).to_owned()),
    }
}

/// `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `tcp://localhost:8080`. A bare port is this machine only.
pub(super) fn listen(text: &str) -> Result<(Host, u16), String> {
    let text = text.strip_prefix("tcp://").unwrap_or(text);
    let (host, port) = match text.rsplit_once(':') {
        None => (Host::Loopback, text),
        Some((name, port)) => (host(name), port),
    };
    match port.parse() {
        Ok(port) => Ok((host, port)),
        Err(_) => Err("expected a port, or an address and a port: 8080, 127.0.0.1:8080".to_owned()),
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    let port = text.parse();
    port.map_err(|_| format!("expected a port from 0 to {}", u16::MAX))
}
