//! Everything that answers for one pattern.

use std::collections::HashSet;
use std::fmt;

use crate::handler::Handler;
use crate::message::Method;

/// A pattern and its handlers.
pub(super) struct Route {
    pub(super) pattern: String,
    pub(super) methods: Vec<(Method, Endpoint)>,
    /// Whatever the method: the handler says itself which it does not allow.
    pub(super) any: Option<Endpoint>,
    /// How many segments are taken off the path before the handler sees it.
    pub(super) prefix_segments: usize,
}

pub(super) struct Endpoint {
    pub(super) handler: Box<dyn Handler>,
    /// It declines every head, so it need not be asked.
    pub(super) wants_body: bool,
}

impl Route {
    pub(super) fn new(pattern: &str) -> Route {
        Route {
            pattern: pattern.to_owned(),
            methods: Vec::new(),
            any: None,
            prefix_segments: 0,
        }
    }

    pub(super) fn endpoint(&self, asked: &Method) -> Option<&Endpoint> {
        let offered = |method: &Method| {
            let mut methods = self.methods.iter();
            methods.find_map(|(offered, endpoint)| (offered == method).then_some(endpoint))
        };
        offered(asked)
            .or_else(|| {
                (asked == Method::HEAD)
                    .then(|| offered(&Method::GET))
                    .flatten()
            })
            .or(self.any.as_ref())
    }

    /// What `Allow` says of it.
    pub(super) fn allow(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for (method, _) in &self.methods {
            names.push(method.as_str());
            if method == Method::GET {
                names.push("HEAD");
            }
        }
        names.push("OPTIONS");
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(*name));
        names.join(", ")
    }
}

impl Endpoint {
    pub(super) fn new(handler: impl Handler) -> Endpoint {
        Endpoint {
            handler: Box::new(handler),
            wants_body: false,
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(|(method, _)| method).collect();
        write!(f, "{} {methods:?}", self.pattern)
    }
}
