//! The protocol version of a message (RFC 9110 §2.5).

/// The protocol version of a message.
///
/// ```
/// use sockeye::{Request, Version};
///
/// assert_eq!(Request::get("/").version(), Version::Http11);
/// assert!(Version::Http10 < Version::Http11);
/// assert_eq!(Version::Http10.as_str(), "HTTP/1.0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0: one request a connection, unless the client asks for more.
    Http10,
    /// HTTP/1.1, and any later minor version, which is to be read as this one (RFC 9112 §2.3).
    Http11,
}

impl Version {
    /// As it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}
