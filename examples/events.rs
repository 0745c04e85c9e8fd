//! Server-sent events: a page that hears the time, and what others say, without asking again.
//!
//!     cargo run --example events [PORT]
//!     curl -N http://127.0.0.1:8080/events
//!     curl http://127.0.0.1:8080/say -d 'hello, all'
//!
//! Or open <http://127.0.0.1:8080/> in two windows. Each client costs a connection and no thread, so ten thousand may
//! listen; `ulimit -n` says how many connections the system allows.

use std::error::Error;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use sockeye::{Broadcast, Config, Event, Response, Router, Server, StatusCode};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let config = Config {
        connections_max: 12_000,
        ..Config::default()
    };
    let server = Server::bind(format!("127.0.0.1:{port}"))?.with_config(config);
    writeln!(io::stdout(), "listening on {}", server.local_addrs()[0])?;
    let news = Broadcast::default();
    let router = router(&news);
    thread::spawn(move || tell_the_time(&news));
    server.serve(router)?;
    Ok(())
}

fn router(news: &Broadcast) -> Router {
    // A clone is another handle on the same broadcast: one for each handler.
    let (streams, said, ids) = (news.clone(), news.clone(), AtomicU64::new(1));
    Router::new()
        .get("/", |_| Response::html(PAGE))
        .get("/events", move |_| streams.subscribe())
        .post("/say", move |request| {
            let id = ids.fetch_add(1, Ordering::Relaxed).to_string();
            said.send(Event::new(request.text()).with_id(id)); // It waits for nobody, however many listen.
            StatusCode::NO_CONTENT
        })
}

fn tell_the_time(news: &Broadcast) -> ! {
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let time = format!("{} seconds since 1970", now.as_secs());
        news.send(Event::new(time).with_name("time"));
    }
}

const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8"><title>Events</title>
<output>waiting</output>
<form><input name="words" aria-label="Words" autocomplete="off" autofocus> <button>Say it to all</button></form>
<ul></ul>
<script>
  const stream = new EventSource("/events"); // It comes back by itself if the connection is lost.
  stream.addEventListener("time", event => document.querySelector("output").textContent = event.data);
  stream.onmessage = event => {
    const item = document.createElement("li");
    item.textContent = event.data;
    document.querySelector("ul").prepend(item);
  };
  document.querySelector("form").onsubmit = event => {
    event.preventDefault();
    fetch("/say", { method: "POST", body: event.target.words.value });
    event.target.reset();
  };
</script>
"#;
