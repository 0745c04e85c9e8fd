//! Wires arguments, handlers and server; the only file that names every room.

mod confine;
mod site;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use sockeye::access_log::{self, Log, LogLevel, Settings, Totals};
use sockeye::cli::directory::{self, Chosen};
use sockeye::cli::limits::{self, Memory};
use sockeye::cli::listen::{self, Plan};
use sockeye::cli::terminal::{self, Greeting};
use sockeye::cli::{self, Exit, Options};
use sockeye::files::{FilesConfig, StaticFiles};
use sockeye::middleware::base::Base;
use sockeye::middleware::explain::Missing;
use sockeye::server::{Config, Server, Stopper, Summary};

// How long the last lines of the log wait for an output that does not take them.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

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
    let memory = memory(&config, &files_config, &options);
    if options.limits.print_limits {
        return Err(Exit::done(options.limits.table(connections.max, memory)));
    }
    let chosen = directory::choose(options.directory.as_deref(), Path::new("."))?;
    let files = open_files(&chosen, files_config)?;
    let unready = options.files.check_spa(&chosen)?;
    let users = options.access.users(&chosen.path)?;
    let listening =
        Plan::new(&options.host, options.port)?.bind(|addresses| Server::bind(addresses))?;
    let server = listening.server.with_config(config);
    let bound = server.local_addrs();
    let base = options.files.base.as_ref().map_or("/", Base::as_str);
    let urls = listen::urls(&options.host, &bound, &cli::interfaces());
    let urls: Vec<_> = urls.into_iter().map(|url| url + &base[1..]).collect();
    // Before the rights to start a browser are gone. Its connection waits in the backlog until the server accepts it.
    let opened = options
        .open
        .as_deref()
        .and_then(|path| terminal::open(&urls, path));
    let log_file = options.log.log_file.as_deref();
    let user = options.access.user.as_deref();
    let may_escape = options.files.follow_symlinks;
    let confined = confine::confine(&chosen.path, log_file, user, may_escape)?;

    let logs = start_logs(&options, &chosen)?;
    // Before the greeting, after which a signal may come.
    heed_signals(server.stopper(), options.limits.grace, logs.file.clone())?;
    let is_local = bound.iter().all(|address| address.ip().is_loopback());
    let in_the_clear = (options.access.is_private() && !is_local)
        .then(|| "passwords travel in the clear; put a proxy with TLS in front".to_owned());
    let verbose = || [confined, memory.sentence(connections.max)];
    let notes = [listening.note, connections.note, unready];
    let notes = notes.into_iter().chain([opened, in_the_clear]);
    let notes = notes.flatten().chain(options.notes.clone());
    let greeting = Greeting {
        urls,
        directory: chosen.shown(),
        why: chosen.note,
        set_flags: options.set_flags.clone(),
        notes: notes
            .chain(options.verbose.then(verbose).into_iter().flatten())
            .collect(),
        is_local,
    };
    let missing = Missing::default();
    let end = missing.clone();
    let handler = site::handler(&options, files, &chosen, users, is_local, missing);
    let served = server.serve_and(handler, || {
        // Not here, where a terminal that stands still would hold up the server. Without a thread nothing is said.
        let _ = thread::Builder::new().spawn(move || terminal::greet(&greeting));
    });
    if let Ok(summary) = &served {
        log_summary(summary, &end, &logs);
    }
    logs.flush();
    served.map_err(|error| {
        Exit::failed(format!(
            "cannot serve: {error}\n  the system gives too few threads or descriptors: ask for less with --threads, or see ulimit -a"
        ))
    })?;
    Ok(())
}

/// The files of what was chosen. One file is served whatever its name, and what lies beside it is not.
fn open_files(chosen: &Chosen, mut config: FilesConfig) -> Result<StaticFiles, Exit> {
    config.hidden |= chosen.file.is_some();
    config.siblings &= chosen.file.is_none();
    StaticFiles::with_config(&chosen.path, &config)
        .map_err(|error| Exit::no_directory(error.to_string()))
}

