//! Wires arguments, handlers and server; the only file that knows everyone.

mod confine;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use sockeye::access_log::{self, Log, LogLevel, Settings};
use sockeye::cli::limits::{self, Connections, Memory};
use sockeye::cli::listen::{self, Plan};
use sockeye::cli::terminal::{self, Greeting};
use sockeye::cli::{Exit, Host, Options, directory};
use sockeye::echo::Echo;
use sockeye::files::{FilesConfig, StaticFiles};
use sockeye::host_guard::{HostGuard, Hosts};
use sockeye::router::Router;
use sockeye::server::{Config, Server, Stopper, Summary};

// What is said at the end waits so long for an output that does not take it.
const LAST_WORDS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => terminal::leave(&exit),
    }
}

fn run() -> Result<(), Exit> {
    let options = Options::parse(std::env::args_os().skip(1), Path::is_dir)?;
    let connections = limits::connections(options.connections_max);
    let config = config(&options, &connections);
    let files_config = FilesConfig {
        hidden: options.hidden,
        follow_symlinks: options.follow_symlinks,
        cache_bytes: options.cache_bytes_max,
        siblings: !options.no_siblings,
    };
    let memory = memory(&config, &files_config);
    if options.print_limits {
        return Err(Exit::done(limits::table(&options, connections.max, memory)));
    }
    let chosen = directory::choose(options.directory.as_deref(), Path::new("."))?;
    let files = StaticFiles::with_config(&chosen.path, &files_config).map_err(|error| {
        Exit::no_directory(format!("cannot read `{}`: {error}", chosen.path.display()))
    })?;
    let listening = Plan::new(&options.host, options.port)?.bind(|addresses| {
        Server::bind_all(addresses).map_err(|error| (error.address, error.source))
    })?;
    let user = options.user.as_deref();
    let confined = confine::confine(&chosen.path, user, options.follow_symlinks)?;

    let log = start_log(&options)?;
    let server = listening.server.with_config(config);
    let bound = server.local_addrs();
    let notes = [chosen.note, listening.note, connections.note];
    // Before anybody learns that it runs, and may tell it to stop.
    stop_on_signals(server.stopper())?;
    let verbose_notes = options.verbose.then_some(confined);
    terminal::greet(&Greeting {
        urls: &listen::urls(&options.host, &bound, &listen::interfaces()),
        directory: Some(&chosen.path),
        notes: &notes
            .into_iter()
            .flatten()
            .chain(verbose_notes)
            .collect::<Vec<_>>(),
    });

    // A person at a terminal asks when it matters; a log keeps it.
    if options.verbose || !io::stdout().is_terminal() {
        tracing::info!(target: "sockeye", "{}", memory.sentence(connections.max));
    }
    let router = Router::new().any("/echo", Echo).fallback(files);
    let is_local = bound.iter().all(|address| address.ip().is_loopback());
    let served = server.serve(HostGuard::new(hosts(&options, is_local), router));
    if let Ok(Summary { finished, cut }) = &served {
        tracing::info!(target: "sockeye", finished, cut, "stopped");
    }
    log.flush(LAST_WORDS);
    served.map_err(|error| Exit::failed(format!("cannot serve: {error}")))?;
    Ok(())
}

fn config(options: &Options, connections: &Connections) -> Config {
    let mut config = Config {
        connections_max: connections.max,
        head_timeout: options.head_timeout,
        body_timeout: options.body_timeout,
        write_timeout: options.write_timeout,
        idle_timeout: options.idle_timeout,
        grace: options.grace,
        ..Config::default()
    };
    config.limits.body_bytes_max = options.body_bytes_max;
    config.active_threads = options.threads.unwrap_or(config.active_threads);
    config
}

/// What the server's memory is made of. None of the handlers here collects a body.
fn memory(config: &Config, files: &FilesConfig) -> Memory {
    let mut config = config.clone();
    config.limits.body_bytes_max = 0;
    Memory {
        fixed_bytes: config.fixed_bytes() + access_log::WAITING_BYTES_MAX + files.memory_bytes(),
        connection_bytes: config.connection_bytes(),
    }
}

/// The names under which requests are ours: this machine's, as far as it can be reached by them.
fn hosts(options: &Options, is_local: bool) -> Hosts {
    let mut hosts = if is_local {
        Hosts::loopback()
    } else {
        Hosts::addresses()
    };
    if !is_local {
        let system = rustix::system::uname();
        let name = system.nodename().to_string_lossy();
        hosts = hosts.and(&name).and(&format!("{name}.local"));
    }
    if let Host::Named(name) = &options.host {
        hosts = hosts.and(name);
    }
    options
        .allowed_hosts
        .iter()
        .fold(hosts, |hosts, name| hosts.and(name))
}

fn start_log(options: &Options) -> Result<Log, Exit> {
    let log = Log::to(terminal::log_output())
        .map_err(|error| Exit::failed(format!("cannot start a thread: {error}")))?;
    let level = if options.verbose {
        LogLevel::Debug
    } else {
        LogLevel::Info
    };
    let settings = Settings {
        answers: !options.quiet,
        level,
        colour: terminal::colours_log(),
    };
    access_log::install(&log, settings).expect("nobody else installs a subscriber");
    Ok(log)
}

/// SIGINT and SIGTERM stop the server, a second one at once. So does SIGHUP if a terminal started it: a window that
/// is closed must not leave a server behind on the port. Without a terminal SIGHUP is somebody's habit for "read
/// your configuration again", and there is none.
fn stop_on_signals(stopper: Stopper) -> Result<(), Exit> {
    let cannot = |error: io::Error| Exit::failed(format!("cannot wait for signals: {error}"));
    let has_terminal =
        io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(cannot)?;
    let wait = move || {
        for signal in &mut signals {
            if signal != SIGHUP || has_terminal {
                stopper.stop();
            }
        }
    };
    thread::Builder::new()
        .name("sockeye-signals".to_owned())
        .spawn(wait)
        .map_err(cannot)?;
    Ok(())
}
