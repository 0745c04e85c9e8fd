//! A directory without an index, as a page, as JSON, or as lines.
//!
//! A listing is made while it is sent, step by step: its names are read and sorted first, and then every piece is made
//! when it is asked for, so that a large one keeps no thread for long and no page is kept for a client that takes it
//! slowly. A small one is a single piece and goes out with its length.

mod directory;
mod names;
mod page;
mod query;

use std::ffi::{CStr, CString};
use std::io::{self, Read};
use std::mem;
use std::sync::Arc;
use std::task::Poll;

use crate::message::{Body, BodySource, Request, Response, StatusCode, Stream, Wake};
use crate::tree::{Failure, is_directory};
pub(crate) use directory::Directory;
use directory::Kind;
pub(crate) use names::{BYTES_MAX, Budget};
use names::{Names, Stage};
use page::{Entry, Sum};
use query::{Format, Query};

// What is made at once; with the last row a piece is then what the server sends at once, 64 KiB, or a little less.
const PIECE_BYTES: usize = 60 * 1024;

// What is read at once of a directory whose names are not kept: its rows are about a piece.
const READ_BYTES: usize = 4 * 1024;

// How often such a directory is read for one piece: a filter may leave out all that is found.
const READS_MAX: usize = 32;

// After one step all of most directories is read, after two that is known, and after three it is listed.
const STEPS_AT_ONCE: usize = 3;

// Of a longer README the beginning is shown.
const README_BYTES_MAX: usize = 32 * 1024;

// What may run in the page is its own script, known by its digest; whatever a file is called, it is no other.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; style-src 'unsafe-inline'; \
    script-src 'sha256-oFGEnict7KBY6aUEsLg6EzJdSYNli3zDDp8AFRKlA5U='";

/// A listing on its way.
struct Listing {
    directory: Directory,
    query: Query,
    stage: Stage,
    sum: Sum,
    readme: Option<CString>,
    /// Made, and not yet taken.
    piece: Vec<u8>,
    taken: usize,
    is_over: bool,
}

/// Lists an open directory as the request wants it.
pub(crate) fn answer(
    directory: Directory,
    budget: &Arc<Budget>,
    request: &Request,
) -> Result<Response, Failure> {
    let query = Query::of(request);
    let format = query.format;
    let mut listing = Listing {
        stage: Stage::Reading(Names::new(budget)),
        directory,
        query,
        sum: Sum::default(),
        readme: None,
        piece: Vec::new(),
        taken: 0,
        is_over: false,
    };
    page::push_head(&mut listing.piece, listing.directory.path(), &listing.query);
    for _ in 0..STEPS_AT_ONCE {
        listing.advance()?;
    }
    let body = match listing.is_over {
        true => Body::from(listing.piece),
        false => Body::from(Stream {
            reader: Box::new(listing),
            length: None,
        }),
    };
    let (media_type, policy) = match format {
        Format::Html => ("text/html; charset=utf-8", POLICY),
        Format::Json => ("application/json", "default-src 'none'"),
        Format::Text => ("text/plain; charset=utf-8", "default-src 'none'"),
    };
    Ok(Response::new(StatusCode::OK)
        .with_header("Content-Type", media_type)
        .with_header("Cache-Control", "no-cache")
        .with_header("Vary", "Accept")
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Content-Security-Policy", policy)
        .with_body(body))
}

impl Listing {
    /// Takes one step: reads on, or makes the next piece, behind what is there of the one before.
    fn advance(&mut self) -> Result<(), Failure> {
        if self.is_over {
            return Ok(());
        }
        match mem::replace(&mut self.stage, Stage::Unsorted) {
            Stage::Reading(names) => self.stage = names.read_on(&self.directory, &self.query)?,
            Stage::Sorted(mut names) => {
                self.piece.reserve(PIECE_BYTES + READ_BYTES);
                self.advance_sorted(&mut names)?;
                self.stage = Stage::Sorted(names);
            }
            Stage::Unsorted => {
                self.piece.reserve(PIECE_BYTES + READ_BYTES);
                self.advance_unsorted()?;
            }
        }
        Ok(())
    }

    fn advance_sorted(&mut self, names: &mut Names) -> Result<(), Failure> {
        while self.piece.len() < PIECE_BYTES {
            let Some((name, was_directory)) = names.next() else {
                self.finish(false);
                break;
            };
            self.push(name, Some(was_directory))?;
        }
        Ok(())
    }

    fn advance_unsorted(&mut self) -> Result<(), Failure> {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        for _ in 0..READS_MAX {
            if self.piece.len() >= PIECE_BYTES / 2 {
                break;
            }
            let mut told: Vec<(CString, Kind)> = Vec::new();
            let more = self
                .directory
                .read(buffer.spare_capacity_mut(), |name, kind| {
                    told.push((name.to_owned(), kind));
                    Ok(())
                })?;
            for (name, kind) in told {
                let was_directory = match kind {
                    Kind::File => Some(false),
                    Kind::Directory => Some(true),
                    Kind::Unknown => None,
                };
                if self.query.selects(name.to_bytes()) {
                    self.push(&name, was_directory)?;
                }
            }
            if !more {
                self.finish(true);
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, name: &CStr, was_directory: Option<bool>) -> Result<(), Failure> {
        let (is_directory, state) = match (self.query.format, was_directory) {
            // A line shows no more than the directory's listing does.
            (Format::Text, Some(was_directory)) => (was_directory, None),
            _ => match self.directory.look(name)? {
                Some(stat) => (
                    is_directory(&stat),
                    Some((stat.st_size as u64, stat.st_mtime)),
                ),
                // It has vanished.
                None => return Ok(()),
            },
        };
        let bytes = name.to_bytes();
        if is_readme(bytes) && self.query.format == Format::Html && !is_directory {
            self.readme.get_or_insert_with(|| name.to_owned());
        }
        let entry = Entry {
            name: bytes,
            is_directory,
            state,
        };
        page::push_entry(&mut self.piece, entry, self.query.format, &mut self.sum);
        Ok(())
    }

    fn finish(&mut self, is_unsorted: bool) {
        let readme = self.readme.take().and_then(|name| {
            let (mut text, is_cut) = self.directory.beginning(&name, README_BYTES_MAX)?;
            if is_cut {
                text.extend_from_slice("…\n".as_bytes());
            }
            Some((name, text))
        });
        let readme = readme
            .as_ref()
            .map(|(name, text)| (name.to_bytes(), &text[..]));
        let format = self.query.format;
        page::push_foot(&mut self.piece, format, &self.sum, is_unsorted, readme);
        self.is_over = true;
    }
}

impl BodySource for Listing {
    fn poll_read(&mut self, buffer: &mut [u8], wake: &mut Wake<'_>) -> Poll<io::Result<usize>> {
        if self.taken == self.piece.len() {
            (self.piece, self.taken) = (Vec::new(), 0);
            // What has begun cannot become an error any more: it ends here, and the client can tell.
            self.advance()
                .map_err(|failure| io::Error::other(format!("{failure:?}")))?;
        }
        if self.piece.is_empty() && !self.is_over {
            // Others have their turn before more is read.
            wake.waker().wake_by_ref();
            return Poll::Pending;
        }
        let taken = (&self.piece[self.taken..]).read(buffer)?;
        self.taken += taken;
        if self.taken == self.piece.len() {
            // Nothing is kept for a client that lets us wait.
            (self.piece, self.taken) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(taken))
    }
}

fn is_readme(name: &[u8]) -> bool {
    [&b"README.md"[..], b"README.txt", b"README"]
        .iter()
        .any(|readme| readme.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
