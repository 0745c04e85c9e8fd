use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;

#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
    age: u32,
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    let (status, media_type, body) = if path == "/" {
        (
            200,
            "text/plain; charset=utf-8",
            Bytes::from("Hello, world!"),
        )
    } else if let Some(name) = path.strip_prefix("/users/") {
        let user = serde_json::to_vec(&User { name, age: 7 }).unwrap();
        (200, "application/json", user.into())
    } else {
        (
            404,
            "text/plain; charset=utf-8",
            Bytes::from("nothing here"),
        )
    };
    let response = Response::builder()
        .status(status)
        .header("Content-Type", media_type);
    Ok(response.body(Full::new(body)).unwrap())
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let port = std::env::args().nth(1).unwrap();
        let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    })
}
