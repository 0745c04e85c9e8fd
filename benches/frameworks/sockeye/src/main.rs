use serde::Serialize;
use sockeye::{Response, Router, Server};

#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
    age: u32,
}

fn main() -> std::io::Result<()> {
    let router = Router::new()
        .get("/", |_| "Hello, world!")
        .get("/users/{name}", |request| {
            let name = request.param("name");
            Response::json(User { name, age: 7 })
        });
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    Server::bind(("127.0.0.1", port))?.serve(router)?;
    Ok(())
}
