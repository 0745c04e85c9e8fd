//! Who answers: by path and method.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sockeye::{Echo, Handler, Method, Request, Response, Router, StaticFiles, StatusCode};

use crate::support::TestServer;

fn router() -> Router {
    Router::new()
        .get("/hello", |_| "hello")
        .post("/hello", |_| "thank you")
        .any("/any", |request: &Request| request.method().to_string())
}

/// What a server would answer: from the head, or with the body.
fn answer_of(router: &Router, request: &Request) -> Response {
    router
        .handle_head(request)
        .unwrap_or_else(|| router.handle(request))
}

fn answer(method: Method, target: &str) -> Response {
    answer_of(&router(), &Request::new(method, target))
}

/// The text of a 200, or the status.
fn text(router: &Router, target: &str) -> String {
    let response = answer_of(router, &Request::get(target));
    match response.status() {
        StatusCode::OK => response.into_text().expect("text"),
        status => status.to_string(),
    }
}

#[test]
fn a_route_answers_its_path_and_method_and_head_as_get() {
    for (method, target) in [
        (Method::GET, "/hello"),
        (Method::HEAD, "/hello"),
        (Method::POST, "/hello"),
        (Method::GET, "/hello?query"),
        (Method::GET, "/%68ello"),
        (Method::PATCH, "/any"),
        (Method::GET, "http://example.test/hello"),
    ] {
        assert_eq!(
            answer(method.clone(), target).status(),
            StatusCode::OK,
            "{method} {target}"
        );
    }
}

#[test]
fn another_path_is_404_and_another_method_405_with_what_is_allowed() {
    for target in ["/hello/", "/Hello", "/", "/hello/x", "//hello", "/hello%2F"] {
        let status = answer(Method::GET, target).status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{target}");
    }
    let refused = answer(Method::DELETE, "/hello");
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        refused.headers().get("Allow"),
        Some("GET, HEAD, POST, OPTIONS")
    );
}

#[test]
fn options_says_what_is_allowed_for_a_path_and_for_the_server() {
    let options = answer(Method::OPTIONS, "/hello");
    assert_eq!(options.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        options.headers().get("Allow"),
        Some("GET, HEAD, POST, OPTIONS")
    );
    let server = answer(Method::OPTIONS, "*");
    assert_eq!(server.status(), StatusCode::NO_CONTENT);
    assert!(
        server
            .headers()
            .get("Allow")
            .is_some_and(|allow| allow.contains("GET"))
    );
}

#[test]
fn a_method_that_is_not_allowed_is_refused_before_its_body_is_read() {
    let request = Request::new(Method::PUT, "/hello");
    let refused = router()
        .handle_head(&request)
        .map(|response| response.status());
    assert_eq!(refused, Some(StatusCode::METHOD_NOT_ALLOWED));
    assert!(
        router()
            .handle_head(&Request::new(Method::POST, "/hello"))
            .is_none()
    );
}

#[test]
fn a_function_for_the_method_goes_before_the_handler_for_any() {
    let router = Router::new()
        .any("/x", |_: &Request| "any")
        .get("/x", |_| "get")
        .route(Method::HEAD, "/x", |_| (StatusCode::ACCEPTED, ""));
    let said = |method| answer_of(&router, &Request::new(method, "/x"));
    assert_eq!(said(Method::GET).into_text().unwrap(), "get");
    assert_eq!(said(Method::HEAD).status(), StatusCode::ACCEPTED);
    assert_eq!(said(Method::DELETE).into_text().unwrap(), "any");
    assert_eq!(said(Method::OPTIONS).into_text().unwrap(), "any");
}

#[test]
fn every_method_has_a_verb_and_allow_names_each_once() {
    let router = Router::new()
        .get("/x", |_| "")
        .post("/x", |_| "")
        .put("/x", |_| "")
        .patch("/x", |_| "")
        .delete("/x", |_| "")
        .route(Method::HEAD, "/x", |_| "");
    let options = answer_of(&router, &Request::new(Method::OPTIONS, "/x"));
    assert_eq!(
        options.headers().get("Allow"),
        Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    );
}

