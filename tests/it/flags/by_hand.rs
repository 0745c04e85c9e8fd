//! `/echo/by-hand`: where it is, and that it leads around nothing.

use super::access::hash_of;
use super::{get, place, start};

const PAGE: &str = "<!doctype html><meta name=\"sockeye\" content=\"by-hand\"><title>a</title>";
const ASK: &str =
    "/echo/by-hand?request=GET%20/a.txt%20HTTP/1.1%0D%0AHost:%20localhost%0D%0A%0D%0A";

#[test]
fn bytes_by_hand_are_read_only_where_the_first_page_asks_for_it_on_this_machine() {
    let with_page = place(&[("index.html", PAGE), ("a.txt", "a")]);
    let without = place(&[("index.html", "<!doctype html>"), ("a.txt", "a")]);
    for (place, arguments, status) in [
        (&with_page, &[][..], 200),
        (&without, &[], 404),
        (&with_page, &["--no-echo"], 404),
        (&with_page, &["--host", "0.0.0.0"], 404),
    ] {
        let program = start(place, arguments);
        assert_eq!(get(&program, ASK, &[]).status, status, "{arguments:?}");
    }
}

#[test]
fn bytes_by_hand_have_to_name_and_identify_themselves_like_any_others() {
    let place = place(&[("index.html", PAGE), ("a.txt", "secret")]);
    let program = start(&place, &["--auth", &format!("a:{}", hash_of("b"))]);
    assert_eq!(get(&program, ASK, &[]).status, 401);
    // Whoever carries them is let in; the bytes are not.
    let carried = get(&program, ASK, &[("Authorization", "Basic YTpi")]);
    assert_eq!(carried.status, 200);
    let said = carried.text();
    assert!(
        said.contains("HTTP/1.1 401 ") && !said.contains("secret"),
        "{said}"
    );
    let other_name = ASK.replace("Host:%20localhost", "Host:%20evil.test");
    let said = get(&program, &other_name, &[("Authorization", "Basic YTpi")]);
    assert!(said.text().contains("HTTP/1.1 421 "), "{}", said.text());
}
