use std::sync::Arc;
use std::thread;

use serde::Serialize;
use tiny_http::{Header, Response, Server};

#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
    age: u32,
}

fn main() {
    let port = std::env::args().nth(1).unwrap();
    let server = Arc::new(Server::http(format!("127.0.0.1:{port}")).unwrap());
    let json: Header = "Content-Type: application/json".parse().unwrap();
    let threads = thread::available_parallelism().unwrap().get();
    let serve = || {
        let (server, json) = (Arc::clone(&server), json.clone());
        thread::spawn(move || {
            for request in server.incoming_requests() {
                let url = request.url();
                let response = if url == "/" {
                    Response::from_string("Hello, world!")
                } else if let Some(name) = url.strip_prefix("/users/") {
                    let user = serde_json::to_string(&User { name, age: 7 }).unwrap();
                    Response::from_string(user).with_header(json.clone())
                } else {
                    Response::from_string("nothing here").with_status_code(404)
                };
                let _ = request.respond(response);
            }
        })
    };
    let threads: Vec<_> = (0..threads).map(|_| serve()).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
