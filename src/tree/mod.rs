//! The file system beneath one directory, and no way out of it.
//!
//! A URL's path becomes a [`SafePath`], and [`Root`] opens that, the only part that opens anything. Nothing here knows what
//! HTTP is.

mod root;
mod safe_path;
mod status;
mod walk;

pub(crate) use root::{Failure, Opened, Root};
pub(crate) use safe_path::{PathError, SafePath, encode, is_path_elsewhere};
pub(crate) use status::{fingerprint, fingerprint_of, is_directory, is_servable};
pub(crate) use walk::Rules;
