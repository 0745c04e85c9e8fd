//! Arguments → [`Options`]: the flags, their help, and the names that fingers know from other servers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use super::units::{bytes, seconds, some_seconds};
use super::{Exit, Host, Options};

/// Serve a directory over HTTP/1.1.
#[derive(Debug, Parser)]
#[command(name = "sockeye", version, about)]
#[command(
    after_help = "Exit codes: 0 told to stop, 1 the system refuses, 2 wrong arguments, 3 cannot listen, 4 no such directory."
)]
struct Arguments {
    /// The directory to serve [default: ./public if there is one, else the current directory]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,

    /// The same, as python's http.server and caddy spell it
    #[arg(short = 'd', long = "directory", alias = "root", value_name = "DIR")]
    #[arg(conflicts_with = "directory", hide = true)]
    directory_flag: Option<PathBuf>,

    /// The port; 0 is any free one [default: 8080, or the next free up to 8089]
    #[arg(short, long, value_name = "N")]
    port: Option<u16>,

    /// Listen on ADDR; without ADDR on all interfaces [default: this machine only]
    #[arg(long, visible_alias = "bind", short_alias = 'b', aliases = ["address", "interfaces"], short_aliases = ['a', 'i'])]
    #[arg(value_name = "ADDR", num_args = 0..=1, default_missing_value = "")]
    host: Option<String>,

    /// Host and port in one, as serve and caddy spell it: 8080, :8080, 127.0.0.1:8080
    #[arg(short = 'l', long, value_name = "[ADDR:]PORT", hide = true)]
    #[arg(conflicts_with_all = ["host", "port"], value_parser = listen)]
    listen: Option<(Host, u16)>,

    /// No line per answer
    #[arg(short, long, alias = "silent", conflicts_with = "verbose")]
    quiet: bool,

    /// Say more about the server itself
    #[arg(short, long)]
    verbose: bool,

    /// Serve and list names that begin with a dot
    #[arg(short = 'H', long, help_heading = "Files")]
    hidden: bool,

    /// Follow symbolic links that lead out of the directory
    #[arg(long, alias = "symlinks", help_heading = "Files")]
    follow_symlinks: bool,

    /// Do not serve app.js.br, app.js.zst or app.js.gz for app.js
    #[arg(long, help_heading = "Files")]
    no_siblings: bool,

    /// Memory for the contents of small files
    #[arg(long, value_name = "BYTES", default_value = "32M", value_parser = bytes, help_heading = "Files")]
    cache_bytes: usize,

    /// Answer requests addressed to NAME too; may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Access")]
    allow_host: Vec<String>,

    /// Become this user once the port is bound
    #[arg(long, value_name = "NAME", help_heading = "Access")]
    user: Option<String>,

    /// Active threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Limits")]
    threads: Option<usize>,

    /// Connections at a time [default: what descriptors allow, at most 10000]
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Limits")]
    max_connections: Option<usize>,

    /// The largest request body to collect; /echo streams
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = bytes, help_heading = "Limits")]
    max_body: usize,

    /// Time for a complete request head
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = some_seconds, help_heading = "Limits")]
    head_timeout: Duration,

    /// Time for the next bytes of a request body
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = some_seconds, help_heading = "Limits")]
    body_timeout: Duration,

    /// Time for a client to take more of an answer
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = some_seconds, help_heading = "Limits")]
    write_timeout: Duration,

    /// Time between two requests of a connection
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = some_seconds, help_heading = "Limits")]
    idle_timeout: Duration,

    /// Time for answers to finish when told to stop
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Limits")]
    grace: Duration,

    /// Print the limits in force and stop
    #[arg(long, help_heading = "Limits")]
    print_limits: bool,
}

