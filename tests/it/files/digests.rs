//! What a large file costs: it is read once for each of its states, whatever it is called and however many ask.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Barrier;

use sockeye::Handler;
use sockeye::files::StaticFiles;
use sockeye::message::Request;

use super::site::Site;

const SIZE: u64 = 4_000_000;

/// How many bytes this thread has read from anywhere (proc_pid_io(5)).
fn read_so_far() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/io").unwrap();
    let count = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("rchar: "));
    count.unwrap().parse().unwrap()
}

/// The tag of a URL, and how many bytes were read for the answer's head.
fn tag(files: &StaticFiles, url: &str) -> (String, u64) {
    let before = read_so_far();
    let response = files.handle_head(&Request::get(url)).unwrap();
    let tag = response
        .headers()
        .get("ETag")
        .unwrap_or_else(|| panic!("{url}"));
    (tag.to_owned(), read_so_far() - before)
}

#[test]
fn new_spellings_of_a_known_large_file_cost_no_digest() {
    let site = Site::with("m.bin", vec![7; SIZE as usize]);
    symlink("m.bin", site.path("link")).unwrap();
    fs::create_dir(site.path("sub")).unwrap();
    let files = site.settled_files();
    let (known, cost) = tag(&files, "/m.bin");
    assert!(cost >= SIZE, "a digest is made of the bytes");
    let slashes = (2..40).map(|count| format!("{}m.bin", "/".repeat(count)));
    let climbs = (0..40).map(|n| format!("/{n}/../m.bin"));
    let escapes = ["/%6d.bin", "/m%2ebin", "/./m.bin", "/sub/../link", "/link"].map(str::to_owned);
    for url in slashes.chain(climbs).chain(escapes) {
        let (tag, cost) = tag(&files, &url);
        assert_eq!(tag, known, "{url}");
        assert!(cost < 64 * 1024, "{url}: {cost} bytes were read");
    }
}

#[test]
fn a_digest_that_many_ask_for_at_once_is_made_once() {
    let site = Site::with("m.bin", vec![7; SIZE as usize]);
    let files = site.settled_files();
    let start = Barrier::new(8);
    let costs = std::thread::scope(|scope| {
        let ask = |n: usize| {
            let (files, start) = (&files, &start);
            scope.spawn(move || {
                start.wait();
                tag(files, &format!("{}m.bin", "/".repeat(n + 1))).1
            })
        };
        let threads: Vec<_> = (0..8).map(ask).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum::<u64>()
    });
    assert!(
        (SIZE..SIZE + SIZE / 2).contains(&costs),
        "{costs} bytes were read"
    );
}

#[test]
fn an_edit_makes_a_new_digest() {
    let site = Site::with("m.bin", vec![7; SIZE as usize]);
    let files = site.settled_files();
    let (before, _) = tag(&files, "/m.bin");
    site.write("m.bin", vec![8; SIZE as usize]);
    super::site::settle();
    let (after, cost) = tag(&files, "//m.bin");
    assert!(before != after && cost >= SIZE);
}