#[test]
fn parameters_are_taken_from_the_path_and_decoded() {
    let router = Router::new()
        .get("/users/{id}", |request| {
            format!("user {}", request.param("id"))
        })
        .get("/users/me", |_| "me")
        .get("/users/{id}/posts/{post}", |request| {
            let params = request
                .params()
                .map(|(name, value)| format!("{name}={value}"));
            params.collect::<Vec<_>>().join(" ")
        })
        .get("/files/{*path}", |request| {
            format!("file {}", request.param("path"))
        })
        .get("/img/{name}.png", |request| {
            format!("image {}", request.param("name"))
        })
        .get("/100%", |_| "percent")
        .get("/{{braces}}", |_| "braces");
    for (target, said) in [
        ("/users/7", "user 7"),
        ("/users/me", "me"),
        ("/users/m%65", "me"),
        ("/users/caf%C3%A9?x=y", "user café"),
        ("/users/a%2Fb", "user a/b"),
        ("/users/a%252Fb", "user a%2Fb"),
        ("/users/50%25", "user 50%"),
        ("/users/%zz", "user %zz"),
        ("/users/a+b", "user a+b"),
        ("/users/1/posts/2", "post=2 id=1"),
        ("/files/a/b%2Fc//d", "file a/b/c//d"),
        ("/files/../x", "file ../x"),
        ("/img/cat.png", "image cat"),
        ("/100%25", "percent"),
        ("/%7Bbraces%7D", "braces"),
        ("/users", "404 Not Found"),
        ("/users/", "404 Not Found"),
        ("/users/7/", "404 Not Found"),
        ("/users/a%FF", "404 Not Found"),
        ("/files/", "404 Not Found"),
        ("/img/cat.jpg", "404 Not Found"),
    ] {
        assert_eq!(text(&router, target), said, "{target}");
    }
    let refused = answer_of(&router, &Request::post("/users/7"));
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers().get("Allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn a_parameter_that_the_route_does_not_have_is_the_programs_fault() {
    let router = Router::new().get("/{id}", |request| request.param("name").to_owned());
    let asked = catch_unwind(AssertUnwindSafe(|| router.handle(&Request::get("/7"))));
    let said = asked.expect_err("it panics");
    let said = said.downcast_ref::<String>().expect("a sentence");
    assert_eq!(said, "the route of /7 has no parameter `name`");
}

/// What is said when a router cannot be built.
fn complaint(build: fn() -> Router) -> String {
    let built = catch_unwind(build);
    let said = built.expect_err("it is not built");
    said.downcast_ref::<String>().expect("a sentence").clone()
}

#[test]
fn routes_that_cannot_be_told_apart_end_the_program_with_a_sentence() {
    type Build = fn() -> Router;
    let table: [(Build, &str); 6] = [
        (
            || Router::new().get("/x", |_| "").get("/x", |_| ""),
            "there are two routes for GET `/x`",
        ),
        (
            || Router::new().any("/x", Echo).any("/x", Echo),
            "there are two handlers for `/x`",
        ),
        (
            || Router::new().get("/{id}", |_| "").post("/{name}", |_| ""),
            "the route `/{name}` cannot be told from `/{id}`",
        ),
        (
            || {
                Router::new()
                    .get("/a/{b}", |_| "")
                    .nest("/a", Router::new())
            },
            "the route `/a` cannot be told from `/a/{b}`",
        ),
        (
            || {
                Router::new()
                    .nest("/a", Router::new())
                    .get("/a/{b}", |_| "")
            },
            "the route `/a/{b}` cannot be told from `/a/`",
        ),
        (
            || {
                Router::new()
                    .nest("/a", Router::new())
                    .nest("/a/", Router::new())
            },
            "the route `/a/` cannot be told from `/a/`",
        ),
    ];
    for (build, sentence) in table {
        let said = complaint(build);
        assert!(said.starts_with(sentence), "{said}");
    }
}

#[test]
fn a_route_that_is_malformed_ends_the_program_with_a_sentence() {
    type Build = fn() -> Router;
    let table: [(Build, &str); 6] = [
        (
            || Router::new().get("/users/:id", |_| ""),
            "the route `/users/:id` would match `:id` to the letter; a parameter is written `{id}`",
        ),
        (
            || Router::new().get("/files/*path", |_| ""),
            "the route `/files/*path` would match `*path` to the letter; a parameter is written `{*path}`",
        ),
        (
            || Router::new().get("hello", |_| ""),
            "the route `hello` must begin with a slash",
        ),
        (
            || Router::new().get("/{", |_| ""),
            "the route `/{` is malformed: Parameters must be registered with a valid name",
        ),
        (
            || Router::new().get("/{*rest}/x", |_| ""),
            "the route `/{*rest}/x` is malformed: Catch-all parameters are only allowed at the end",
        ),
        (
            || Router::new().nest("/{*rest}", Router::new()),
            "the route `/{*rest}` is malformed: Catch-all",
        ),
    ];
    for (build, sentence) in table {
        let said = complaint(build);
        assert!(said.starts_with(sentence), "{said}");
    }
}

#[test]
fn a_nested_router_sees_the_path_without_its_prefix() {
    let posts = Router::new()
        .get("/", |request| {
            format!("{} {}", request.prefix(), request.path())
        })
        .get("/{post}", |request| {
            format!("{}/{}", request.param("user"), request.param("post"))
        });
    let api = Router::new()
        .get("/", |_| "api")
        .post("/things", |_| "made")
        .nest("/users/{user}/posts/", posts);
    let router = Router::new()
        .get("/api/version", |_| "1")
        .nest("/api", api)
        .fallback(|_: &Request| "fallback");
    for (target, said) in [
        ("/api", "api"),
        ("/api/", "api"),
        ("/api?x", "api"),
        ("/api/version", "1"),
        ("/%61pi/", "api"),
        ("/api/users/7/posts", "/api/users/7/posts /"),
        ("/api/users/7/posts/", "/api/users/7/posts /"),
        ("/api/users/%37/posts/", "/api/users/%37/posts /"),
        ("/api/users/a%2Fb/posts/2", "a/b/2"),
        ("http://example.test/api/users/7/posts/2", "7/2"),
        ("/api/nothing", "404 Not Found"),
        ("/api//", "404 Not Found"),
        ("/apis", "fallback"),
        ("/", "fallback"),
    ] {
        assert_eq!(text(&router, target), said, "{target}");
    }
    let refused = answer_of(&router, &Request::get("/api/things"));
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers().get("Allow"), Some("POST, OPTIONS"));
    let options = answer_of(&router, &Request::new(Method::OPTIONS, "/api/things"));
    assert_eq!(options.headers().get("Allow"), Some("POST, OPTIONS"));
}