fn log_summary(summary: &Summary, missing: &Missing, logs: &Logs) {
    if let Some(sentence) = missing.sentence() {
        tracing::info!(target: "sockeye", "{sentence}");
    }
    let after = logs.totals.as_ref();
    let after = after.map_or(String::new(), |totals| format!(" after {totals}"));
    let cut = match summary.cut {
        0 => String::new(),
        cut => format!("; {cut} cut short"),
    };
    tracing::info!(target: "sockeye", "stopped{after}{cut}");
}

/// What the server's memory is made of. None of the handlers here collects a body.
fn memory(config: &Config, files: &FilesConfig, options: &Options) -> Memory {
    let logs = 1 + usize::from(options.log.log_file.is_some());
    let mut config = config.clone();
    config.limits.body_bytes_max = 0;
    // What is kept of an exchange until it is explained: the heads of its request and of its answer.
    let heads = match options.log.explain {
        true => 2 * config.limits.head_bytes_max,
        false => 0,
    };
    Memory {
        fixed_bytes: config.fixed_bytes()
            + logs * access_log::WAITING_BYTES_MAX
            + files.memory_bytes(),
        connection_bytes: config.connection_bytes() + heads,
    }
}

/// Where lines go: the server's own messages, and those about requests if they have a log of their own.
struct Logs {
    messages: Log,
    file: Option<Log>,
    /// What these lines are about, if there are any.
    totals: Option<Totals>,
}

impl Logs {
    fn flush(&self) {
        for log in std::iter::once(&self.messages).chain(&self.file) {
            log.flush(FLUSH_TIMEOUT);
        }
    }
}

/// Is called when the process is confined: it opens nothing that it could not open again.
fn start_logs(options: &Options, chosen: &Chosen) -> Result<Logs, Exit> {
    // What lies beside one file is not served.
    let root = chosen.file.is_none().then_some(chosen.path.as_path());
    let file = options.log.open(root)?;
    let messages = Log::to(terminal::log_output())
        .map_err(|error| Exit::failed(format!("cannot start a thread: {error}")))?;
    let level = if options.verbose {
        LogLevel::Debug
    } else {
        LogLevel::Info
    };
    let totals = Totals::default();
    let settings = Settings {
        requests: (!options.quiet && options.log.has_lines()).then(|| {
            let log = file.as_ref().unwrap_or(&messages);
            (log.clone(), options.log.format())
        }),
        explain: options.log.explain,
        level,
        colour: file.is_none() && terminal::colours_log(),
        totals: totals.clone(),
    };
    access_log::install(messages.clone(), settings).expect("no other subscriber is installed");
    let totals = (!options.quiet).then_some(totals);
    Ok(Logs {
        messages,
        file,
        totals,
    })
}

/// SIGINT and SIGTERM stop the server, a second one at once. So does SIGHUP if a terminal started it: a window that
/// is closed must not leave a server behind on the port. Without a terminal SIGHUP customarily means "read the
/// configuration again", and there is none. SIGUSR1 opens the log's file again, and without one does nothing: what
/// rotates logs signals every server.
fn heed_signals(stopper: Stopper, grace: Duration, log: Option<Log>) -> Result<(), Exit> {
    let cannot = |error: io::Error| Exit::failed(format!("cannot wait for signals: {error}"));
    let has_terminal =
        io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1]).map_err(cannot)?;
    let wait = move || {
        let mut is_stopping = false;
        for signal in &mut signals {
            if signal == SIGUSR1 {
                log.iter().for_each(Log::reopen);
            } else if signal != SIGHUP || has_terminal {
                stopper.stop();
                let stopper = stopper.clone();
                // Without this thread only the hint is missing.
                let _ = (!is_stopping).then(|| {
                    let log = move || log_what_is_waited_for(&stopper, grace);
                    thread::Builder::new().spawn(log)
                });
                is_stopping = true;
            }
        }
    };
    thread::Builder::new()
        .name("sockeye-signals".to_owned())
        .spawn(wait)
        .map_err(cannot)?;
    Ok(())
}

/// Reports what the stop waits for, unless it is over at once.
fn log_what_is_waited_for(stopper: &Stopper, grace: Duration) {
    thread::sleep(AT_ONCE);
    let answers = match stopper.active() {
        0 => return,
        1 => "1 answer".to_owned(),
        active => format!("{active} answers"),
    };
    let grace = grace.as_secs_f64();
    tracing::info!(target: "sockeye", "waiting for {answers} to finish, {grace} s at most; again to stop at once");
}
