//! The person at the terminal: what they ask for, and every word we say to them before and after serving.
//!
//! [`Options::parse`] turns arguments into plain values. [`directory`], [`listen`] and [`limits`] check them against the
//! machine, each answering with a value or with an [`Exit`]: the words and the exit code. [`terminal`] does the printing,
//! and never dies of an output that is closed or full.

mod arguments;
pub mod directory;
pub mod limits;
pub mod listen;
pub mod terminal;
mod units;

use std::path::PathBuf;
use std::time::Duration;

/// What was asked for, checked as far as that needs no machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The directory to serve; without it [`directory::choose`] decides.
    pub directory: Option<PathBuf>,
    /// Where to be reached.
    pub host: Host,
    /// The port that was asked for; 0 is any free one.
    pub port: Option<u16>,
    /// Active threads; without it as many as there are cores.
    pub threads: Option<usize>,
    /// Say nothing of each answer.
    pub quiet: bool,
    /// Say more about the server itself.
    pub verbose: bool,
    /// Serve and list names that begin with a dot.
    pub hidden: bool,
    /// Follow symbolic links that lead out of the directory.
    pub follow_symlinks: bool,
    /// Serve no compressed file in the place of another.
    pub no_siblings: bool,
    /// Names under which the server may be addressed besides its own.
    pub allowed_hosts: Vec<String>,
    /// Whom to become once the port is bound.
    pub user: Option<String>,
    /// How long answers may take to finish after the signal to stop.
    pub grace: Duration,
    /// How long a complete request head may take.
    pub head_timeout: Duration,
    /// How long the next bytes of a request body may take.
    pub body_timeout: Duration,
    /// How long a client may take no bytes of an answer.
    pub write_timeout: Duration,
    /// How long a connection may be idle between requests.
    pub idle_timeout: Duration,
    /// Connections at a time; without it as [`limits::connections`] finds possible.
    pub connections_max: Option<usize>,
    /// The largest request body that is collected for a handler.
    pub body_bytes_max: usize,
    /// Memory for the contents of small files.
    pub cache_bytes_max: usize,
    /// Print the limits in force and stop.
    pub print_limits: bool,
}

/// Where to be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// From this machine: 127.0.0.1 and ::1.
    Loopback,
    /// From everywhere: all interfaces.
    Everywhere,
    /// At this address or the addresses of this name.
    Named(String),
}

/// The end, and how it is explained: exit code 0 (what was asked for is said), 1 (the system refuses something),
/// 2 (wrong arguments), 3 (cannot listen), 4 (no such directory).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The process's exit code.
    pub code: u8,
    /// What to say: to stdout when the code is 0, else to stderr.
    pub text: String,
}

impl Exit {
    /// What was asked for was only to say this.
    pub fn done(text: impl Into<String>) -> Exit {
        let text = text.into();
        Exit { code: 0, text }
    }

    /// The system refuses what a server needs, such as a thread.
    pub fn failed(text: impl Into<String>) -> Exit {
        let text = text.into();
        Exit { code: 1, text }
    }

    /// The arguments make no sense.
    pub fn usage(text: impl Into<String>) -> Exit {
        let text = text.into();
        Exit { code: 2, text }
    }

    /// The port or address is not to be had.
    pub fn cannot_listen(text: impl Into<String>) -> Exit {
        let text = text.into();
        Exit { code: 3, text }
    }

    /// There is no such directory.
    pub fn no_directory(text: impl Into<String>) -> Exit {
        let text = text.into();
        Exit { code: 4, text }
    }
}
