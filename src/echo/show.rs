//! A request, written down: as text, exactly as it came, or as JSON.

use crate::message::{MASK, Request, is_secret, masked};
use crate::text::push_json;

/// Request line, fields and blank line. `raw`: with the blanks around values too.
pub(super) fn text(request: &Request, raw: bool) -> Vec<u8> {
    let (method, target) = (request.method().as_str(), request.target().as_str());
    let mut seen = format!("{method} {target} {}\r\n", request.version().as_str()).into_bytes();
    let mut push = |line: &[u8]| {
        seen.extend_from_slice(&masked(line));
        seen.extend_from_slice(b"\r\n");
    };
    if raw {
        let lines = request.headers().as_lines();
        let lines = lines.split_inclusive(|&byte| byte == b'\n');
        lines.for_each(|line| push(line.strip_suffix(b"\r\n").unwrap_or(line)));
    } else {
        for (name, value) in request.headers().iter() {
            push(&[name.as_bytes(), b": ", value].concat());
        }
    }
    push(b"");
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
        match is_secret(name.as_bytes()) {
            true => push_json(&mut object, MASK),
            false => push_json(&mut object, &String::from_utf8_lossy(value)),
        }
        object.push(b']');
    }
    object.extend_from_slice(b"]}\n");
    object
}
