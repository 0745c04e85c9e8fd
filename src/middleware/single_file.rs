//! One file instead of a directory: it is at `/` and at its own name, and nothing else is there.

use percent_encoding::percent_decode_str;

use crate::handler::Handler;
use crate::message::{Request, Response, StatusCode};
use crate::middleware::{Next, Wrap};

/// Asks `inside` for `path` alone: at `/`, and under the name `name`, which may be a link's.
///
/// ```
/// use sockeye::middleware::single_file::single_file;
/// use sockeye::{Handler, Request, Router};
///
/// let inside = Router::new().get("/notes.txt", |_| "buy fish\n").get("/secret", |_| "no\n");
/// let one = single_file(b"notes.txt".to_vec(), "/notes.txt".to_owned(), inside);
/// assert_eq!(one.handle(&Request::get("/")).into_text()?, "buy fish\n");
/// assert_eq!(one.handle(&Request::get("/secret")).status().as_u16(), 404);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn single_file(name: Vec<u8>, path: String, inside: impl Handler) -> impl Handler {
    let choose = move |request: &Request, next: Next<'_>| {
        let asked = request.path();
        let is_it = |asked: &str| percent_decode_str(asked).eq(name.iter().copied());
        let it = match asked.strip_prefix('/') {
            Some("") => request.with_path(&path),
            Some(asked) if is_it(asked) => request.with_path(&path),
            _ if asked == "*" => return next.run(request),
            _ => None,
        };
        match it {
            Some(request) => next.run(&request),
            None => {
                let sentence = "there is nothing here; one file is served, at /";
                Response::problem(StatusCode::NOT_FOUND, sentence, request)
            }
        }
    };
    Wrap::new(choose, inside)
}
