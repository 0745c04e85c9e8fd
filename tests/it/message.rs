//! Requests and responses as a handler sees and makes them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sockeye::message::FileSlice;
use sockeye::{Body, Handler, IntoResponse, Method, Request, Response, Router, StatusCode, Stream};

#[test]
fn a_query_is_decoded_as_browsers_write_it() {
    let request = Request::get("/?q=red+salmon&empty=&flag&caf%C3%A9=%26%3d&q=again&%FF=x&=y");
    let pairs: Vec<_> = request.query_pairs().collect();
    let expected = [
        ("q", "red salmon"),
        ("empty", ""),
        ("flag", ""),
        ("café", "&="),
        ("q", "again"),
        ("\u{fffd}", "x"),
        ("", "y"),
    ];
    assert_eq!(pairs, expected.map(|(n, v)| (Cow::from(n), Cow::from(v))));
    assert_eq!(request.query("q").as_deref(), Some("red salmon"));
    assert_eq!(request.query("Q"), None);
    for target in ["/", "/?", "/?&"] {
        assert_eq!(Request::get(target).query_pairs().count(), 0, "{target}");
    }
}

#[test]
fn a_form_is_read_only_where_the_body_is_one() {
    let form = |media_type: &str| {
        let request = Request::post("/")
            .with_header("Content-Type", media_type)
            .with_body("a=1&b=two+words");
        let pairs = request.form_pairs();
        pairs.map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>()
    };
    let both = ["a=1", "b=two words"];
    assert_eq!(form("application/x-www-form-urlencoded"), both);
    assert_eq!(
        form("Application/X-WWW-Form-Urlencoded; charset=utf-8"),
        both
    );
    assert!(form("text/plain").is_empty());
    assert_eq!(Request::post("/").with_body("a=1").form_pairs().count(), 0);
}

#[test]
fn cookies_are_found_over_all_lines() {
    let request = Request::get("/")
        .with_header("Cookie", "a=1; b=two=2;c = 3 ;nothing;; a=other")
        .with_header("cookie", "d=\"4\"")
        .with_header("Cookie", b"e=\xff; f=6");
    let cookies: Vec<_> = request.cookies().collect();
    let expected = [
        ("a", "1"),
        ("b", "two=2"),
        ("c", "3"),
        ("a", "other"),
        ("d", "\"4\""),
        ("f", "6"),
    ];
    assert_eq!(cookies, expected);
    assert_eq!(request.cookie("a"), Some("1"));
    assert_eq!(request.cookie("A"), None);
}

#[test]
fn a_clone_shares_the_body() {
    let request = Request::post("/").with_body(vec![b'x'; 1000]);
    assert_eq!(request.clone().body().as_ptr(), request.body().as_ptr());
}

#[test]
fn what_a_handler_returns_becomes_a_response() {
    fn check(value: impl IntoResponse, status: u16, media_type: Option<&str>, body: &str) {
        let response = value.into_response();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers().get("Content-Type"), media_type);
        assert_eq!(response.into_text().unwrap(), body);
    }
    let text = Some("text/plain; charset=utf-8");
    let bytes = Some("application/octet-stream");
    check("a", 200, text, "a");
    check("b".to_owned(), 200, text, "b");
    check(Cow::from("c"), 200, text, "c");
    check(b"d".to_vec(), 200, bytes, "d");
    check(StatusCode::NO_CONTENT, 204, None, "");
    check((StatusCode::CREATED, "e"), 201, text, "e");
    check(Ok::<_, StatusCode>("f"), 200, text, "f");
    let refused = (StatusCode::FORBIDDEN, "g".to_owned());
    check(Err::<Response, _>(refused), 403, text, "g");
    let html = Some("text/html; charset=utf-8");
    check(Response::html("h"), 200, html, "h");
}

#[test]
fn a_redirect_leads_where_it_says_whatever_it_is_made_of() {
    for (location, field) in [
        ("/a?b=c#d", "/a?b=c#d"),
        ("https://example.test/%20", "https://example.test/%20"),
        ("/a b\r\nX: y", "/a%20b%0D%0AX:%20y"),
        ("/\"<é>", "/%22%3C%C3%A9%3E"),
    ] {
        let response = Response::redirect(location);
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers().get("Location"), Some(field));
    }
}

