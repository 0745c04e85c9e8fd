//! Who answers: by path and method.

use sockeye::handler::Handler;
use sockeye::message::{Method, Request, Response, StatusCode};
use sockeye::router::Router;

fn router() -> Router {
    Router::new()
        .get("/hello", |_: &Request| Response::text("hello"))
        .post("/hello", |_: &Request| Response::text("thank you"))
        .any("/any", |request: &Request| {
            Response::text(request.method().to_string())
        })
}

fn answer(method: Method, target: &str) -> Response {
    let request = Request::new(method, target);
    let router = router();
    router
        .handle_head(&request)
        .unwrap_or_else(|| router.handle(&request))
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
    assert_eq!(
        answer(Method::GET, "/hello/").status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        answer(Method::GET, "/Hello").status(),
        StatusCode::NOT_FOUND
    );
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
