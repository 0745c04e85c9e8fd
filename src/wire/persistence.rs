//! Does the connection serve another request after this one, and why? RFC 9112 §9.3.

use crate::message::{Headers, Method, Request, Version};

/// What becomes of a connection after an answer, and why.
///
/// ```
/// # const DATE: &str = "Sat, 21 Nov 2026 10:21:58 GMT";
/// # use sockeye::Response;
/// # use sockeye::wire::{Conversation, Limits};
/// # let mut conversation = Conversation::new(Limits::default());
/// # conversation.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// # conversation.turn();
/// use sockeye::wire::Persistence;
///
/// conversation.answer(Response::text("hello"), DATE);
/// let sent = conversation.take_sent().expect("there is an answer");
/// assert_eq!(sent.persistence, Persistence::Default);
/// assert!(Persistence::KeepAlive.is_kept() && !Persistence::Close.is_kept());
/// assert_eq!(Persistence::Close.sentence(), "connection closed: the client says \"close\"");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Kept: HTTP/1.1 without `close`.
    Default,
    /// Kept: HTTP/1.0 with `keep-alive`.
    KeepAlive,
    /// Closed: the client says `close`.
    Close,
    /// Closed: HTTP/1.0 without `keep-alive`.
    Http10,
    /// Closed: after CONNECT the client might take the connection for a tunnel.
    Connect,
    /// Closed: the request was refused, and where the next one begins is unknown.
    Refused,
    /// Closed: the request has a body that is not read.
    Unread,
    /// Closed: the end of the connection is the end of the body.
    UntilClose,
    /// Closed: the server stops, or the handler failed.
    Last,
}

impl Persistence {
    /// What the client of `request` wants.
    pub(super) fn of(request: &Request) -> Persistence {
        // Options are tokens, so a quote quotes nothing and must not hide a `close` behind it.
        let has_option = |headers: &Headers, word: &str| {
            headers
                .all("Connection")
                .flat_map(|value| value.split(|&byte| byte == b','))
                .any(|option| option.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        };
        if request.method == Method::CONNECT {
            Persistence::Connect
        } else if has_option(&request.headers, "close") {
            Persistence::Close
        } else if request.version >= Version::Http11 {
            Persistence::Default
        } else if has_option(&request.headers, "keep-alive") {
            Persistence::KeepAlive
        } else {
            Persistence::Http10
        }
    }

    /// The same, but closed for the reason `why` if it `is_over` and no other was there before.
    pub(super) fn unless(self, is_over: bool, why: Persistence) -> Persistence {
        match self.is_kept() && is_over {
            true => why,
            false => self,
        }
    }

    /// Whether the connection serves another request.
    pub fn is_kept(self) -> bool {
        matches!(self, Persistence::Default | Persistence::KeepAlive)
    }

    /// What happens to the connection and why, without a full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            Persistence::Default => "connection kept: HTTP/1.1 and no \"close\"",
            Persistence::KeepAlive => "connection kept: HTTP/1.0 and \"keep-alive\"",
            Persistence::Close => "connection closed: the client says \"close\"",
            Persistence::Http10 => "connection closed: HTTP/1.0 and no \"keep-alive\"",
            Persistence::Connect => {
                "connection closed: after CONNECT it could be taken for a tunnel"
            }
            Persistence::Refused => {
                "connection closed: where the next request begins is unknown after one that is refused"
            }
            Persistence::Unread => "connection closed: the request has a body that is not read",
            Persistence::UntilClose => {
                "connection closed: HTTP/1.0 has no other end for a body of unknown length"
            }
            Persistence::Last => "connection closed: the server is stopping, or could not answer",
        }
    }
}