impl Options {
    /// Reads the arguments after the program's name. `is_directory` is asked about what could be one, such as the
    /// `public` in `--host public`.
    ///
    /// # Errors
    ///
    /// The help, the version, or what is wrong with the arguments.
    pub fn parse(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        is_directory: impl Fn(&Path) -> bool,
    ) -> Result<Options, Exit> {
        let arguments = arguments.into_iter().map(Into::into);
        let arguments = std::iter::once(OsString::from("sockeye")).chain(arguments);
        let parsed = Arguments::try_parse_from(arguments).map_err(|error| exit(&error))?;
        options(parsed, is_directory)
    }
}

fn options(arguments: Arguments, is_directory: impl Fn(&Path) -> bool) -> Result<Options, Exit> {
    let mut directory = arguments.directory.or(arguments.directory_flag);
    let (host, port) = match (arguments.listen, arguments.host) {
        (Some((host, port)), _) => (host, Some(port)),
        (None, None) => (Host::Loopback, arguments.port),
        (None, Some(name)) => {
            let swallowed = directory.is_none() && is_directory(Path::new(&name));
            // `--host public`: a directory that a bare `--host` took for its address.
            if swallowed && name.parse::<std::net::IpAddr>().is_err() {
                directory = Some(PathBuf::from(name));
                (Host::Everywhere, arguments.port)
            } else {
                (host(&name), arguments.port)
            }
        }
    };
    if let Some(number) = directory.as_deref().and_then(Path::to_str) {
        // `python3 -m http.server 8000` takes a bare port.
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !is_directory(Path::new(number)) {
            return Err(Exit::usage(format!(
                "there is no directory `{number}`\n  if you mean the port, say --port {number}"
            )));
        }
    }
    Ok(Options {
        directory,
        host,
        port,
        threads: arguments.threads,
        quiet: arguments.quiet,
        verbose: arguments.verbose,
        hidden: arguments.hidden,
        follow_symlinks: arguments.follow_symlinks,
        no_siblings: arguments.no_siblings,
        allowed_hosts: arguments.allow_host,
        user: arguments.user,
        grace: arguments.grace,
        head_timeout: arguments.head_timeout,
        body_timeout: arguments.body_timeout,
        write_timeout: arguments.write_timeout,
        idle_timeout: arguments.idle_timeout,
        connections_max: arguments.max_connections,
        body_bytes_max: arguments.max_body,
        cache_bytes_max: arguments.cache_bytes,
        print_limits: arguments.print_limits,
    })
}

/// Every way to say "all interfaces", or a name; an IPv6 address may stand in its brackets.
fn host(name: &str) -> Host {
    match name {
        "" | "*" => Host::Everywhere,
        _ => Host::Named(name.trim_matches(['[', ']']).to_owned()),
    }
}

/// `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `tcp://localhost:8080`. A bare port is this machine only.
fn listen(text: &str) -> Result<(Host, u16), String> {
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

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1_000_000) => Ok(count),
        _ => Err("expected a whole number, at least 1".to_owned()),
    }
}

