use rouille::{Response, router};
use serde::Serialize;

#[derive(Serialize)]
struct User {
    name: String,
    age: u32,
}

fn main() {
    let port = std::env::args().nth(1).unwrap();
    rouille::start_server(format!("127.0.0.1:{port}"), |request| {
        router!(request,
            (GET) (/) => { Response::text("Hello, world!") },
            (GET) (/users/{name: String}) => { Response::json(&User { name, age: 7 }) },
            _ => Response::empty_404()
        )
    });
}