#[test]
fn a_body_is_read_back_whatever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("digits.txt");
    std::fs::write(&path, "0123456789").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let slice = FileSlice {
        fingerprint: (&file.metadata().unwrap()).into(),
        witness: None,
        file: Arc::new(file),
        range: 2..5,
    };
    let bytes = |body: Body| body.into_bytes();
    assert_eq!(bytes(Body::Empty).unwrap(), b"");
    assert_eq!(bytes("abc".into()).unwrap(), b"abc");
    assert_eq!(bytes(slice.into()).unwrap(), b"234");
    let stream = |length| {
        let reader = Box::new(io::repeat(b'x').take(4));
        bytes(Stream { reader, length }.into())
    };
    assert_eq!(stream(None).unwrap(), b"xxxx");
    assert_eq!(stream(Some(4)).unwrap(), b"xxxx");
    // As on the wire: no more than promised, and less is an error.
    assert_eq!(stream(Some(3)).unwrap(), b"xxx");
    assert!(stream(Some(5)).is_err());
    assert!(bytes(Body::Incoming).is_err());
    assert!(Response::text(&b"\xff"[..]).into_text().is_err());
}

#[test]
fn json_comes_in_and_goes_out() {
    type Map = BTreeMap<String, u32>;
    let router = Router::new().post("/sum", |request| {
        let numbers = request.json::<Map>();
        numbers.map(|numbers| Response::json(numbers.values().sum::<u32>()))
    });
    let ask = |media_type: Option<&str>, body: &str| {
        let mut request = Request::post("/sum").with_body(body);
        if let Some(media_type) = media_type {
            request = request.with_header("Content-Type", media_type);
        }
        router.handle(&request)
    };
    for media_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/vnd.fish+json",
    ] {
        let response = ask(Some(media_type), r#"{"a": 1, "b": 2}"#);
        assert_eq!(response.status(), StatusCode::OK);
        let media_type = response.headers().get("Content-Type");
        assert_eq!(media_type, Some("application/json"));
        assert_eq!(response.into_text().unwrap(), "3");
    }
    for (media_type, body, status) in [
        (None, "{}", 415),
        (Some("text/plain"), "{}", 415),
        (Some("application/json"), "", 400),
        (Some("application/json"), "{\"a\": -1}", 400),
        (Some("application/json"), "{} {}", 400),
    ] {
        let response = ask(media_type, body);
        assert_eq!(response.status().as_u16(), status, "{body}");
        assert!(response.into_text().unwrap().contains("JSON"));
    }
    let no_json = Response::json(BTreeMap::from([(vec![1], 2)]));
    assert_eq!(no_json.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn an_arc_is_a_handler_and_state_is_shared_by_it() {
    let visits = Arc::new(AtomicUsize::new(0));
    let router = Router::new().get("/", {
        let visits = Arc::clone(&visits);
        move |_| (visits.fetch_add(1, Ordering::SeqCst) + 1).to_string()
    });
    let shared = Arc::new(router);
    let as_dyn: Arc<dyn Handler> = shared.clone();
    assert_eq!(shared.handle(&Request::get("/")).into_text().unwrap(), "1");
    assert_eq!(as_dyn.handle(&Request::get("/")).into_text().unwrap(), "2");
    assert!(
        as_dyn
            .handle_head(&Request::new(Method::PUT, "/"))
            .is_some()
    );
    assert_eq!(visits.load(Ordering::SeqCst), 2);
}

#[test]
fn a_boxed_error_is_a_500_unless_it_is_one_that_says_otherwise() {
    let failed = |error: Box<dyn std::error::Error>| error.into_response();
    let other = failed("the database is gone".into());
    assert_eq!(other.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!other.into_text().unwrap().contains("database"));
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    assert_eq!(
        failed(full.into()).status(),
        StatusCode::INSUFFICIENT_STORAGE
    );
    let refused = Request::post("/").with_json("no number").json::<u32>();
    assert_eq!(
        failed(refused.unwrap_err().into()).status(),
        StatusCode::BAD_REQUEST
    );
    let busy = failed(std::io::Error::from_raw_os_error(24).into());
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(busy.headers().get("Retry-After"), Some("1"));
    let sent: Box<dyn std::error::Error + Send + Sync> = "from a thread".into();
    assert_eq!(
        sent.into_response().status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
}
