//! The flags that say what every response says besides.

use clap::Args;

use crate::handler::Handler;
use crate::middleware::cache_control::{self, CachePolicy};
use crate::middleware::cors::{self, Origin};
use crate::middleware::headers::{self, Rule};
use crate::middleware::isolate;

/// What every response says besides.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Responses")]
pub struct ResponseFlags {
    /// Add a field to every response, or with '/assets/*=Name: value' to some; replaces ours; may be repeated
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

impl ResponseFlags {
    /// Puts what was asked for around `inside`. `private`: what is served is for some only.
    pub fn around(&self, private: bool, mut inside: Box<dyn Handler>) -> Box<dyn Handler> {
        if self.cache != CachePolicy::NoCache {
            inside = Box::new(cache_control::with_cache_policy(
                self.cache, private, inside,
            ));
        }
        if self.isolate {
            inside = Box::new(isolate::isolated(!self.cors.is_empty(), inside));
        }
        if !self.cors.is_empty() {
            inside = Box::new(cors::with_cors(self.cors.clone(), inside));
        }
        if !self.header.is_empty() {
            inside = Box::new(headers::with_headers(self.header.clone(), inside));
        }
        inside
    }
}
