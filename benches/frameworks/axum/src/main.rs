use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

#[derive(Serialize)]
struct User {
    name: String,
    age: u32,
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router = Router::new()
            .route("/", get(|| async { "Hello, world!" }))
            .route(
                "/users/{name}",
                get(|Path(name)| async { Json(User { name, age: 7 }) }),
            );
        let port = std::env::args().nth(1).unwrap();
        let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
        axum::serve(listener, router).await
    })
}
