use std::os::fd::OwnedFd;

use crate::tree::Rules;
use crate::tree::SafePath;
use crate::tree::{Opened, Root};

use super::*;

fn listing(directory: &tempfile::TempDir, budget: &Arc<Budget>) -> (StatusCode, String) {
    let root = Arc::new(Root::open(directory.path(), Rules::default()).unwrap());
    let path = SafePath::from_url("/").unwrap();
    let handle: OwnedFd = match root.find(path.as_c_str()).unwrap() {
        Opened::Directory(handle) => handle,
        Opened::File(..) => panic!("it is a directory"),
    };
    let directory = Directory::new(&root, path, handle, false);
    let response = answer(directory, budget, &Request::get("/")).unwrap();
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
fn without_room_for_its_names_or_beside_too_many_others_a_listing_is_whole_but_unsorted() {
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
    for budget in [Budget::used_up(), Budget::busy()] {
        let (status, unsorted) = listing(&directory, &Arc::new(budget));
        assert_eq!(status, StatusCode::OK);
        assert_eq!(rows(&sorted), rows(&unsorted));
        assert!(unsorted.contains("Too many names to sort"));
    }
}

#[test]
fn a_short_listing_is_sorted_however_many_long_ones_are_read() {
    let directory = tempfile::tempdir().unwrap();
    for n in (0..300).rev() {
        std::fs::write(directory.path().join(n.to_string()), "").unwrap();
    }
    let budget = Arc::new(Budget::busy());
    let (_, page) = listing(&directory, &budget);
    assert_eq!(page, listing(&directory, &Arc::default()).1);
    assert!(!page.contains("Too many"));
}

#[test]
fn as_many_long_listings_as_may_be_are_sorted_one_after_the_other() {
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
