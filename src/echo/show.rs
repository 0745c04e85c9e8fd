//! A request, written down: as text, exactly as it came, or as JSON.

use crate::message::Request;
use crate::text::push_json;

// What proves who a client is does not belong on a screen or into a bug report.
const MASKED: [&str; 3] = ["Cookie", "Authorization", "Proxy-Authorization"];
const MASK: &[u8] = b"(masked)";

fn shown<'a>(name: &str, value: &'a [u8]) -> &'a [u8] {
    let is_secret = |masked: &&str| masked.eq_ignore_ascii_case(name);
    match MASKED.iter().any(is_secret) {
        true => MASK,
        false => value,
    }
}

/// Request line, fields and blank line. `raw`: with the blanks around values too.
pub(super) fn text(request: &Request, raw: bool) -> Vec<u8> {
    let (method, target) = (request.method().as_str(), request.target().as_str());
    let mut seen = format!("{method} {target} {}\r\n", request.version().as_str()).into_bytes();
    let mut lines = request.headers().as_lines();
    for (name, value) in request.headers().iter() {
        // A line has no other line end in it.
        let end = lines.iter().position(|&byte| byte == b'\n');
        let (line, rest) = lines.split_at(end.map_or(lines.len(), |end| end + 1));
        lines = rest;
        let is_secret = shown(name, value) == MASK;
        if raw && !is_secret {
            seen.extend_from_slice(line);
            continue;
        }
        seen.extend_from_slice(name.as_bytes());
        seen.extend_from_slice(b": ");
        seen.extend_from_slice(shown(name, value));
        seen.extend_from_slice(b"\r\n");
    }
    seen.extend_from_slice(b"\r\n");
    seen
}

/// The same as an object; the fields as pairs, in order, for a name may come twice.
pub(super) fn json(request: &Request) -> Vec<u8> {
    let mut object = b"{\"method\":".to_vec();
    push_json(&mut object, request.method().as_str());
    object.extend_from_slice(b",\"target\":");
    push_json(&mut object, request.target().as_str());
    object.extend_from_slice(b",\"version\":");
    push_json(&mut object, request.version().as_str());
    object.extend_from_slice(b",\"headers\":[");
    for (at, (name, value)) in request.headers().iter().enumerate() {
        object.extend_from_slice(if at > 0 { b",[" } else { b"[" });
        push_json(&mut object, name);
        object.push(b',');
        push_json(&mut object, &String::from_utf8_lossy(shown(name, value)));
        object.push(b']');
    }
    object.extend_from_slice(b"]}\n");
    object
}
