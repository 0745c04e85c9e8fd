use std::time::Duration;

use super::*;
use crate::Handler;
use crate::files::{FilesConfig, StaticFiles};
use crate::message::Request;

/// Waits until `condition` holds.
fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::yield_now();
    }
}

fn site(names: &[&str]) -> (tempfile::TempDir, StaticFiles) {
    let directory = tempfile::tempdir().unwrap();
    for name in names {
        // Long enough that the best takes seconds.
        let text: Vec<_> = (0..400_000_u32)
            .map(|n| format!("{name} {}", u64::from(n) * 7_919))
            .collect();
        let text = &text.join(" ")[..SOURCE_BYTES_MAX as usize];
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    thread::sleep(Duration::from_millis(30));
    let config = FilesConfig {
        compress: true,
        ..FilesConfig::default()
    };
    let files = StaticFiles::with_config(directory.path(), &config).unwrap();
    (directory, files)
}

fn ask(files: &StaticFiles, name: &str) {
    let request = Request::get(&format!("/{name}")).with_header("Accept-Encoding", "br");
    let response = files.handle(&request);
    assert_eq!(response.headers().get("Content-Encoding"), Some("br"));
}

#[test]
fn the_thread_is_there_while_it_has_something_to_do_and_ends_with_the_files() {
    let (_directory, files) = site(&["a.txt", "b.txt"]);
    let shared = Arc::clone(&files.compressor.as_ref().unwrap().0);
    ask(&files, "a.txt");
    ask(&files, "b.txt");
    assert!(unpoisoned(shared.queue.lock()).is_empty(), "asked for once");
    for _ in 0..10 {
        ask(&files, "a.txt");
        ask(&files, "b.txt");
    }
    assert_eq!(unpoisoned(shared.queue.lock()).len(), 2, "each waits once");
    drop(files);
    let begun = Instant::now();
    until(|| Arc::strong_count(&shared) == 1);
    assert!(begun.elapsed() < Duration::from_secs(5));
}
