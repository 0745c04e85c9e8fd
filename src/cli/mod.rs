//! The command line and the terminal: arguments, and the messages before and after serving.
//!
//! [`Options::parse`] turns arguments and variables into plain values. A flag is defined, with its default, help, parser
//! and test, in the file of its group: [`Options`], [`FileFlags`], [`ResponseFlags`], [`AccessFlags`], [`LogFlags`],
//! [`LimitFlags`]. [`directory`] and [`listen`] check values against the machine, each answering with a value or with an
//! [`Exit`]: the message and the exit code.
//! [`terminal`] does the printing, and never dies of an output that is closed or full.

mod access_flags;
pub mod directory;
mod file_flags;
mod host;
mod interfaces;
pub mod limits;
pub mod listen;
mod log_flags;
mod options;
mod response_flags;
mod secret;
mod set_flags;
mod subcommands;
mod synonyms;
pub mod terminal;
mod units;
mod usage_error;

pub use interfaces::interfaces;

pub use access_flags::AccessFlags;
pub use file_flags::{FileFlags, url_path};
pub use host::Host;
pub use limits::LimitFlags;
pub use log_flags::LogFlags;
pub use options::Options;
pub use response_flags::ResponseFlags;

/// The end, and how it is explained: exit code 0 (what was asked for is printed), 1 (the system refuses something),
/// 2 (wrong arguments), 3 (cannot listen), 4 (no such directory).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The process's exit code.
    pub code: u8,
    /// The message: to stdout when the code is 0, else to stderr.
    pub text: String,
}

impl Exit {
    /// Printing this was all that was asked for.
    pub fn done(text: impl Into<String>) -> Exit {
        Exit::new(0, text)
    }

    /// The system refuses what a server needs, such as a thread.
    pub fn failed(text: impl Into<String>) -> Exit {
        Exit::new(1, text)
    }

    /// The arguments make no sense.
    pub fn usage(text: impl Into<String>) -> Exit {
        Exit::new(2, text)
    }

    /// The server cannot listen on the port or address.
    pub fn cannot_listen(text: impl Into<String>) -> Exit {
        Exit::new(3, text)
    }

    /// There is no such directory.
    pub fn no_directory(text: impl Into<String>) -> Exit {
        Exit::new(4, text)
    }

    fn new(code: u8, text: impl Into<String>) -> Exit {
        let text = text.into();
        Exit { code, text }
    }
}
