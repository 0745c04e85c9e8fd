//! Keeps the walls of the house: who may name whom, and which worlds a part does not touch.

mod checks;
mod house;
mod map;

use std::collections::BTreeSet;

use house::{House, statements};

/// A file and a function longer than this are two.
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

const SOCKETS: &[&str] = &[
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "socket2::",
    "rustix::net",
    "rustix::event",
];
const THREADS: &[&str] = &["std::thread", "thread::spawn", "thread::sleep", "rayon::"];
const CLOCK: &[&str] = &["Instant::now", "SystemTime::now", ".elapsed()"];
const FILE_SYSTEM: &[&str] = &[
    "std::fs",
    "fs::read",
    "File::open",
    "OpenOptions",
    "rustix::fs",
];
const OPENING: &[&str] = &[
    "fs::read",
    "fs::metadata",
    "File::open",
    "OpenOptions",
    "openat",
];
const MEDIA: &[&str] = &["mime_guess"];
const PRINTING: &[&str] = &[
    "println!",
    "eprintln!",
    "print!(",
    "dbg!(",
    "io::stdout",
    "io::stderr",
    "stdout()",
    "stderr()",
];
const ENVIRONMENT: &[&str] = &["std::env", "env::var", "env::args"];
const EXITING: &[&str] = &["process::exit", "process::abort"];

/// A part of the house: a file or a folder in `src`.
struct Part {
    name: &'static str,
    may_name: &'static [&'static str],
    must_not_touch: &'static [&'static [&'static str]],
}

#[rustfmt::skip]
const PARTS: &[Part] = &[
    Part { name: "text", may_name: &[],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "sync", may_name: &[],
        must_not_touch: &[SOCKETS, THREADS, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "message", may_name: &["text"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, FILE_SYSTEM, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "wire", may_name: &["message", "text"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, FILE_SYSTEM, ENVIRONMENT, PRINTING, EXITING] },
    // Nothing but documentation.
    Part { name: "guide", may_name: &[],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    // Heartbeats need a clock.
    Part { name: "channel", may_name: &["message", "sync"],
        must_not_touch: &[SOCKETS, THREADS, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "collect", may_name: &["message"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, OPENING, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "handler", may_name: &["message"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, FILE_SYSTEM, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "router", may_name: &["message", "handler", "middleware"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "echo", may_name: &["message", "handler", "text"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "middleware", may_name: &["message", "handler", "sync"],
        must_not_touch: &[SOCKETS, THREADS, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    // An answer has a date.
    Part { name: "by_hand", may_name: &["message", "handler", "middleware", "text", "wire"],
        must_not_touch: &[SOCKETS, THREADS, FILE_SYSTEM, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    // It knows what a file is and not what HTTP is; of `message` it takes the fingerprint.
    Part { name: "tree", may_name: &["message", "sync"],
        must_not_touch: &[SOCKETS, THREADS, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "listing", may_name: &["message", "text", "tree"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "files", may_name: &["message", "handler", "listing", "sync", "text", "tree"],
        must_not_touch: &[SOCKETS, THREADS, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "access_log", may_name: &["message", "sync", "text"],
        must_not_touch: &[SOCKETS, FILE_SYSTEM, ENVIRONMENT, PRINTING, EXITING] },
    Part { name: "server", may_name: &["message", "handler", "wire", "access_log", "sync"],
        must_not_touch: &[OPENING, MEDIA, ENVIRONMENT, PRINTING, EXITING] },
    // It reads values into the types of the rooms that use them, and composes nothing.
    Part { name: "cli", may_name: &["access_log", "server", "files", "middleware", "text"],
        must_not_touch: &[THREADS, EXITING] },
    // Of the binary alone, and shared with the benches.
    Part { name: "site", may_name: &["by_hand", "cli", "echo", "files", "handler", "middleware", "router"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, ENVIRONMENT, PRINTING, EXITING] },
    // Of the binary alone, and knows nobody but the words for the end.
    Part { name: "confine", may_name: &["cli"],
        must_not_touch: &[SOCKETS, THREADS, CLOCK, ENVIRONMENT, PRINTING, EXITING] },
];

/// What stands in one file for a good reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    // A body carries an open file; `File` and `Metadata` are named there as types.
    ("src/message/file_slice.rs", "std::fs"),
    // The best compression takes seconds, which no request waits for.
    ("src/files/compress.rs", "std::thread"),
];

/// Nowhere in the repository. Written in two pieces, so that this file may be looked at too.
const NOWHERE: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
    concat!("un", "safe {"),
    concat!("un", "safe fn"),
    concat!("un", "safe impl"),
    concat!("static ", "mut "),
];

#[test]
fn every_part_names_only_the_parts_below_it_and_touches_only_its_own_world() {
    let house = House::read();
    let mut broken = Vec::new();
    for (path, text) in house.files_under("src/") {
        broken.extend(house.broken_walls(path, text));
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_file_belongs_to_the_house() {
    let house = House::read();
    let mut reached = BTreeSet::new();
    for root in ["src/lib.rs", "src/main.rs", "tests/it/main.rs"] {
        house.reach(root, &mut reached);
    }
    let ours = |path: &&String| path.starts_with("src/") || path.starts_with("tests/it/");
    let orphans: Vec<_> = house
        .files
        .keys()
        .filter(ours)
        .filter(|path| !reached.contains(*path))
        .collect();
    assert!(orphans.is_empty(), "no `mod` leads to {orphans:?}");
}

#[test]
fn no_file_and_no_function_is_too_long_and_nothing_is_left_undone() {
    let house = House::read();
    let mut found = Vec::new();
    for (path, text) in &house.files {
        found.extend(house::too_long(path, text));
        for (number, line) in statements(text) {
            let undone = NOWHERE.iter().filter(|needle| line.contains(*needle));
            found.extend(undone.map(|needle| format!("{path}:{number}: `{needle}`")));
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
