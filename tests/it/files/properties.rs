//! Facts about every range, date and path, held against models that are too simple to be wrong.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use sockeye::message::Request;

use super::site::{Site, ask, get};

/// `first-last`, `first-` or `-count`.
type Spec = (Option<u64>, Option<u64>);

fn spec() -> impl Strategy<Value = Spec> {
    let number = || 0u64..130;
    prop_oneof![
        (number(), number()).prop_map(|(first, last)| (Some(first), Some(last))),
        number().prop_map(|first| (Some(first), None)),
        number().prop_map(|count| (None, Some(count))),
    ]
}

fn as_text((first, last): &Spec) -> String {
    let number = |number: &Option<u64>| number.map_or(String::new(), |number| number.to_string());
    format!("{}-{}", number(first), number(last))
}

/// Every position that was asked for, one by one; `None` if the range is malformed.
fn positions(length: u64, spec: &Spec) -> Option<Vec<u64>> {
    let asked = |at: &u64| match spec {
        (Some(first), last) => at >= first && last.is_none_or(|last| *at <= last),
        (None, count) => *at + count.unwrap_or(0) >= length,
    };
    let is_backwards = matches!(spec, (Some(first), Some(last)) if last < first);
    (!is_backwards).then(|| (0..length).filter(asked).collect())
}

/// The parts of a `multipart/byteranges` body: first position and bytes.
fn parts(boundary: &str, body: &str) -> Vec<(u64, String)> {
    let delimiter = format!("--{boundary}");
    let between = body.split(&delimiter).skip(1);
    let parts = between
        .take_while(|part| !part.starts_with("--"))
        .map(|part| {
            let (head, bytes) = part.split_once("\r\n\r\n").unwrap();
            let (_, range) = head.split_once("Content-Range: bytes ").unwrap();
            let first = range.split('-').next().unwrap().parse().unwrap();
            (first, bytes.strip_suffix("\r\n").unwrap().to_owned())
        });
    parts.collect()
}

#[test]
fn ranges_are_those_of_a_naive_model() {
    let text: String = (0..100u8).map(|at| char::from(b' ' + at % 90)).collect();
    let site = Site::with("a.txt", &text);
    let files = site.files();
    proptest!(|(specs in proptest::collection::vec(spec(), 1..6))| {
        let list: Vec<_> = specs.iter().map(as_text).collect();
        let answer = ask(&files, &Request::get("/a.txt").with_header("Range", format!("bytes={}", list.join(", "))));
        let asked: Option<Vec<Vec<u64>>> = specs.iter().map(|spec| positions(100, spec)).collect();
        let asked = asked.map(|asked| asked.into_iter().filter(|range| !range.is_empty()).collect::<Vec<_>>());
        let status = match &asked {
            None => 200,
            Some(asked) if asked.is_empty() => 416,
            Some(asked) if asked.len() > 1 && asked.concat().len() > 100 => 200,
            Some(_) => 206,
        };
        prop_assert_eq!(answer.status, status, "{:?}", list);
        if status == 200 {
            prop_assert_eq!(answer.text(), &text);
        }
        if status == 206 {
            let said = match answer.field("Content-Type").split_once("boundary=") {
                Some((_, boundary)) => parts(boundary, answer.text()),
                None => {
                    let range = answer.field("Content-Range").strip_prefix("bytes ").unwrap();
                    vec![(range.split('-').next().unwrap().parse().unwrap(), answer.text().to_owned())]
                }
            };
            let mut sent = Vec::new();
            for (first, bytes) in said {
                prop_assert!(text[first as usize..].starts_with(&bytes));
                sent.extend(first..first + bytes.len() as u64);
            }
            let mut asked = asked.unwrap().concat();
            asked.sort_unstable();
            asked.dedup();
            sent.sort_unstable();
            prop_assert_eq!(sent, asked, "every byte asked for, and each once");
        }
    });
}

/// A date in the three formats of RFC 9110 §5.6.7.
fn three_formats(date: SystemTime) -> [String; 3] {
    let imf = httpdate::fmt_http_date(date);
    let words: Vec<&str> = imf
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let [weekday, day, month, year, time, _] = words[..] else {
        panic!("{imf}")
    };
    let long = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    let long = long.iter().find(|long| long.starts_with(weekday)).unwrap();
    let short_day = day.trim_start_matches('0');
    [
        imf.clone(),
        format!("{long}, {day}-{month}-{} {time} GMT", &year[2..]),
        format!("{weekday} {month} {short_day:>2} {time} {year}"),
    ]
}

#[test]
fn dates_are_compared_by_the_second_in_all_three_formats() {
    // A year of two digits can mean the years 1970 to 2069 alone.
    let modified = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let site = Site::with("a.txt", "a");
    site.date("a.txt", modified + Duration::from_millis(500));
    let files = site.settled_files();
    let near = -3i64..4;
    let far = -900_000_000i64..700_000_000;
    proptest!(|(offset in prop_oneof![near, far])| {
        let date = UNIX_EPOCH + Duration::from_secs((1_000_000_000 + offset) as u64);
        for said in three_formats(date) {
            let since = ask(&files, &Request::get("/a.txt").with_header("If-Modified-Since", &said));
            prop_assert_eq!(since.status, if offset < 0 { 200 } else { 304 }, "{}", said);
            let unless = ask(&files, &Request::get("/a.txt").with_header("If-Unmodified-Since", &said));
            prop_assert_eq!(unless.status, if offset < 0 { 412 } else { 200 }, "{}", said);
        }
    });
}

/// A name in a URL, perhaps escaped without need.
fn segment() -> impl Strategy<Value = (String, &'static str)> {
    let names = vec!["", ".", "..", "a", "b", "c d", "e%f", "gone"];
    (proptest::sample::select(names), any::<u32>()).prop_map(|(name, escaped)| {
        let mut text = String::new();
        for (at, byte) in name.bytes().enumerate() {
            match escaped >> at & 1 == 1 || matches!(byte, b' ' | b'%') {
                true => text.push_str(&format!("%{byte:02x}")),
                false => text.push(char::from(byte)),
            }
        }
        (text, name)
    })
}

#[test]
fn paths_lead_where_a_naive_walk_leads() {
    let site = Site::new();
    for file in ["a/b/c d", "a/e%f", "b", "c d/a/a"] {
        site.write(file, format!("this is {file}"));
    }
    let files = site.files();
    proptest!(|(segments in proptest::collection::vec(segment(), 1..7))| {
        let url: String = segments.iter().map(|(text, _)| format!("/{text}")).collect();
        let mut walk: Option<Vec<&str>> = Some(Vec::new());
        for (_, name) in &segments {
            walk = walk.and_then(|mut names| match *name {
                "" | "." => Some(names),
                ".." => names.pop().map(|_| names),
                name => {
                    names.push(name);
                    Some(names)
                }
            });
        }
        let is_directory = matches!(segments.last().unwrap().1, "" | "." | "..");
        let answer = get(&files, &url);
        let Some(names) = walk else {
            prop_assert_eq!(answer.status, 400, "{}", url);
            return Ok(());
        };
        let path = site.path(names.join("/"));
        let status = match (path.is_dir(), path.is_file()) {
            (true, _) if is_directory => 200,
            (true, _) => 308,
            (_, true) if !is_directory => 200,
            _ => 404,
        };
        prop_assert_eq!(answer.status, status, "{}", url);
        if path.is_file() && status == 200 {
            prop_assert_eq!(answer.text(), format!("this is {}", names.join("/")));
        }
    });
}
