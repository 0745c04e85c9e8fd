//! The body of a request as what its media type says it is; JSON has a file of its own.

use std::borrow::Cow;

use super::Request;

impl Request {
    /// The body as text, whatever its media type; what is not UTF-8 becomes U+FFFD.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::post("/shout").with_body("hello");
    /// assert_eq!(request.text().to_uppercase(), "HELLO");
    /// ```
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.body())
    }

    /// The first value of this name in a form in the body, decoded like [`Request::query`].
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::post("/login")
    ///     .with_header("Content-Type", "application/x-www-form-urlencoded")
    ///     .with_body("user=Ada+Lovelace&remember");
    /// assert_eq!(request.form("user").as_deref(), Some("Ada Lovelace"));
    /// assert_eq!(request.form("password"), None);
    /// ```
    pub fn form(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut pairs = self.form_pairs();
        pairs.find_map(|(other, value)| (other == name).then_some(value))
    }

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
