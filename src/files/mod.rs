//! A directory as a handler.
#![allow(dead_code)]
mod content_type;
mod pace;
mod range;
mod root;
mod safe_path;
mod walk;
