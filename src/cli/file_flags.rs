//! The flags that say which files are served, and how.

use clap::Args;

use super::units::{bytes, plain_bytes};
use crate::files::FilesConfig;

/// Which files are served, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Files")]
pub struct FileFlags {
    /// Serve and list names that begin with a dot
    #[arg(long)]
    pub hidden: bool,

    /// Follow symbolic links that lead out of the directory
    #[arg(long, alias = "symlinks")]
    pub follow_symlinks: bool,

    /// Memory for the contents of small files
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    #[arg(default_value = plain_bytes(FilesConfig::default().cache_bytes))]
    pub cache_bytes: usize,
}

impl FileFlags {
    /// The same as the handler of files wants it.
    pub fn config(&self) -> FilesConfig {
        FilesConfig {
            hidden: self.hidden,
            follow_symlinks: self.follow_symlinks,
            cache_bytes: self.cache_bytes,
        }
    }
}
