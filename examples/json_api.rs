//! A JSON API: parameters in the path, JSON in and out, state that all requests share.
//!
//!     cargo run --example json_api [PORT]
//!     curl http://127.0.0.1:8080/notes -H 'Content-Type: application/json' -d '{"text": "buy fish"}'
//!     curl http://127.0.0.1:8080/notes/1

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sockeye::{IntoResponse, JsonError, Request, Response, Router, Server, StatusCode};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    writeln!(io::stdout(), "listening on {}", server.local_addrs()[0])?;
    server.serve(router())?;
    Ok(())
}

#[derive(Clone, Deserialize, Serialize)]
struct Note {
    text: String,
}

/// Handlers run on many threads at once: what they share is behind a lock.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<BTreeMap<u64, Note>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, request: &Request) -> Result<Response, JsonError> {
        let note: Note = request.json()?; // A body that is no note is a 400 that says why.
        let mut notes = self.lock();
        let id = notes.keys().next_back().map_or(1, |last| last + 1);
        notes.insert(id, note);
        let location = format!("/notes/{id}");
        Ok(StatusCode::CREATED
            .into_response()
            .with_header("Location", location))
    }

    fn read(&self, request: &Request) -> Result<Response, StatusCode> {
        let id: u64 = request
            .param("id")
            .parse()
            .map_err(|_| StatusCode::NOT_FOUND)?;
        self.lock()
            .get(&id)
            .map(Response::json)
            .ok_or(StatusCode::NOT_FOUND)
    }
}

fn router() -> Router {
    let notes = Notes::default();
    let (all, one) = (notes.clone(), notes.clone());
    Router::new()
        .get("/notes", move |_| Response::json(&*all.lock()))
        .post("/notes", move |request| notes.add(request))
        .get("/notes/{id}", move |request| one.read(request))
}
