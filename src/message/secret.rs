//! Fields that prove who somebody is: not for a screen, a log or a bug report.

use std::borrow::Cow;

use super::is_token;

const SECRET: [&str; 4] = [
    "Authorization",
    "Cookie",
    "Proxy-Authorization",
    "Set-Cookie",
];

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "(masked)";

/// Whether the values of fields of this name are secret.
pub(crate) fn is_secret(name: &[u8]) -> bool {
    SECRET
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
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
        if is_secret(&part[start..end]) {
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
