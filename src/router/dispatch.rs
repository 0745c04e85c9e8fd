//! Finds who answers a request, and answers where nobody does.

use super::route::Endpoint;
use super::{Router, pattern};
use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode};

// `Allow` of `OPTIONS *`, which asks about the server as a whole.
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Who answers a request, or why nobody does.
enum Found<'a> {
    /// The request is the one that the handler is to see, where that is another.
    Endpoint(&'a Endpoint, Option<Box<Request>>),
    /// The path is a route's, with these methods.
    OtherMethods(String),
    Server,
    Nothing,
}

impl Router {
    fn find(&self, request: &Request) -> Found<'_> {
        let path = request.path();
        if path == "*" {
            return Found::Server;
        }
        let comparable = pattern::comparable(path);
        let matched = comparable
            .as_deref()
            .filter(|path| self.beginnings.may_fit(path))
            .and_then(|path| self.patterns.at(path).ok());
        let Some(matched) = matched else {
            let fallback = self.fallback.as_ref();
            return fallback.map_or(Found::Nothing, |it| Found::Endpoint(it, None));
        };
        let route = &self.routes[*matched.value];
        let Some(endpoint) = route.endpoint(request.method()) else {
            return Found::OtherMethods(route.allow());
        };
        if matched.params.is_empty() && route.prefix_segments == 0 {
            return Found::Endpoint(endpoint, None);
        }
        let prefix_bytes = match route.prefix_segments {
            0 => 0,
            segments => pattern::bytes_of_segments(path, segments),
        };
        let params = matched
            .params
            .iter()
            .filter(|(name, _)| pattern::is_named(name));
        let params = params.map(|(name, value)| (name.to_owned(), pattern::decoded(value)));
        let seen = request.clone().with_route(prefix_bytes, params);
        Found::Endpoint(endpoint, Some(Box::new(seen)))
    }
}

impl Handler for Router {
    fn handle(&self, request: &Request) -> Response {
        match self.find(request) {
            Found::Endpoint(endpoint, seen) => {
                endpoint.handler.handle(seen.as_deref().unwrap_or(request))
            }
            found => refuse(found, request),
        }
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        match self.find(head) {
            Found::Endpoint(endpoint, _) if endpoint.wants_body => None,
            Found::Endpoint(endpoint, seen) => endpoint
                .handler
                .handle_head(seen.as_deref().unwrap_or(head)),
            found => Some(refuse(found, head)),
        }
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        let Found::Endpoint(endpoint, seen) = self.find(request) else {
            return response;
        };
        let handler = &endpoint.handler;
        handler.complete(seen.as_deref().unwrap_or(request), response)
    }
}

/// The answer where no handler is asked.
fn refuse(found: Found<'_>, request: &Request) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    match found {
        Found::OtherMethods(allow) if is_options => {
            Response::new(StatusCode::NO_CONTENT).with_header("Allow", allow)
        }
        Found::OtherMethods(allow) => not_served(request, &allow),
        // It names no resource that could be missing.
        Found::Nothing if request.method() == Method::CONNECT => not_served(request, ALLOW),
        Found::Server => Response::new(StatusCode::NO_CONTENT).with_header("Allow", ALLOW),
        Found::Nothing | Found::Endpoint(..) => {
            Response::problem(StatusCode::NOT_FOUND, "there is nothing here", request)
        }
    }
}

fn not_served(request: &Request, allow: &str) -> Response {
    let sentence = "this method is not served here";
    Response::problem(StatusCode::METHOD_NOT_ALLOWED, sentence, request).with_header("Allow", allow)
}
