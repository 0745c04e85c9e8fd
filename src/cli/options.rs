//! Arguments and variables → [`Options`]: the flags, and the names that other servers have for them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};

use super::host::{Host, host, listen, port};
use super::limits::rows;
use super::set_flags::set_flags;
use super::subcommands::Subcommand;
use super::units::switch;
use super::usage_error::exit;
use super::{AccessFlags, Exit, FileFlags, LimitFlags, LogFlags, ResponseFlags};

const AFTER_HELP: &str = "\
Examples:
  sockeye                         serve ./public, or else this directory, to this machine
  sockeye dist --spa --open       a single-page application, in the browser
  sockeye --host --auth ada       to the whole network, for who knows the password that is asked for now

The page of a 404 is the nearest 404.html in the directory, that of a 5xx the nearest 50x.html.
Every flag has a variable: SOCKEYE_MAX_BODY=8M is --max-body 8M. A flag beats its variable, and that beats PORT or HOST.
Exit codes: 0 told to stop, 1 the system refuses, 2 wrong arguments, 3 cannot listen, 4 no such directory.";

/// Serve a directory over HTTP/1.1.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "sockeye", version, about, after_help = AFTER_HELP)]
// Flags that are written behind those of an alias or a script beat them.
#[command(args_override_self = true, disable_help_subcommand = true)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// The directory to serve, or one file [default: ./public if there is one, else the current directory]
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// The same, as python's http.server and caddy spell it
    #[arg(short = 'd', long = "directory", alias = "root", value_name = "DIR")]
    #[arg(conflicts_with = "directory", hide = true)]
    directory_flag: Option<PathBuf>,

    /// The port; 0 is any free one [default: 8080, or the next free up to 8089]
    #[arg(short, long, value_name = "N", value_parser = port)]
    pub port: Option<u16>,

    /// Listen on ADDR; without ADDR on all interfaces [default: this machine only]
    #[arg(long = "host", visible_alias = "bind", short_alias = 'b', aliases = ["address", "interfaces"])]
    #[arg(short_aliases = ['a', 'i'], value_name = "ADDR", num_args = 0..=1, default_missing_value = "")]
    host_name: Option<String>,

    /// The address to listen on, of all the flags and variables for it
    #[arg(skip)]
    pub host: Host,

    /// Host and port in one, as serve and caddy spell it: 8080, :8080, 127.0.0.1:8080
    #[arg(short = 'l', long, value_name = "[ADDR:]PORT", hide = true)]
    #[arg(conflicts_with_all = ["host_name", "port"], value_parser = listen)]
    listen: Option<(Host, u16)>,

    /// Open the browser once it listens, at PATH
    #[arg(short, long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub open: Option<String>,

    /// No line for each request
    #[arg(short, long, alias = "silent", conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more about the server itself
    #[arg(short, long)]
    pub verbose: bool,

    #[allow(
        missing_docs,
        reason = "a comment here would be the help of the whole command"
    )]
    #[command(flatten)]
    pub files: FileFlags,

    #[allow(missing_docs, reason = "as above")]
    #[command(flatten)]
    pub responses: ResponseFlags,

    #[allow(missing_docs, reason = "as above")]
    #[command(flatten)]
    pub access: AccessFlags,

    #[allow(missing_docs, reason = "as above")]
    #[command(flatten)]
    pub log: LogFlags,

    #[allow(missing_docs, reason = "as above")]
    #[command(flatten)]
    pub limits: LimitFlags,

    #[command(subcommand)]
    subcommand: Option<Subcommand>,

    /// The flags that were set, by name
    #[arg(skip)]
    pub set_flags: Vec<String>,

    /// What was taken from `PORT` and `HOST`, in sentences
    #[arg(skip)]
    pub notes: Vec<String>,
}

