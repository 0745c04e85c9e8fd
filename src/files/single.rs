//! One file that the program has chosen, as an answer.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use super::{FilesConfig, StaticFiles};
use crate::handler::Handler;
use crate::message::{Method, Request, Response, StatusCode};

// The fields of a request that the answer depends on. Not dates: whether one can tell two states of the file apart
// depends on answers that were given before, which are not remembered here.
const HEARD: [&str; 5] = ["Accept", "If-Match", "If-None-Match", "If-Range", "Range"];

impl Response {
    /// The file at `path`: with its type, and for GET with ranges and, up to 112 KiB, an `ETag` and 304, as `request` asks
    /// for them. A file that is missing, unreadable or no regular file is a 404.
    ///
    /// The path is the program's: it may lead anywhere, through links and to hidden names. Never make it of a part of a
    /// request; [`StaticFiles`] is there for that, and quicker where the same files are asked for often.
    ///
    /// ```
    /// use sockeye::{Handler, Request, Response, Router};
    ///
    /// let router = Router::new().get("/licence", |request| Response::file(request, "LICENSE-MIT"));
    /// let begin = router.handle(&Request::get("/licence").with_header("Range", "bytes=0-2"));
    /// assert_eq!(begin.into_text()?, "MIT");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file(request: &Request, path: impl AsRef<Path>) -> Response {
        let path = path.as_ref();
        let missing = || {
            let sentence = "there is nothing here";
            Response::problem(StatusCode::NOT_FOUND, sentence, request)
        };
        let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        let (Some(name), true) = (path.file_name(), is_file) else {
            return missing();
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let config = FilesConfig {
            hidden: true,
            follow_symlinks: true,
            cache_bytes: 0,
            siblings: false,
            ..FilesConfig::default()
        };
        match StaticFiles::with_config(folder, &config) {
            Ok(files) => files.handle(&question(request, name.as_bytes())),
            Err(_) => missing(),
        }
    }
}

/// The request as it would ask for the file by its name.
fn question(request: &Request, name: &[u8]) -> Request {
    let method = match *request.method() {
        Method::HEAD => Method::HEAD,
        _ => Method::GET,
    };
    // To another method the file is the answer and not what is asked for, so it has no conditions.
    let is_asked_for = matches!(*request.method(), Method::GET | Method::HEAD);
    let fields = if is_asked_for {
        &HEARD[..]
    } else {
        &HEARD[..1]
    };
    let target = format!("/{}", percent_encode(name, NON_ALPHANUMERIC));
    let question = Request::new(method, &target);
    fields.iter().fold(question, |question, field| {
        let values = request.headers().all(field);
        values.fold(question, |question, value| {
            question.with_header(field, value)
        })
    })
}
