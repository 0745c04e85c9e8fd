use std::os::fd::OwnedFd;

use crate::tree::Rules;
use crate::tree::SafePath;
use crate::tree::{Opened, Root};

use super::*;

fn answered(directory: &tempfile::TempDir, budget: &Arc<Budget>, request: &Request) -> Response {
    let root = Arc::new(Root::open(directory.path(), Rules::default()).unwrap());
    let path = SafePath::from_url("/").unwrap();
    let handle: OwnedFd = match root.find(path.as_c_str()).unwrap() {
        Opened::Directory(handle) => handle,
        Opened::File(..) => panic!("it is a directory"),
    };
    let directory = Directory::new(&root, path, handle, false);
    answer(directory, budget, request).unwrap()
}

fn listing(directory: &tempfile::TempDir, budget: &Arc<Budget>) -> (StatusCode, String) {
    let response = answered(directory, budget, &Request::get("/"));
    let status = response.status();
    let mut page = Vec::new();
    match response.into_parts().2 {
        Body::Bytes(bytes) => page.extend_from_slice(&bytes),
        Body::Stream(mut stream) => {
            stream.read_to_end(&mut page).unwrap();
        }
        body => panic!("{body:?}"),
    }
    (status, String::from_utf8(page).unwrap())
}

#[test]
fn without_room_for_its_names_a_listing_is_whole_but_unsorted() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..3000 {
        std::fs::write(directory.path().join(format!("{n:0>100}")), "").unwrap();
    }
    let (_, sorted) = listing(&directory, &Arc::default());
    let rows = |page: &str| {
        let mut rows: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("<tr><td dir="))
            .map(str::to_owned)
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(&sorted).len(), 3000);
    assert!(!sorted.contains("Too many"));
    let (status, unsorted) = listing(&directory, &Arc::new(Budget::used_up()));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(rows(&sorted), rows(&unsorted));
    assert!(unsorted.contains("Too many names to sort"));
}

#[test]
fn a_long_directory_is_read_in_turns_whatever_is_listed_of_it() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..6000 {
        std::fs::write(directory.path().join(format!("{n:0>100}")), "").unwrap();
    }
    for budget in [Budget::default(), Budget::used_up()] {
        let request = Request::get("/?q=nothing&format=text");
        let response = answered(&directory, &Arc::new(budget), &request);
        let Body::Stream(mut stream) = response.into_parts().2 else {
            panic!("it was read to its end at once");
        };
        let mut turns = 0;
        loop {
            let mut wake = Wake::new(std::task::Waker::noop());
            match stream.reader.poll_read(&mut [0; 100], &mut wake) {
                Poll::Pending => turns += 1,
                Poll::Ready(read) => break assert_eq!(read.unwrap(), 0),
            }
        }
        assert!(turns > 1, "{turns} turns");
    }
}

#[test]
fn what_names_take_is_given_back_when_they_are_listed() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..3000 {
        std::fs::write(directory.path().join(format!("{n:0>100}")), "").unwrap();
    }
    let budget = Arc::default();
    for _ in 0..5 {
        assert!(!listing(&directory, &budget).1.contains("Too many"));
    }
}

#[test]
fn the_policy_names_the_script_by_its_digest() {
    use sha2::{Digest, Sha256};
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(page::SCRIPT);
    let mut text: String = digest
        .chunks(3)
        .flat_map(|bytes| {
            let number = bytes
                .iter()
                .fold(0, |number, &byte| number << 8 | usize::from(byte));
            let number = number << (8 * (3 - bytes.len()));
            (0..=bytes.len()).map(move |at| LETTERS[number >> (18 - 6 * at) & 63] as char)
        })
        .collect();
    text.push('=');
    assert!(POLICY.contains(&format!("'sha256-{text}'")), "{text}");
}
