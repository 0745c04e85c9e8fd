//! The vocabulary: the values that the other rooms pass to each other.
//!
//! Plain values. Nothing here reads, writes, waits or asks the time; a [`Body`] may *carry* an open file,
//! but only the server sends it.

mod body;
mod collected;
mod content;
mod file_slice;
mod headers;
mod into_response;
#[cfg(feature = "json")]
mod json;
mod pairs;
mod problem;
mod request;
mod response;
mod secret;
mod stream;
mod syntax;
mod target;
mod upload;
mod version;

pub use body::Body;
pub use file_slice::{Attributes, FileSlice, Fingerprint, Witness};
pub(crate) use headers::Span;
pub use headers::{Headers, InvalidField};
pub use http::{Method, StatusCode};
pub use into_response::IntoResponse;
#[cfg(feature = "json")]
pub use json::JsonError;
pub(crate) use problem::prefers_json;
pub use request::Request;
pub use response::Response;
pub(crate) use secret::{MASK, is_secret, masked};
pub use stream::{BodySource, Stream, Wake};
pub(crate) use syntax::{accepts, is_field_value, is_token, list_elements, weight};
pub(crate) use target::is_authority;
pub use target::{Target, TargetError};
pub use upload::Upload;
pub(crate) use upload::{Destination, Goal};
pub use version::Version;