#[test]
fn nested_files_redirect_to_where_they_are_and_link_among_themselves() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("sub")).unwrap();
    std::fs::write(directory.path().join("sub/a.txt"), "a").unwrap();
    let router = Router::new().nest("/static", StaticFiles::new(directory.path()).unwrap());
    assert_eq!(text(&router, "/static/sub/a.txt"), "a");
    // From memory too.
    assert_eq!(text(&router, "/static/sub/a.txt"), "a");
    for (target, location) in [
        ("/static", "/static/"),
        ("/static?a=b", "/static/?a=b"),
        ("/%73tatic", "/%73tatic/"),
        ("/static/sub", "/static/sub/"),
        ("/static/sub?a", "/static/sub/?a"),
    ] {
        let response = answer_of(&router, &Request::get(target));
        assert_eq!(
            response.status(),
            StatusCode::PERMANENT_REDIRECT,
            "{target}"
        );
        assert_eq!(response.headers().get("Location"), Some(location));
    }
    let listing = text(&router, "/static/sub/");
    assert!(listing.contains("a.txt"), "{listing}");
    assert!(!listing.contains("href=\"/"), "{listing}");
    for target in [
        "/static/../x",
        "/static/%2e%2e/x",
        "/static/..%2Fx",
        "/static/a%2Fb",
    ] {
        assert_eq!(text(&router, target), "400 Bad Request", "{target}");
    }
    assert_eq!(text(&router, "/sub/a.txt"), "404 Not Found");
}

#[test]
fn a_body_streams_back_from_a_nested_handler_and_is_there_beside_a_parameter() {
    let router = Router::new()
        .nest("/deep", Router::new().any("/echo", Echo))
        .post("/users/{id}", |request| {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            format!("{}: {body}", request.param("id"))
        });
    let server = TestServer::start(Arc::new(router));
    let mut client = server.connect();
    client.say("POST /deep/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc");
    client.hear_head();
    assert_eq!(client.hear_exactly(3), b"abc");
    client.say("def");
    assert_eq!(client.hear_exactly(3), b"def");
    for body in ["first", "second one"] {
        let length = body.len();
        client.say(format!(
            "POST /users/7 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        assert_eq!(client.hear().text(), format!("7: {body}"));
    }
}
