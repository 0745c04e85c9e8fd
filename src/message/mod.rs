//! The vocabulary: the values that the other rooms pass to each other.
//!
//! Plain values. Nothing here reads, writes, waits or asks the time; a [`Body`] may *carry* an open file,
//! but only the server sends it.

mod body;
mod collected;
mod content;
mod headers;
mod into_response;
#[cfg(feature = "json")]
mod json;
mod problem;
mod request;
mod response;
mod secret;
mod target;
mod upload;

pub use body::{Attributes, Body, BodySource, FileSlice, Fingerprint, Stream, Wake, Witness};
pub use headers::{Headers, InvalidField};
pub(crate) use headers::{Span, accepts, is_field_value, is_token, list_elements, weight};
pub use http::{Method, StatusCode};
pub use into_response::IntoResponse;
#[cfg(feature = "json")]
pub use json::JsonError;
pub(crate) use problem::prefers_json;
pub use request::{Request, Version};
pub use response::Response;
pub(crate) use secret::{MASK, is_secret, masked};
pub(crate) use target::is_authority;
pub use target::{Target, TargetError};
pub use upload::Upload;
pub(crate) use upload::{Destination, Goal};
