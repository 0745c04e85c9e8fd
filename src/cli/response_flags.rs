//! The flags for fields of every response.

use clap::Args;

use crate::middleware::cache_control::CachePolicy;
use crate::middleware::cors::Origin;
use crate::middleware::headers::Rule;

/// Fields of every response.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Responses")]
pub struct ResponseFlags {
    /// Add this field to every response, or by '/assets/*=Name: value' to some; replaces ours and earlier ones; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub header: Vec<Rule>,

    /// Let pages of other origins read: of all, or of those named
    #[arg(long, value_name = "ORIGIN,…", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "*", value_delimiter = ',')]
    pub cors: Vec<Origin>,

    /// Isolate pages, so that SharedArrayBuffer and threads work in them
    #[arg(long)]
    pub isolate: bool,

    /// How long caches keep files: no-cache, off, auto (by content hash), or a time such as 1h
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "no-cache",
        hide_default_value = false
    )]
    pub cache: CachePolicy,
}
