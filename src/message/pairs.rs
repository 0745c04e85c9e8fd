//! Names and values in a request's query and cookies.

use std::borrow::Cow;

use super::Request;

impl Request {
    /// The first value of this name in the query, decoded.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut pairs = self.query_pairs();
        pairs.find_map(|(other, value)| (other == name).then_some(value))
    }

    /// Names and values of the query (`?a=1&b=2`), decoded as browsers encode a form: `+` is a blank, what is not UTF-8
    /// becomes U+FFFD, a name without `=` has an empty value.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/?tag=red&tag=blue&new");
    /// let tags: Vec<_> = request.query_pairs().filter(|(name, _)| name == "tag").collect();
    /// assert_eq!(tags.len(), 2);
    /// assert_eq!(request.query("new").as_deref(), Some(""));
    /// ```
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.target.query().unwrap_or_default().as_bytes())
    }

    /// The first cookie of this name, as it came.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut cookies = self.cookies();
        cookies.find_map(|(other, value)| (other == name).then_some(value))
    }

    /// Names and values of the cookies, as they came (RFC 6265 §4.2); what is not UTF-8 or has no `=` is left out.
    ///
    /// ```
    /// use sockeye::Request;
    ///
    /// let request = Request::get("/").with_header("Cookie", "theme=dark; id=7");
    /// let cookies: Vec<_> = request.cookies().collect();
    /// assert_eq!(cookies, [("theme", "dark"), ("id", "7")]);
    /// ```
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.headers.all("Cookie");
        let pairs = lines.flat_map(|line| line.split(|&byte| byte == b';'));
        pairs.filter_map(|pair| {
            let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
            Some((name.trim(), value.trim()))
        })
    }
}
