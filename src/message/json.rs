//! Bodies that are JSON.

use std::{fmt, io};

use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{IntoResponse, Request, Response};

impl Request {
    /// The body read as JSON.
    ///
    /// It has to be called so (`application/json`, or a type that ends in `+json`): a page of another site can make a
    /// browser send any body, but not under this name without being asked.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use sockeye::{Handler, JsonError, Request, Response, Router, StatusCode};
    ///
    /// #[derive(Deserialize, Serialize)]
    /// struct Fish {
    ///     name: String,
    ///     pounds: f64,
    /// }
    ///
    /// fn add(request: &Request) -> Result<Response, JsonError> {
    ///     let fish: Fish = request.json()?;
    ///     Ok(Response::json(&fish).with_status(StatusCode::CREATED))
    /// }
    ///
    /// let router = Router::new().post("/fish", add);
    /// let sockeye = Fish { name: "sockeye".to_owned(), pounds: 6.5 };
    /// let created = router.handle(&Request::post("/fish").with_json(&sockeye));
    /// assert_eq!(created.into_json::<Fish>()?.name, "sockeye");
    /// let refused = router.handle(&Request::post("/fish").with_json("sockeye"));
    /// assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        let is_json = |media_type: &str| {
            let name = media_type.to_ascii_lowercase();
            name == "application/json" || name.ends_with("+json")
        };
        if !self.media_type().is_some_and(is_json) {
            return Err(JsonError { cause: None });
        }
        serde_json::from_slice(self.body()).map_err(|error| JsonError { cause: Some(error) })
    }

    /// The same request with `value` as JSON for its body, and named so: for tests.
    ///
    /// # Panics
    ///
    /// If the value cannot be JSON, such as a map whose keys are not strings.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::post("/numbers").with_json([1, 2]);
    /// assert_eq!(request.json::<Vec<u32>>()?, [1, 2]);
    /// # Ok::<(), sockeye::JsonError>(())
    /// ```
    pub fn with_json(self, value: impl Serialize) -> Request {
        let json = serde_json::to_vec(&value).expect("the value can be JSON");
        self.with_header("Content-Type", "application/json")
            .with_body(json)
    }
}

impl Response {
    /// 200 with `value` as JSON.
    ///
    /// A value that cannot be JSON (such as a map whose keys are not strings) is a fault of the program: the client
    /// gets a 500, and the reason is logged.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let response = Response::json([("chinook", 30), ("sockeye", 6)]);
    /// assert_eq!(response.headers().get("Content-Type"), Some("application/json"));
    /// assert_eq!(response.into_text()?, r#"[["chinook",30],["sockeye",6]]"#);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn json(value: impl Serialize) -> Response {
        match serde_json::to_vec(&value) {
            Ok(json) => Response::new(StatusCode::OK)
                .with_header("Content-Type", "application/json")
                .with_body(json),
            Err(error) => {
                io::Error::other(format!("a value cannot be JSON: {error}")).into_response()
            }
        }
    }
}

/// A body that is not the JSON that was expected; as a response, 400 or 415 with a sentence.
///
/// ```
/// use sockeye::{Request, StatusCode};
///
/// let request = Request::post("/").with_header("Content-Type", "text/plain").with_body("7");
/// let error = request.json::<u32>().expect_err("it is not called JSON");
/// assert_eq!(error.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
/// let request = Request::post("/").with_header("Content-Type", "application/json").with_body("seven");
/// let error = request.json::<u32>().expect_err("it is no number");
/// assert_eq!(error.status(), StatusCode::BAD_REQUEST);
/// assert!(error.to_string().starts_with("the body is not the JSON expected here"));
/// ```
#[derive(Debug)]
pub struct JsonError {
    /// `None` if the body is not called JSON.
    cause: Option<serde_json::Error>,
}

impl JsonError {
    /// 415 if the body is not called JSON, 400 if it is something else.
    pub fn status(&self) -> StatusCode {
        match self.cause {
            None => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Some(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            None => f.write_str("the body must be JSON, and its Content-Type application/json"),
            Some(error) => write!(f, "the body is not the JSON expected here: {error}"),
        }
    }
}

impl std::error::Error for JsonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|error| error as _)
    }
}

impl IntoResponse for JsonError {
    fn into_response(self) -> Response {
        Response::text(format!("{self}\n")).with_status(self.status())
    }
}
