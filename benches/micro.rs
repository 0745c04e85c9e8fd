//! Each part of a request's way on its own, in nanoseconds and allocations: `cargo bench --bench micro`.

mod dialog;

use std::fs;
use std::hint::black_box;
use std::time::{Duration, SystemTime};

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use sockeye::Handler;
use sockeye::access_log::{Format, Record};
use sockeye::files::StaticFiles;
use sockeye::message::{Request, Response, StatusCode};
use sockeye::wire::{Turn, write_chunk, write_last_chunk};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn main() {
    divan::main();
}

/// The head of a browser's request: 16 fields.
#[divan::bench]
fn parse_head(bencher: Bencher<'_, '_>) {
    let mut conversation = dialog::conversation();
    bencher.bench_local(|| {
        conversation.restart();
        conversation.receive(dialog::BROWSER.as_bytes());
        assert_eq!(conversation.turn(), Turn::Head);
    });
}

/// A response with three fields and 1 KB, made and written.
#[divan::bench]
fn answer(bencher: Bencher<'_, '_>) {
    let body = [b'a'; 1024];
    let request = || {
        let mut conversation = dialog::conversation();
        conversation.output_room(2048);
        conversation.receive(dialog::WRK.as_bytes());
        assert_eq!(conversation.turn(), Turn::Head);
        conversation
    };
    bencher
        .with_inputs(request)
        .bench_local_refs(|conversation| {
            let response = Response::text(body.to_vec())
                .with_header("Cache-Control", "no-cache")
                .with_header("X-Content-Type-Options", "nosniff");
            conversation.answer(response, DATE);
            black_box(conversation.output());
        });
}

const CHUNKS: usize = 64;
const CHUNK: [u8; 1024] = [b'a'; 1024];

fn chunked() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CHUNKS * (CHUNK.len() + 16));
    for _ in 0..CHUNKS {
        write_chunk(&mut bytes, &CHUNK);
    }
    write_last_chunk(&mut bytes);
    bytes
}

/// 64 KB in chunks of 1 KB, written.
#[divan::bench(counters = [BytesCount::new(CHUNKS * CHUNK.len())])]
fn chunked_out() -> Vec<u8> {
    chunked()
}

/// 64 KB in chunks of 1 KB, read.
#[divan::bench(counters = [BytesCount::new(CHUNKS * CHUNK.len())])]
fn chunked_in(bencher: Bencher<'_, '_>) {
    let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bytes = [head.as_bytes(), &chunked()].concat();
    let mut conversation = dialog::conversation();
    bencher.bench_local(|| {
        conversation.restart();
        conversation.receive(&bytes);
        assert_eq!(conversation.turn(), Turn::Head);
        conversation.collect_body();
        assert_eq!(conversation.turn(), Turn::Answer);
        assert_eq!(conversation.request().body().len(), CHUNKS * CHUNK.len());
    });
}

/// One line about a browser's request, in each format.
#[divan::bench(args = ["pretty", "common", "combined", "json"])]
fn log_line(bencher: Bencher<'_, '_>, format: &str) {
    let format: Format = format.parse().expect("it is one of them");
    let mut conversation = dialog::conversation();
    conversation.set_peer(Some(([192, 0, 2, 1], 54_321).into()));
    conversation.receive(dialog::BROWSER.as_bytes());
    assert_eq!(conversation.turn(), Turn::Head);
    let mut line = String::new();
    bencher.bench_local(|| {
        line.clear();
        let record = Record {
            request: black_box(conversation.request()),
            received_line: None,
            status: Some(StatusCode::OK),
            sent_bytes: 1_024,
            received_bytes: 0,
            began: SystemTime::now(),
            duration: Duration::from_micros(340),
            reason: None,
            is_cut: false,
            exchange: None,
        };
        format.write(&mut line, &record, false);
        black_box(&line).len()
    });
}

/// A path that is decoded, tidied and then found to be hidden, which costs no question to the kernel.
#[divan::bench]
fn safe_path(bencher: Bencher<'_, '_>) {
    let directory = tempfile::tempdir().expect("a directory of our own");
    let files = StaticFiles::new(directory.path()).expect("it was just made");
    let request = Request::get("/caf%C3%A9/na%C3%AFve/../of/a/./depth/.hidden/file.html");
    bencher.bench(|| files.handle(black_box(&request)));
}

/// A directory of 1,000 entries, read and listed.
#[divan::bench]
fn listing(bencher: Bencher<'_, '_>) {
    let directory = tempfile::tempdir().expect("a directory of our own");
    for number in 0..1000 {
        fs::write(directory.path().join(format!("file {number}.txt")), "a").expect("room");
    }
    let files = StaticFiles::new(directory.path()).expect("it was just made");
    let request = Request::get("/");
    bencher.bench(|| files.handle(black_box(&request)));
}

/// One small file, asked for and answered: once, and sixteen times at once.
#[divan::bench(args = [1, 16])]
fn conversation(bencher: Bencher<'_, '_>, pipelined: usize) {
    let (_directory, handler) = dialog::site(&[]);
    let requests = dialog::WRK.repeat(pipelined);
    let mut conversation = dialog::conversation();
    bencher.bench_local(|| dialog::exchange(&mut conversation, &handler, requests.as_bytes()));
}

/// The same, asked for by a browser.
#[divan::bench]
fn browsers_conversation(bencher: Bencher<'_, '_>) {
    let (_directory, handler) = dialog::site(&[]);
    let mut conversation = dialog::conversation();
    bencher
        .bench_local(|| dialog::exchange(&mut conversation, &handler, dialog::BROWSER.as_bytes()));
}
