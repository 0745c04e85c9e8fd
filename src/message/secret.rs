//! Fields that prove who somebody is: not for a screen, a log or a bug report. `/echo` and `--explain` mask the same.

use std::borrow::Cow;

use super::is_token;

/// A name that holds one of these says that its value is secret: `Authorization`, `Proxy-Authorization`, `Cookie`,
/// `Set-Cookie`, `X-Api-Key`, `X-Auth-Token`, `X-CSRF-Token`. It is better to mask a field too many than one too few.
const SECRET_WORDS: [&str; 12] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "session",
    "api-key",
    "api_key",
    "apikey",
    "access-key",
    "auth-key",
    "jwt",
];

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "(masked)";

/// Whether the values of fields of this name are secret.
pub(crate) fn is_secret(name: &[u8]) -> bool {
    SECRET_WORDS.iter().any(|word| {
        let mut places = name.windows(word.len());
        places.any(|place| place.eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// A field's line as it may be shown. What makes it malformed does not hide its name, nor one behind a control character,
/// which some programs take for a line's end.
pub(crate) fn masked(line: &[u8]) -> Cow<'_, [u8]> {
    let is_of_name = |byte: &u8| is_token(&[*byte]);
    let mut at = 0;
    for part in line.split(|&byte| byte != b'\t' && byte.is_ascii_control()) {
        let start = part.iter().take_while(|byte| !is_of_name(byte)).count();
        let name = part[start..].iter().take_while(|byte| is_of_name(byte));
        let end = start + name.count();
        // Words before the name do not hide it; a request line, which has a slash there, has no name.
        let before_colon = part.iter().position(|&byte| byte == b':');
        let words = before_colon.filter(|&colon| !part[..colon].contains(&b'/'));
        if is_secret(&part[start..end.max(words.unwrap_or(end))]) {
            let blanks = part[end..].iter().take_while(|byte| b" \t".contains(byte));
            let colon = end + blanks.count();
            let shown = match part.get(colon) {
                Some(b':') => at + colon + 1,
                _ => at + end,
            };
            return [&line[..shown], b" ", MASK.as_bytes()].concat().into();
        }
        at += part.len() + 1;
    }
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_secret_if_its_name_says_so() {
        for name in [
            "Authorization",
            "proxy-authorization",
            "COOKIE",
            "Set-Cookie",
            "Cookie2",
            "X-Api-Key",
            "apikey",
            "X_API_KEY",
            "X-Auth-Token",
            "X-CSRF-Token",
            "X-Amz-Security-Token",
            "Client-Secret",
            "X-Session-Id",
            "X-Password",
            "X-Auth-Key",
            "X-Access-Key",
            "Cf-Access-Jwt-Assertion",
        ] {
            assert!(is_secret(name.as_bytes()), "{name}");
        }
        for name in [
            "",
            "Host",
            "Sec-WebSocket-Key",
            "Idempotency-Key",
            "WWW-Authenticate",
            "Authentication-Info",
            "Cooki",
            "ETag",
            "Access-Control-Allow-Credentials",
        ] {
            assert!(!is_secret(name.as_bytes()), "{name}");
        }
    }
}
