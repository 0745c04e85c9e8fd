//! Wires arguments, handlers and server; the only file that knows everyone.

mod confine;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use sockeye::Handler;
use sockeye::access_log::{self, Format, Log, LogLevel, Settings};
use sockeye::cli::directory::{self, Chosen};
use sockeye::cli::limits::{self, Memory};
use sockeye::cli::listen::{self, Plan};
use sockeye::cli::terminal::{self, Greeting};
use sockeye::cli::{self, Exit, Options};
use sockeye::echo::Echo;
use sockeye::files::{FilesConfig, StaticFiles};
use sockeye::middleware::auth::User;
use sockeye::middleware::explain::Missing;
use sockeye::router::Router;
use sockeye::server::{Config, Server, Stopper, Summary};

// What is said at the end waits so long for an output that does not take it.
const LAST_WORDS: Duration = Duration::from_secs(1);

// What takes no longer than this is at once, for a person.
const AT_ONCE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => terminal::leave(&exit),
    }
}

fn run() -> Result<(), Exit> {
    let options = Options::parse(std::env::args_os().skip(1), Path::is_dir, |name| {
        std::env::var_os(name)
    })?;
    let connections = limits::connections(options.limits.max_connections);
    let config = options.limits.config(connections.max);
    let files_config = options.files.config();
    let memory = memory(&config, &files_config);
    if options.limits.print_limits {
        return Err(Exit::done(options.limits.table(connections.max, memory)));
    }
    let chosen = directory::choose(options.directory.as_deref(), Path::new("."))?;
    let files = open_files(&chosen, files_config)?;
    let users = options.access.users(&chosen.path)?;
    let listening = Plan::new(&options.host, options.port)?.bind(|addresses| {
        Server::bind_all(addresses).map_err(|error| (error.address, error.source))
    })?;
    let server = listening.server.with_config(config);
    let bound = server.local_addrs();
    let urls = listen::urls(&options.host, &bound, &cli::interfaces());
    // Before the rights to start a browser are gone. It waits in line until there is somebody to answer.
    let opened = options
        .open
        .as_deref()
        .and_then(|path| terminal::open(&urls, path));
    let user = options.access.user.as_deref();
    let confined = confine::confine(&chosen.path, user, options.files.follow_symlinks)?;

    let log = start_log(&options)?;
    // Before anybody learns that it runs, and may tell it to stop.
    stop_on_signals(server.stopper(), options.limits.grace)?;
    let is_local = bound.iter().all(|address| address.ip().is_loopback());
    let in_the_clear = (options.access.is_private() && !is_local)
        .then(|| "passwords travel in the clear; put a proxy with TLS in front".to_owned());
    let verbose = || [confined, memory.sentence(connections.max)];
    let notes = [listening.note, connections.note, opened, in_the_clear];
    let notes = notes.into_iter().flatten().chain(options.notes.clone());
    terminal::greet(&Greeting {
        urls: &urls,
        directory: chosen.shown(),
        why: chosen.note,
        unusual: &options.unusual,
        notes: &notes
            .chain(options.verbose.then(verbose).into_iter().flatten())
            .collect::<Vec<_>>(),
        is_local,
    });

    let missing = Missing::default();
    let served = server.serve(handler(
        &options,
        files,
        &chosen,
        users,
        is_local,
        missing.clone(),
    ));
    if let Ok(Summary { finished, cut }) = &served {
        if let Some(sentence) = missing.sentence() {
            tracing::info!(target: "sockeye", "{sentence}");
        }
        tracing::info!(target: "sockeye", finished, cut, "stopped");
    }
    log.flush(LAST_WORDS);
    served.map_err(|error| Exit::failed(format!("cannot serve: {error}")))?;
    Ok(())
}

/// The files of what was chosen. One file is served whatever its name, and what lies beside it is not.
fn open_files(chosen: &Chosen, mut config: FilesConfig) -> Result<StaticFiles, Exit> {
    config.hidden |= chosen.file.is_some();
    config.siblings &= chosen.file.is_none();
    StaticFiles::with_config(&chosen.path, &config).map_err(|error| {
        Exit::no_directory(format!("cannot read `{}`: {error}", chosen.path.display()))
    })
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

/// The files, and around them what was asked for: the doors outside of what leads to files, and outside of all what every
/// response says.
fn handler(
    options: &Options,
    files: StaticFiles,
    chosen: &Chosen,
    users: Vec<User>,
    is_local: bool,
    missing: Missing,
) -> Box<dyn Handler> {
    let files = Arc::new(files);
    let explainer = Arc::clone(&files);
    // What lies beside one file is nobody's business.
    let is_directory = chosen.file.is_none();
    let explain =
        move |path: &str, base: &str| is_directory.then(|| explainer.explain(path, base))?;
    let router = match options.files.no_echo {
        true => Router::new(),
        false => Router::new().any("/echo", Echo),
    };
    let router = router.fallback(files);
    let inside = chosen.around(Box::new(router));
    let system = rustix::system::uname();
    let system = system.nodename().to_string_lossy();
    let inside = options.files.around(missing, explain, inside);
    let inside = options
        .access
        .around(users, (&options.host, is_local, &system), inside);
    options
        .responses
        .around(options.access.is_private(), inside)
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
        requests: (!options.quiet).then(|| (log.clone(), Format::Pretty)),
        level,
        colour: terminal::colours_log(),
    };
    access_log::install(log.clone(), settings).expect("nobody else installs a subscriber");
    Ok(log)
}

/// SIGINT and SIGTERM stop the server, a second one at once. So does SIGHUP if a terminal started it: a window that
/// is closed must not leave a server behind on the port. Without a terminal SIGHUP is somebody's habit for "read
/// your configuration again", and there is none.
fn stop_on_signals(stopper: Stopper, grace: Duration) -> Result<(), Exit> {
    let cannot = |error: io::Error| Exit::failed(format!("cannot wait for signals: {error}"));
    let has_terminal =
        io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(cannot)?;
    let wait = move || {
        let mut said = false;
        for signal in &mut signals {
            if signal != SIGHUP || has_terminal {
                stopper.stop();
                // Without this thread only the hint is missing.
                let _ = (!said)
                    .then(|| thread::Builder::new().spawn(move || say_what_is_waited_for(grace)));
                said = true;
            }
        }
    };
    thread::Builder::new()
        .name("sockeye-signals".to_owned())
        .spawn(wait)
        .map_err(cannot)?;
    Ok(())
}

/// Most often the end comes before there is time to ask what it waits for.
fn say_what_is_waited_for(grace: Duration) {
    thread::sleep(AT_ONCE);
    let grace = grace.as_secs_f64();
    tracing::info!(target: "sockeye", "waiting up to {grace} s for answers to finish; again to stop at once");
}
