//! Cross-origin isolation: what a page needs for `SharedArrayBuffer` and the threads of WebAssembly.

use crate::handler::Handler;
use crate::message::{Request, Response};
use crate::middleware::EveryResponse;

/// Makes every page that `inside` serves a cross-origin isolated one, workers included. `shared`: pages of other origins
/// may embed what is served here (as with CORS), else only those of its own.
///
/// ```
/// use sockeye::middleware::isolate::isolated;
/// use sockeye::{Handler, Request, Response};
///
/// let site = isolated(false, |_: &Request| Response::html("<p>threads"));
/// let page = site.handle(&Request::get("/"));
/// assert_eq!(page.headers().get("Cross-Origin-Opener-Policy"), Some("same-origin"));
/// ```
pub fn isolated(shared: bool, inside: impl Handler) -> impl Handler {
    let policy = match shared {
        true => "cross-origin",
        false => "same-origin",
    };
    let isolate = move |_: &Request, response: Response| {
        response
            .with_header("Cross-Origin-Opener-Policy", "same-origin")
            .with_header("Cross-Origin-Embedder-Policy", "require-corp")
            .with_header("Cross-Origin-Resource-Policy", policy)
    };
    EveryResponse::new(isolate, inside)
}
