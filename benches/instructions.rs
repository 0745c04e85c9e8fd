//! One kind of request, so many times: what `benches/instructions.sh` has valgrind count.
//!
//! Timings on shared machines are noisy and instructions are not. What starting costs cancels out between two
//! counts with different numbers of requests.

mod dialog;

use std::env;
use std::ops::Range;

use sockeye::Handler;
use sockeye::wire::Turn;

fn main() {
    let mut arguments = env::args().skip(1).filter(|word| !word.starts_with("--"));
    let kinds: Vec<String> = arguments
        .next()
        .map_or_else(|| KINDS.map(str::to_owned).to_vec(), |kind| vec![kind]);
    let times = arguments
        .next()
        .map_or(1, |times| times.parse().expect("KIND and how many times"));
    for kind in kinds {
        run(&kind, times);
    }
}

const KINDS: [&str; 6] = [
    "hot",
    "browser",
    "compressed",
    "unmodified",
    "missing",
    "many",
];

fn run(kind: &str, times: u64) {
    if kind == "compressed" && !cfg!(feature = "compress") {
        return;
    }
    if kind == "many" {
        let (_directory, handler, requests) = dialog::large_site();
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        return exchange(kind, &handler, &requests, 1024..1500, times);
    }
    let flags: &[&str] = if kind == "compressed" {
        &["--compress"]
    } else {
        &[]
    };
    let (_directory, handler) = dialog::site(flags);
    let (request, answer_bytes) = match kind {
        "hot" => (dialog::WRK.to_owned(), 1024..1500),
        "browser" => (dialog::BROWSER.to_owned(), 1024..1500),
        "compressed" => {
            until_it_is_best(&handler);
            (dialog::BROWSER.to_owned(), 200..500)
        }
        "unmodified" => {
            let tag = tag(&handler);
            let fields = format!("\r\nIf-None-Match: {tag}\r\n\r\n");
            (dialog::WRK.replace("\r\n\r\n", &fields), 100..300)
        }
        "missing" => (dialog::WRK.replace("1k", "no"), 100..500),
        _ => panic!("{kind}: one of {KINDS:?}"),
    };
    exchange(kind, &handler, &[&request], answer_bytes, times);
}

/// Says the requests in turn, so many in all.
fn exchange(
    kind: &str,
    handler: &dyn Handler,
    requests: &[&str],
    answer_bytes: Range<usize>,
    times: u64,
) {
    let mut conversation = dialog::conversation();
    for request in requests.iter().cycle().take(times as usize) {
        let bytes = dialog::exchange(&mut conversation, handler, request.as_bytes());
        assert!(answer_bytes.contains(&bytes), "{kind}: {bytes}");
    }
}

/// The tag of the file, as a second request would name it.
fn tag(handler: &dyn Handler) -> String {
    let mut conversation = dialog::conversation();
    conversation.receive(dialog::WRK.as_bytes());
    assert_eq!(conversation.turn(), Turn::Head);
    let response = handler.handle_head(conversation.request()).expect("a file");
    let tag = response.headers().get("ETag").expect("a file has a tag");
    tag.to_owned()
}

/// Has the file compressed, and again as small as can be, which a thread does.
fn until_it_is_best(handler: &dyn Handler) {
    let mut conversation = dialog::conversation();
    for _ in 0..2 {
        dialog::exchange(&mut conversation, handler, dialog::BROWSER.as_bytes());
    }
    let threads = || std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    while threads() > 1 {
        std::thread::yield_now();
    }
}
