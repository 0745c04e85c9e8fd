//! The flags that set limits, how much the machine allows, and the table that `--print-limits` shows.

use std::time::Duration;

use clap::{ArgMatches, Args};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::units::{bytes, count, plain_bytes, plain_seconds, seconds, shown_bytes, some_seconds};
use crate::server::Config;

/// Connections at a time, however many descriptors there are.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Descriptors for everything that is no connection: listeners, poller, log, root; and besides an eighth of all there
/// are, for the files that are being sent. When those run out a client gets a 503, and no other is
/// harmed.
const RESERVE: u64 = 64;

/// More active threads than any machine has cores; beyond, the system runs out of them one by one.
const THREADS_MAX: usize = 1024;

/// What the server allows itself and its clients.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitFlags {
    /// Active threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = count(THREADS_MAX))]
    pub threads: Option<usize>,

    /// Connections at a time [default: what descriptors allow, at most 10000]
    #[arg(long, value_name = "N", value_parser = count(1_000_000))]
    pub max_connections: Option<usize>,

    /// The largest request body to collect; /echo streams
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    #[arg(default_value = plain_bytes(Config::default().limits.body_bytes_max))]
    pub max_body: usize,

    /// Time for a complete request head
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    #[arg(default_value = plain_seconds(Config::default().head_timeout))]
    pub head_timeout: Duration,

    /// Time for the next bytes of a request body
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    #[arg(default_value = plain_seconds(Config::default().body_timeout))]
    pub body_timeout: Duration,

    /// Time for a client to take more of an answer
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    #[arg(default_value = plain_seconds(Config::default().write_timeout))]
    pub write_timeout: Duration,

    /// Time between two requests of a connection
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    #[arg(default_value = plain_seconds(Config::default().idle_timeout))]
    pub idle_timeout: Duration,

    /// Time for answers to finish when told to stop
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    #[arg(default_value = plain_seconds(Config::default().grace))]
    pub grace: Duration,

    /// Print the limits in force, and the memory they add up to, and stop
    #[arg(long)]
    pub print_limits: bool,

    /// What `--print-limits` shows of each limit: what it is, its value, its flag.
    #[arg(skip)]
    pub(super) rows: Vec<[String; 3]>,
}

impl LimitFlags {
    /// The same as the server wants it, with so many connections at a time.
    pub fn config(&self, connections_max: usize) -> Config {
        let mut config = Config {
            connections_max,
            head_timeout: self.head_timeout,
            body_timeout: self.body_timeout,
            write_timeout: self.write_timeout,
            idle_timeout: self.idle_timeout,
            grace: self.grace,
            ..Config::default()
        };
        config.limits.body_bytes_max = self.max_body;
        config.active_threads = self.threads.unwrap_or(config.active_threads);
        config
    }

    /// What `--print-limits` shows: every limit in force with its flag, and the memory they add up to.
    pub fn table(&self, connections_max: usize, memory: Memory) -> String {
        let mut text = String::new();
        let width = self.rows.iter().map(|[what, ..]| what.len()).max();
        let width = width.unwrap_or_default();
        for [what, limit, flag] in &self.rows {
            text += &format!("{what:width$}{limit:>10}  {flag}\n");
        }
        let (total, parts) = memory.sum(connections_max);
        text + &format!(
            "{:width$}{connections_max:>10}\n{:width$}{total:>10}  {parts}",
            "Connections in force", "Memory at most"
        )
    }
}

/// A row for every flag that takes seconds, bytes or a number and has a value; see [`LimitFlags::table`].
pub(super) fn rows(command: &clap::Command, matches: &ArgMatches) -> Vec<[String; 3]> {
    let limits = |flag: &&clap::Arg| flag.get_help_heading().is_some();
    let flags = command.get_arguments().filter(limits).filter_map(|flag| {
        let unit = match flag.get_value_names()?.first()?.as_str() {
            "SECONDS" => " s",
            "BYTES" | "N" => "",
            _ => return None,
        };
        let value = matches
            .get_raw(flag.get_id().as_str())?
            .next()?
            .to_string_lossy();
        let value = format!("{}{unit}", value.trim_end_matches('s'));
        Some([
            flag.get_help()?.to_string(),
            value,
            format!("--{}", flag.get_long()?),
        ])
    });
    flags.collect()
}

/// What the server's memory is made of; the server knows the figures.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Bytes that do not depend on how many clients there are: threads and their buffers, the log, files in memory.
    pub fixed_bytes: usize,
    /// Bytes that one connection may hold at most.
    pub connection_bytes: usize,
}

/// How many connections there may be at a time.
#[derive(Debug, PartialEq, Eq)]
pub struct Connections {
    /// The limit.
    pub max: usize,
    /// Said aloud when it is less than what was asked for.
    pub note: Option<String>,
}

/// Raises this process's limit of descriptors as far as `asked` connections need and the system allows, and returns for
/// how many connections that is enough.
pub fn connections(asked: Option<usize>) -> Connections {
    let needed = descriptors_for(asked.unwrap_or(CONNECTIONS_MAX));
    let limit = getrlimit(Resource::Nofile);
    let mut descriptors = limit.current.unwrap_or(u64::MAX);
    if descriptors < needed {
        let wanted = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        // Where we may not raise it, the limit stays what it was and so does our answer.
        if setrlimit(Resource::Nofile, raised).is_ok() {
            descriptors = wanted;
        }
    }
    connections_within(asked, descriptors)
}