/// clap's words, beginning like all of ours.
fn exit(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::done(text.trim_end()),
        _ => Exit::usage(text.strip_prefix("error: ").unwrap_or(&text).trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There is one directory, `public`.
    fn parse(arguments: &[&str]) -> Result<Options, Exit> {
        Options::parse(arguments, |path| path == Path::new("public"))
    }

    fn parsed(arguments: &[&str]) -> Options {
        parse(arguments).unwrap_or_else(|exit| panic!("{arguments:?}: {}", exit.text))
    }

    fn named(name: &str) -> Host {
        Host::Named(name.to_owned())
    }

    #[test]
    fn without_arguments_the_defaults_are_those_of_the_help() {
        let options = parsed(&[]);
        assert_eq!(
            (options.directory, options.port, options.host),
            (None, None, Host::Loopback)
        );
        assert_eq!(options.head_timeout, Duration::from_secs(10));
        assert_eq!(options.body_timeout, Duration::from_secs(30));
        assert_eq!(options.write_timeout, Duration::from_secs(30));
        assert_eq!(options.idle_timeout, Duration::from_secs(60));
        assert_eq!(options.grace, Duration::from_secs(10));
        assert_eq!(options.body_bytes_max, 1024 * 1024);
        assert_eq!(options.cache_bytes_max, 32 * 1024 * 1024);
        assert!(!options.quiet && !options.verbose && !options.hidden);
        assert!(!options.follow_symlinks && !options.no_siblings);
    }

    #[test]
    fn a_bare_host_is_everywhere_and_does_not_swallow_the_directory() {
        let public = Some(PathBuf::from("public"));
        for (arguments, host, directory) in [
            (&["--host"][..], Host::Everywhere, None),
            (&["--host", "public"], Host::Everywhere, public.clone()),
            (&["public", "--host"], Host::Everywhere, public.clone()),
            (&["--host", "::1", "public"], named("::1"), public.clone()),
            (&["--host=0.0.0.0"], named("0.0.0.0"), None),
            (&["--host", "box.local"], named("box.local"), None),
        ] {
            let options = parsed(arguments);
            assert_eq!(
                (options.host, options.directory),
                (host, directory),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn the_flags_of_other_servers_mean_what_they_meant() {
        for (arguments, host, port) in [
            (
                &["-b", "127.0.0.1", "-p", "9"][..],
                named("127.0.0.1"),
                Some(9),
            ),
            (&["--bind", "[::1]"], named("::1"), None),
            (&["-a", "localhost"], named("localhost"), None),
            (&["-l", "3000"], Host::Loopback, Some(3000)),
            (
                &["-l", "tcp://localhost:3000"],
                named("localhost"),
                Some(3000),
            ),
            (&["--listen", ":80"], Host::Everywhere, Some(80)),
            (&["--listen", "[::1]:0"], named("::1"), Some(0)),
        ] {
            let options = parsed(arguments);
            assert_eq!((options.host, options.port), (host, port), "{arguments:?}");
        }
        for arguments in [["-d", "a"], ["--directory", "a"], ["--root", "a"]] {
            assert_eq!(parsed(&arguments).directory, Some(PathBuf::from("a")));
        }
        assert!(parsed(&["--silent"]).quiet);
        assert!(parsed(&["-H", "--symlinks"]).hidden);
    }

    #[test]
    fn a_bare_number_is_taken_for_the_port_that_it_was_meant_to_be() {
        let exit = parse(&["8000"]).unwrap_err();
        assert_eq!(exit.code, 2);
        assert!(exit.text.ends_with("say --port 8000"), "{}", exit.text);
        let there = Options::parse(["8000"], |_| true).unwrap();
        assert_eq!(there.directory, Some(PathBuf::from("8000")));
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error_that_names_the_argument() {
        for (arguments, word) in [
            (&["--prot", "80"][..], "--port"),
            (&["-p", "70000"], "70000"),
            (&["-p"], "--port"),
            (&["a", "b"], "'b'"),
            (&["a", "-d", "b"], "cannot be used with"),
            (&["-l", "a:b"], "expected a port"),
            (&["--head-timeout", "soon"], "expected seconds"),
            (&["--idle-timeout", "0"], "more than 0"),
            (&["--max-connections", "0"], "at least 1"),
            (&["--cache-bytes", "lots"], "expected bytes"),
            (&["-q", "-v"], "--verbose"),
        ] {
            let exit = parse(arguments).unwrap_err();
            assert_eq!(exit.code, 2, "{arguments:?}");
            assert!(exit.text.contains(word), "{arguments:?}: {}", exit.text);
            assert!(!exit.text.starts_with("error"), "{}", exit.text);
        }
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for (flag, word) in [
            ("-h", "--port"),
            ("--help", "Exit codes"),
            ("-V", env!("CARGO_PKG_VERSION")),
        ] {
            let exit = parse(&[flag]).unwrap_err();
            assert_eq!(exit.code, 0);
            assert!(exit.text.contains(word), "{}", exit.text);
        }
    }

    #[test]
    fn clap_finds_no_fault_in_the_definition() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
