//! How much the machine allows, and the table of limits that `--print-limits` shows.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Options;
use super::units::shown_bytes;

/// Connections at a time, however many descriptors there are.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Descriptors for everything that is no connection: listeners, poller, log, root; and besides an eighth of all there are,
/// for the files that are being sent. When those run out a client is told to come back (503), and no other is harmed.
const RESERVE: u64 = 64;

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

/// Raises this process's limit of descriptors as far as `asked` connections need and the system lets us, and says how many
/// connections that is enough for.
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

/// What `--print-limits` shows: every limit in force with the flag that sets it, and the memory they add up to.
pub fn table(options: &Options, connections_max: usize, memory: Memory) -> String {
    let rows = [
        (
            "a complete request head",
            seconds(options.head_timeout),
            "--head-timeout",
        ),
        (
            "next bytes of a request body",
            seconds(options.body_timeout),
            "--body-timeout",
        ),
        (
            "the client takes more of an answer",
            seconds(options.write_timeout),
            "--write-timeout",
        ),
        (
            "idle between requests",
            seconds(options.idle_timeout),
            "--idle-timeout",
        ),
        (
            "answers finish when told to stop",
            seconds(options.grace),
            "--grace",
        ),
        (
            "connections",
            connections_max.to_string(),
            "--max-connections",
        ),
        (
            "a collected request body",
            shown_bytes(options.body_bytes_max as u64),
            "--max-body",
        ),
        (
            "contents of small files",
            shown_bytes(options.cache_bytes_max as u64),
            "--cache-bytes",
        ),
    ];
    let mut text = String::new();
    for (what, limit, flag) in rows {
        text += &format!("{what:36}{limit:>10}  {flag}\n");
    }
    let (total, parts) = memory.sum(connections_max);
    text + &format!("{:36}{total:>10}  {parts}", "memory at most")
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

fn seconds(wait: Duration) -> String {
    format!("{} s", wait.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn less_than_what_was_asked_for_is_said_with_the_reason() {
        let connections = connections_within(Some(897), 1_024);
        assert_eq!(connections.max, 896);
        let note = connections.note.unwrap();
        assert!(note.contains("897 need 1026 descriptors"), "{note}");
    }

    #[test]
    fn the_table_names_each_limit_with_its_flag_and_sums_the_memory() {
        let options =
            Options::parse(["--head-timeout", "0.5", "--cache-bytes", "8M"], |_| false).unwrap();
        let memory = Memory {
            fixed_bytes: 24 << 20,
            connection_bytes: 64 << 10,
        };
        let table = table(&options, 256, memory);
        for row in [
            "a complete request head                  0.5 s  --head-timeout\n",
            "connections                                256  --max-connections\n",
            "memory at most                          40 MiB  24 MiB and 64 KiB for each connection",
        ] {
            assert!(table.contains(row), "{row:?} in\n{table}");
        }
    }
}