/// The least limit that leaves room for so many connections.
fn descriptors_for(connections: usize) -> u64 {
    let connections = connections as u64;
    (connections + RESERVE).max((connections * 8).div_ceil(7))
}

fn connections_within(asked: Option<usize>, descriptors: u64) -> Connections {
    // Under a tiny limit the reserve gives way too: better few connections than none.
    let reserve = RESERVE.max(descriptors / 8).min(descriptors / 4);
    let possible = (descriptors - reserve).max(1);
    let possible = usize::try_from(possible).unwrap_or(usize::MAX);
    let max = asked.unwrap_or(CONNECTIONS_MAX).min(possible);
    let note = asked.filter(|asked| *asked > max).map(|asked| {
        format!(
            "{max} connections at most: {asked} need {} descriptors and the limit is {descriptors} (ulimit -n)",
            descriptors_for(asked)
        )
    });
    Connections { max, note }
}

impl Memory {
    /// The bound in one sentence.
    pub fn sentence(&self, connections_max: usize) -> String {
        let (total, parts) = self.sum(connections_max);
        format!("takes {total} of memory at most: {parts}, of which there are {connections_max}")
    }

    fn sum(&self, connections_max: usize) -> (String, String) {
        let fixed = self.fixed_bytes as u64;
        let each = self.connection_bytes as u64;
        let total = shown_bytes(fixed + each * connections_max as u64);
        let parts = format!(
            "{} and {} for each connection",
            shown_bytes(fixed),
            shown_bytes(each)
        );
        (total, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Exit, Options};

    #[test]
    fn descriptors_bound_the_connections() {
        for (asked, descriptors, max) in [
            (None, u64::MAX, 10_000),
            (None, 20_000, 10_000),
            (None, 8_000, 7_000),
            (None, 1_024, 896),
            (None, 64, 48),
            (None, 1, 1),
            (Some(50), 1_024, 50),
            (Some(896), 1_024, 896),
            (Some(20_000), 1_000_000, 20_000),
        ] {
            let connections = connections_within(asked, descriptors);
            assert_eq!(
                connections,
                Connections { max, note: None },
                "{asked:?} {descriptors}"
            );
        }
    }

    #[test]
    fn fewer_connections_than_asked_for_come_with_the_reason() {
        let connections = connections_within(Some(897), 1_024);
        assert_eq!(connections.max, 896);
        let note = connections.note.unwrap();
        assert!(note.contains("897 need 1026 descriptors"), "{note}");
    }

    fn parse(arguments: &[&str]) -> Result<Options, Exit> {
        Options::parse(arguments, |_| false, |_| None)
    }

    #[test]
    fn the_table_names_each_limit_with_its_flag_and_sums_the_memory() {
        let options = parse(&[
            "--head-timeout",
            "0.5",
            "--cache-bytes",
            "8M",
            "--port",
            "80",
        ])
        .unwrap();
        let memory = Memory {
            fixed_bytes: 24 << 20,
            connection_bytes: 64 << 10,
        };
        let table = options.limits.table(256, memory);
        for row in [
            "Time for a complete request head                       0.5 s  --head-timeout\n",
            "Memory for the contents of small files                    8M  --cache-bytes\n",
            "Connections in force                                     256\n",
            "Memory at most                                        40 MiB  24 MiB and 64 KiB for each connection",
        ] {
            assert!(table.contains(row), "{row:?} in\n{table}");
        }
        assert!(!table.contains("--port"), "{table}");
    }

    #[test]
    fn without_flags_the_limits_are_the_servers_own() {
        let limits = parse(&[]).unwrap().limits;
        let default = Config::default();
        assert_eq!(limits.config(default.connections_max), default);
    }

    #[test]
    fn every_limit_reaches_the_server() {
        let config = parse(&[
            "--threads=3",
            "--max-body=5",
            "--head-timeout=1",
            "--body-timeout=2",
            "--write-timeout=3",
            "--idle-timeout=4",
            "--grace=0",
        ]);
        let config = config.unwrap().limits.config(7);
        let seconds = Duration::from_secs;
        assert_eq!(
            (
                config.active_threads,
                config.limits.body_bytes_max,
                config.connections_max
            ),
            (3, 5, 7)
        );
        assert_eq!(
            (config.head_timeout, config.body_timeout),
            (seconds(1), seconds(2))
        );
        assert_eq!(
            (config.write_timeout, config.idle_timeout),
            (seconds(3), seconds(4))
        );
        assert_eq!(config.grace, seconds(0));
    }

    #[test]
    fn a_limit_that_is_none_ends_with_a_sentence() {
        for (arguments, sentence) in [
            (["--threads", "999999"], "from 1 to 1024"),
            (["--max-connections", "0"], "from 1 to 1000000"),
            (["--max-body", "99999999G"], "expected bytes"),
            (["--head-timeout", "soon"], "expected seconds"),
            (["--idle-timeout", "0"], "more than 0"),
        ] {
            let exit = parse(&arguments).unwrap_err();
            assert_eq!(exit.code, 2, "{arguments:?}");
            assert!(exit.text.contains(sentence), "{arguments:?}: {}", exit.text);
        }
    }
}
