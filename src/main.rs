//! Wires arguments, handlers and server; the only file that knows everyone.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use socket2::{Domain, Socket, Type};
use sockeye::access_log::{self, Log, LogLevel, Settings};
use sockeye::cli::limits::{self, Memory};
use sockeye::cli::listen::{self, BindError, Plan};
use sockeye::cli::terminal::{self, Greeting};
use sockeye::cli::{Exit, Options, directory};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => terminal::leave(&exit),
    }
}

fn run() -> Result<(), Exit> {
    let options = Options::parse(std::env::args_os().skip(1), Path::is_dir)?;
    let connections = limits::connections(options.connections_max);
    if options.print_limits {
        let memory = Memory {
            fixed_bytes: 24 << 20,
            connection_bytes: 20 << 10,
        };
        return Err(Exit::done(limits::table(&options, connections.max, memory)));
    }
    let chosen = directory::choose(options.directory.as_deref(), Path::new("."))?;
    let plan = Plan::new(&options.host, options.port)?;
    let listening = plan.bind(bind)?;

    let log = Log::to(terminal::log_output())
        .map_err(|error| Exit::failed(format!("cannot start a thread: {error}")))?;
    let settings = Settings {
        answers: !options.quiet,
        level: if options.verbose {
            LogLevel::Debug
        } else {
            LogLevel::Info
        },
        colour: terminal::colours_log(),
    };
    access_log::install(&log, settings).expect("nobody else installs a subscriber");

    let bound: Vec<SocketAddr> = listening
        .server
        .iter()
        .map(|(_, address)| *address)
        .collect();
    let notes: Vec<String> = [chosen.note, listening.note, connections.note]
        .into_iter()
        .flatten()
        .collect();
    terminal::greet(&Greeting {
        urls: &listen::urls(&options.host, &bound, &listen::interfaces()),
        directory: Some(&chosen.path),
        notes: &notes,
    });
    log.flush(std::time::Duration::from_secs(1));
    Ok(())
}

fn bind(addresses: &[SocketAddr]) -> Result<Vec<(TcpListener, SocketAddr)>, BindError> {
    let mut bound: Vec<(TcpListener, SocketAddr)> = Vec::new();
    for address in addresses {
        let mut address = *address;
        if let (0, Some((_, first))) = (address.port(), bound.first()) {
            address.set_port(first.port());
        }
        let listener = listen_on(address).map_err(|error| (address, error))?;
        let local = listener.local_addr().map_err(|error| (address, error))?;
        bound.push((listener, local));
    }
    Ok(bound)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}