impl Options {
    /// Reads the arguments after the program's name. `is_directory` is asked about what could be one, such as the
    /// `public` in `--host public`; `variable` is asked for `PORT` and `HOST`.
    ///
    /// # Errors
    ///
    /// The help, the version, or what is wrong with the arguments.
    pub fn parse(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        is_directory: impl Fn(&Path) -> bool,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Options, Exit> {
        let arguments = arguments.into_iter().map(Into::into);
        let arguments: Vec<_> = std::iter::once("sockeye".into()).chain(arguments).collect();
        let mut command = command();
        let matches = command
            .try_get_matches_from_mut(&arguments)
            .map_err(|error| exit(&error, &command, &arguments))?;
        let mut options = Options::from_arg_matches(&matches)
            .map_err(|error| exit(&error, &command, &arguments))?;
        if let Some(subcommand) = &options.subcommand {
            return Err(subcommand.run(command));
        }
        options.limits.rows = rows(&command, &matches);
        options.set_flags = set_flags(&command, &matches);
        options.settle(&is_directory, variable)?;
        Ok(options)
    }

    /// Decides what can be given in more than one way: the directory, the host, the port.
    fn settle(
        &mut self,
        is_directory: &impl Fn(&Path) -> bool,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(), Exit> {
        self.directory = self.directory.take().or(self.directory_flag.take());
        match (self.listen.take(), self.host_name.take()) {
            (Some((host, port)), _) => (self.host, self.port) = (host, Some(port)),
            (None, None) => self.take_platform_variables(variable)?,
            (None, Some(name)) => {
                let swallowed = self.directory.is_none() && is_directory(Path::new(&name));
                // `--host public`: a directory that a bare `--host` took for its address.
                if swallowed && name.parse::<std::net::IpAddr>().is_err() {
                    self.directory = Some(PathBuf::from(name));
                    self.host = Host::Everywhere;
                } else {
                    self.host = host(&name);
                }
                self.take_platform_variables(|name| variable(name).filter(|_| name == "PORT"))?;
            }
        }
        if let Some((error, hint)) = self.files.config().compress_error() {
            return Err(Exit::usage(format!("--compress: {error}\n  {hint}")));
        }
        let directory = self.directory.as_deref();
        let number = directory.and_then(Path::to_str).unwrap_or("");
        // `python3 -m http.server 8000` takes a bare port.
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !is_directory(Path::new(number)) {
            return Err(Exit::usage(format!(
                "there is no directory `{number}`\n  if you mean the port, say --port {number}"
            )));
        }
        Ok(())
    }

    /// `PORT` and `HOST`, in which platforms give the address to listen on; empty is not set.
    fn take_platform_variables(
        &mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(), Exit> {
        let variable = |name| variable(name).filter(|value: &OsString| !value.is_empty());
        if let Some(name) = variable("HOST") {
            let name = name.to_string_lossy();
            self.host = host(&name);
            self.notes
                .push(format!("HOST={name} from the environment; --host beats it"));
        }
        if let Some(value) = variable("PORT").filter(|_| self.port.is_none()) {
            let value = value.to_string_lossy();
            let port = value.parse().map_err(|_| {
                Exit::usage(format!(
                    "the variable PORT is `{value}`, which is no port\n  unset it, or say --port N"
                ))
            })?;
            self.port = Some(port);
            self.notes
                .push(format!("PORT={port} from the environment; --port beats it"));
        }
        Ok(())
    }
}

/// The definition, in which every flag has its variable.
pub(super) fn command() -> clap::Command {
    Options::command().mut_args(|flag| {
        let Some(long) = flag
            .get_long()
            .filter(|long| !matches!(*long, "help" | "version"))
        else {
            return flag;
        };
        let variable = format!("SOCKEYE_{}", long.replace('-', "_").to_uppercase());
        let flag = match flag.get_action() {
            ArgAction::SetTrue => flag.value_parser(switch(&variable)),
            // `--threads -1` is a wrong number, and no flag.
            _ => flag.allow_negative_numbers(true),
        };
        flag.env(variable).hide_env(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There is one directory, `public`.
    fn parse(arguments: &[&str]) -> Result<Options, Exit> {
        Options::parse(arguments, |path| path == Path::new("public"), |_| None)
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
        assert!(
            !options.quiet
                && !options.verbose
                && !options.files.hidden
                && !options.files.follow_symlinks
        );
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
        assert!(parsed(&["--symlinks"]).files.follow_symlinks);
    }

    #[test]
    fn of_a_flag_that_is_given_twice_the_last_counts() {
        let options = parsed(&["-p1", "-q", "-q", "--port=2", "-H", "A: 1", "-H", "A: 2"]);
        assert_eq!((options.port, options.quiet), (Some(2), true));
        assert_eq!(options.responses.header.len(), 2);
    }

    #[test]
    fn a_bare_number_is_taken_for_the_port_that_it_was_meant_to_be() {
        let exit = parse(&["8000"]).unwrap_err();
        assert_eq!(exit.code, 2);
        assert!(exit.text.ends_with("say --port 8000"), "{}", exit.text);
        let there = Options::parse(["8000"], |_| true, |_| None).unwrap();
        assert_eq!(there.directory, Some(PathBuf::from("8000")));
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error_that_names_the_argument() {
        for (arguments, word) in [
            (
                &["--prot", "80"][..],
                "unexpected argument `--prot`\n  did you mean `--port`?",
            ),
            (
                &["--frobnicate"],
                "unexpected argument `--frobnicate`\n  `sockeye --help` lists",
            ),
            (&["-p", "70000"], "expected a port from 0 to 65535"),
            (&["-p", "http"], "expected a port from 0 to 65535"),
            (&["-p"], "--port"),
            (&["a", "b"], "unexpected argument `b`\n  name one directory"),
            (&["a", "-d", "b"], "cannot be used with"),
            (&["-l", "a:b"], "expected a port"),
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
        command().debug_assert();
    }

    #[test]
    fn the_variables_of_platforms_are_used_with_a_note_and_flags_beat_them() {
        let with = |arguments: &[&str], port: &str, host: &str| {
            let values = [("PORT", port.to_owned()), ("HOST", host.to_owned())];
            let value = |name: &str| {
                values
                    .iter()
                    .find(|(other, _)| *other == name)
                    .map(|(_, value)| value.into())
            };
            Options::parse(arguments, |_| false, value)
        };
        let options = with(&[], "3000", "0.0.0.0").unwrap();
        assert_eq!((options.port, options.host), (Some(3000), named("0.0.0.0")));
        assert_eq!(options.notes.len(), 2, "{:?}", options.notes);

        let options = with(&["-p", "1", "--host=::1"], "3000", "0.0.0.0").unwrap();
        assert_eq!(
            (options.port, options.host, options.notes.len()),
            (Some(1), named("::1"), 0)
        );
        let options = with(&["-l", ":1"], "3000", "::1").unwrap();
        assert_eq!(
            (options.port, options.host, options.notes.len()),
            (Some(1), Host::Everywhere, 0)
        );
        let options = with(&["--host"], "3000", "::1").unwrap();
        assert_eq!(
            (options.port, options.host, options.notes.len()),
            (Some(3000), Host::Everywhere, 1)
        );
        assert_eq!(with(&[], "", "").unwrap(), parsed(&[]));
        let exit = with(&[], "http", "").unwrap_err();
        assert_eq!(
            (exit.code, exit.text.contains("`http`, which is no port")),
            (2, true)
        );
    }
}
