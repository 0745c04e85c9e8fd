//! The flags for the access log: its output and its format.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::OFlags;

use super::{Exit, directory};
use crate::access_log::{Format, Log};

/// Where there is a line for every request, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Log")]
pub struct LogFlags {
    /// A line for each request: pretty, common, combined or json [default: pretty; in a file combined]
    #[arg(long, value_name = "FORMAT", conflicts_with = "quiet")]
    pub log_format: Option<Format>,

    /// Append these lines to FILE, which is opened again on SIGUSR1 [default: stderr]
    #[arg(long, value_name = "FILE", conflicts_with = "quiet")]
    pub log_file: Option<PathBuf>,

    /// Show on stderr what travels, as curl -v does, and why, in the place of a line for each request
    #[arg(long, conflicts_with = "quiet")]
    pub explain: bool,
}

impl LogFlags {
    /// Whether there are lines: an explanation takes their place, unless they were asked for.
    pub fn has_lines(&self) -> bool {
        !self.explain || self.log_file.is_some() || self.log_format.is_some()
    }

    /// What a line looks like. One in a file is read later, so that it has to tell when it was, and who.
    pub fn format(&self) -> Format {
        let default = match self.log_file {
            Some(_) => Format::Combined,
            None => Format::Pretty,
        };
        self.log_format.unwrap_or(default)
    }

    /// The file's log, if there is one; `root` is the directory that is served, if one is.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or is in the directory that is served.
    pub fn open(&self, root: Option<&Path>) -> Result<Option<Log>, Exit> {
        let Some(file) = &self.log_file else {
            return Ok(None);
        };
        let shown = directory::shown(file);
        if root.is_some_and(|root| directory::holds(root, file)) {
            return Err(Exit::usage(format!(
                "`{shown}` of --log-file lies in the directory that is served\n  put it beside the directory, so that nobody can fetch it"
            )));
        }
        let path = file.clone();
        let mut options = File::options();
        // A pipe that nobody reads is an error: to open it would wait, while clients are let in and not answered.
        let flags = OFlags::NONBLOCK.bits() as i32;
        options.append(true).create(true).custom_flags(flags);
        let open = move || options.open(&path);
        Log::opening(open).map(Some).map_err(|error| {
            Exit::usage(format!(
                "cannot write to `{shown}` of --log-file: {error}\n  name a file in a directory that is there, and that the server's user may write to; a pipe needs its reader first"
            ))
        })
    }
}
