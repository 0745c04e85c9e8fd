//! One state of a file: its bytes, and everything an answer says about them.
//!
//! All of it comes from the one descriptor that will be sent, and holds together: if the file changes while it is
//! looked at, it is looked at again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::Errno;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::content_type::{self, content_type};
use super::root::{Failure, fingerprint_of};
use super::validators::{self, DIGESTED_MAX, Timestamp, Validators, http_date};
use crate::message::{Fingerprint, Headers};

/// Up to here a file is read whole, so that its tag describes exactly the bytes sent, and may be kept in memory. Above,
/// the bytes never pass through our memory; from here on that is also the faster way.
pub(super) const IN_MEMORY_MAX: u64 = 64 * 1024;

/// Nobody writes so fast for long; if somebody does, there is no state to tell of.
const TRIES_MAX: usize = 16;

/// The bytes of a representation.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Memory(Bytes),
    File(Arc<File>),
}

/// What is said of a file besides its bytes; made once for each state of it.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) fingerprint: Fingerprint,
    pub(super) validators: Validators,
    /// The fields of a 200.
    pub(super) fields: Headers,
    /// The fields of a 304: those of the 200 that RFC 9110 §15.4.5 asks for.
    pub(super) unmodified_fields: Headers,
    /// Whether an equal fingerprint will prove that all this still holds.
    pub(super) is_settled: bool,
    /// Whether `Last-Modified` has to be said anew each time, since it must not be later than the answer.
    pub(super) is_from_the_future: bool,
}

/// A file's bytes with their description.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) description: Arc<Description>,
    pub(super) content: Content,
}

/// How files are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// When the first date may have been given out.
    pub(super) started: Timestamp,
    /// Whether a digest will be remembered, and so is worth reading a large file for.
    pub(super) remember: bool,
    /// Media types by extension, before those that are known.
    pub(super) media_types: &'a [(String, String)],
}

impl Representation {
    /// Looks at an open file whose name is the last one of `path`.
    pub(super) fn of(
        file: File,
        mut fingerprint: Fingerprint,
        path: &[u8],
        terms: Terms<'_>,
    ) -> Result<Representation, Failure> {
        for _ in 0..TRIES_MAX {
            let now = validators::now();
            let is_settled = validators::is_settled(fingerprint.changed, now);
            let look = Look::at(&file, &fingerprint, is_settled, terms).map_err(failure)?;
            let after = fingerprint_of(&file)?;
            if after != fingerprint {
                fingerprint = after;
                continue;
            }
            let validators = match look.tag {
                Some(tag) => Validators::new(Some(tag), &fingerprint, terms.started),
                None => Validators::none(),
            };
            let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
            let media_type = content_type(name, &look.start, terms.media_types);
            return Ok(Representation {
                description: Arc::new(describe(
                    fingerprint,
                    validators,
                    &media_type,
                    is_settled,
                    now,
                )),
                content: if fingerprint.size <= IN_MEMORY_MAX {
                    Content::Memory(look.start.into())
                } else {
                    Content::File(Arc::new(file))
                },
            });
        }
        Err(Failure::Busy)
    }
}

impl Content {
    /// Reads into `buffer` from `offset` on, like [`FileExt::read_at`].
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Content::File(file) => file.read_at(buffer, offset),
            Content::Memory(bytes) => {
                let rest = bytes.get(offset as usize..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
        }
    }
}

/// What reading a file tells: all of a small one, the start of a large one.
struct Look {
    start: Vec<u8>,
    tag: Option<String>,
}

impl Look {
    fn at(
        file: &File,
        fingerprint: &Fingerprint,
        is_settled: bool,
        terms: Terms<'_>,
    ) -> io::Result<Look> {
        let size = fingerprint.size;
        if size <= IN_MEMORY_MAX {
            let start = read_start(file, size as usize)?;
            let tag = Some(validators::tag_of(xxh3_128(&start)));
            return Ok(Look { start, tag });
        }
        let start = read_start(file, content_type::SNIFFED)?;
        let tag = if !is_settled {
            None
        } else if terms.remember && size <= DIGESTED_MAX {
            Some(validators::tag_of(digest(file, size)?))
        } else {
            Some(validators::tag_of_state(fingerprint))
        };
        Ok(Look { start, tag })
    }
}

/// Up to `length` bytes from the start.
fn read_start(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match read_at(file, &mut bytes[filled..], filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn digest(file: &File, size: u64) -> io::Result<u128> {
    let mut digest = Xxh3::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut offset = 0;
    while offset < size {
        let wanted = buffer.len().min((size - offset) as usize);
        match read_at(file, &mut buffer[..wanted], offset)? {
            0 => break,
            count => {
                digest.update(&buffer[..count]);
                offset += count as u64;
            }
        }
    }
    Ok(digest.digest128())
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn failure(error: io::Error) -> Failure {
    Errno::from_io_error(&error).unwrap_or(Errno::IO).into()
}

fn describe(
    fingerprint: Fingerprint,
    validators: Validators,
    media_type: &str,
    is_settled: bool,
    now: Timestamp,
) -> Description {
    let is_from_the_future = validators.is_from_the_future(now);
    let last_modified = validators.last_modified(now).and_then(http_date);
    let mut fields = Headers::new();
    let mut unmodified_fields = Headers::new();
    let mut say = |name: &str, value: &str, also_unmodified: bool| {
        let valid = "made of our own constants, digits and media types";
        fields.append(name, value).expect(valid);
        if also_unmodified {
            unmodified_fields.append(name, value).expect(valid);
        }
    };
    say("Content-Type", media_type, false);
    if let Some(date) = last_modified.filter(|_| !is_from_the_future) {
        say("Last-Modified", &date, false);
    }
    if let Some(tag) = &validators.tag {
        say("ETag", tag, true);
    }
    say("Accept-Ranges", "bytes", false);
    say("Cache-Control", "no-cache", true);
    say("X-Content-Type-Options", "nosniff", false);
    Description {
        fingerprint,
        validators,
        fields,
        unmodified_fields,
        is_settled,
        is_from_the_future,
    }
}
