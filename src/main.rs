//! Temporary.
use sockeye::{
    echo::Echo,
    message::{Request, Response},
    router::Router,
    server::Server,
};
fn main() {
    let server = Server::bind("127.0.0.1:8099").unwrap();
    let body = bytes::Bytes::from(vec![b'x'; 1024]);
    let router = Router::new()
        .any("/echo", Echo)
        .get("/hello", |_: &Request| Response::text("hello\n"))
        .get("/slow", |_: &Request| {
            std::thread::sleep(std::time::Duration::from_secs(2));
            Response::text("slow\n")
        })
        .get("/panic", |_: &Request| -> Response { panic!("x") })
        .get("/1k", move |_: &Request| Response::text(body.clone()));
    server.with_config(sockeye::server::Config{ active_threads: std::env::var("ACT").map_or(2,|v| v.parse().unwrap()), ..Default::default()}).serve(router).unwrap();
}
