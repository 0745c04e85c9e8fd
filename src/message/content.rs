//! The body of a request as what its media type says it is; JSON has a file of its own.

use std::borrow::Cow;

use super::Request;

impl Request {
    /// Names and values of a form in the body, decoded like [`Request::query_pairs`]; none if the body is not
    /// `application/x-www-form-urlencoded`.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::post("/login")
    ///     .with_header("Content-Type", "application/x-www-form-urlencoded")
    ///     .with_body("user=Ada&remember");
    /// let mut pairs = request.form_pairs();
    /// assert_eq!(pairs.next(), Some(("user".into(), "Ada".into())));
    /// assert_eq!(pairs.next(), Some(("remember".into(), "".into())));
    /// ```
    pub fn form_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let is_form = self.media_type().is_some_and(|media_type| {
            media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        form_urlencoded::parse(if is_form { self.body() } else { b"" })
    }

    /// The media type that `Content-Type` names, without its parameters.
    pub(crate) fn media_type(&self) -> Option<&str> {
        let value = self.headers.get("Content-Type")?;
        value.split(';').next().map(str::trim)
    }
}
