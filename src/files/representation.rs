//! One state of a file: its bytes, and the fields that describe them.
//!
//! All of it comes from the one descriptor that will be sent, and holds together: if the file changes while it is
//! looked at, it is looked at again.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread, retry_on_intr};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::content_type::{self, content_type};
use super::description::{Description, describe};
use super::digests::Digests;
use super::encoders;
use super::encoding::{Coding, Codings};
use super::validators::{self, DIGESTED_MAX, Timestamp, Validators};
use crate::message::{Fingerprint, Witness};
use crate::tree::{Failure, fingerprint_of};

/// Up to here a file is read whole, so that its tag describes exactly the bytes sent, and may be kept in memory. Above,
/// the bytes never pass through our memory.
///
/// Where the ways cross (processor time from memory against sendfile, medians on loopback): 80 KiB 0.88, 96 KiB 1.01,
/// 100 KiB 1.12, 112 KiB 1.04, 120 KiB 1.09, 128 KiB 1.73.
pub(super) const IN_MEMORY_MAX: u64 = 112 * 1024;

/// A file that is written so fast for so long has no state that could be described.
const TRIES_MAX: usize = 16;

/// The bytes of a representation.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Memory(Bytes),
    File(Arc<File>),
}

/// What a file begins with, and when that began to be read: what is known of the file afterwards tells whether it has
/// changed since.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    pub(super) bytes: Vec<u8>,
    pub(super) at: Timestamp,
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
    /// Where digests are remembered, if they are; only then is one worth reading a large file for.
    pub(super) digests: Option<&'a Digests>,
    /// Media types by extension, before those that are known.
    pub(super) media_types: &'a [(String, String)],
    /// Whether what is worth it is compressed here.
    pub(super) compresses: bool,
}

/// What describes a file and does not follow from its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// Its media type follows from the last name of this path; other codings of it may lie beside it.
    Named(&'a [u8], Codings),
    /// It is this media type in a coding.
    Encoded(&'a str, Coding),
}

impl Representation {
    /// Looks at an open file, of which `start` was read before `fingerprint` was taken. It counts if the file had settled
    /// before it was read; else the file is read again, until it is the same before and after.
    pub(super) fn of(
        file: File,
        mut fingerprint: Fingerprint,
        mut start: Beginning,
        kind: Kind<'_>,
        terms: Terms<'_>,
    ) -> Result<Representation, Failure> {
        let mut before = None;
        for _ in 0..TRIES_MAX {
            let is_settled = validators::is_settled(fingerprint.changed, start.at);
            let is_same = before == Some(fingerprint);
            if is_same || is_settled && is_whole(&start.bytes, &fingerprint) {
                match Look::at(&file, &fingerprint, &start, is_settled, terms)? {
                    Some(look) => return Ok(look.described(start, file, fingerprint, kind, terms)),
                    None if is_same => return Err(Failure::Missing),
                    None => {}
                }
            }
            before = Some(fingerprint);
            if !is_settled {
                start = Beginning {
                    bytes: Vec::new(),
                    at: validators::now(),
                };
            }
            read_on(&file, &mut start.bytes, wanted(&fingerprint)).map_err(Failure::from)?;
            fingerprint = fingerprint_of(&file)?;
        }
        Err(Failure::Busy)
    }

    /// The file that `original` describes, compressed to `bytes`.
    pub(super) fn compressed(
        original: &Description,
        bytes: Bytes,
        coding: Coding,
        is_hasty: bool,
    ) -> Representation {
        let tag = validators::tag_of(xxh3_128(&bytes));
        let validators = original.validators.with_tag(tag);
        let media_type = original.fields.get("Content-Type").unwrap_or_default();
        let coding = (Some(coding), true);
        let now = validators::now();
        let mut description = describe(original.fingerprint, validators, media_type, coding, now);
        description.length = bytes.len() as u64;
        description.is_hasty = is_hasty;
        // Ranges are those of the file as it is.
        description.fields.remove("Accept-Ranges");
        Representation {
            description: Arc::new(description),
            content: Content::Memory(bytes),
        }
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

/// What the bytes of a file tell.
struct Look {
    tag: Option<String>,
    /// The digest of a large one, if it was made.
    digest: Option<u128>,
    is_settled: bool,
}

impl Look {
    /// `None` if a large file is shorter than its length, so that it cannot be sent.
    fn at(
        file: &File,
        fingerprint: &Fingerprint,
        start: &Beginning,
        is_settled: bool,
        terms: Terms<'_>,
    ) -> Result<Option<Look>, Failure> {
        let mut digest = None;
        let tag = match terms.digests {
            _ if fingerprint.size <= IN_MEMORY_MAX => {
                Some(validators::tag_of(xxh3_128(&start.bytes)))
            }
            _ if !is_whole(&start.bytes, fingerprint) => return Ok(None),
            _ if !is_settled => None,
            Some(digests) if fingerprint.size <= DIGESTED_MAX => {
                let make = || digest_of(file, fingerprint);
                digest = digests.of(fingerprint, make).map_err(failure)?;
                let Some(digest) = digest else {
                    return Ok(None);
                };
                Some(validators::tag_of(digest))
            }
            _ => Some(validators::tag_of_state(fingerprint)),
        };
        Ok(Some(Look {
            tag,
            digest,
            is_settled,
        }))
    }

    fn described(
        self,
        start: Beginning,
        file: File,
        fingerprint: Fingerprint,
        kind: Kind<'_>,
        terms: Terms<'_>,
    ) -> Representation {
        let Beginning { bytes, at } = start;
        // What lies about its size changes without a trace.
        let is_honest = is_whole(&bytes, &fingerprint);
        let validators = match self.tag {
            Some(tag) if !is_honest => Validators::only(tag),
            Some(tag) => Validators::new(Some(tag), &fingerprint, terms.started),
            None => Validators::none(),
        };
        let media_type = match kind {
            Kind::Encoded(media_type, _) => Cow::Borrowed(media_type),
            Kind::Named(path, _) => {
                let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
                content_type(name, &bytes, terms.media_types)
            }
        };
        let (content, length) = match fingerprint.size <= IN_MEMORY_MAX {
            true => {
                let length = bytes.len();
                // What was read into more room than it takes gives that back.
                let bytes = match bytes.capacity() == length {
                    true => bytes.into(),
                    false => Bytes::copy_from_slice(&bytes),
                };
                (Content::Memory(bytes), length as u64)
            }
            false => (Content::File(Arc::new(file)), fingerprint.size),
        };
        // Only where the tag is the digest of the bytes.
        let is_known =
            is_honest && (self.digest.is_some() || matches!(content, Content::Memory(_)));
        let (coding, is_compressible, varies) = match kind {
            Kind::Encoded(_, coding) => (Some(coding), false, true),
            Kind::Named(path, codings) => {
                let pays = terms.compresses && encoders::pays(&media_type, path, length);
                (None, pays && is_known, pays || !codings.is_empty())
            }
        };
        let mut description = describe(fingerprint, validators, &media_type, (coding, varies), at);
        description.length = length;
        description.is_compressible = is_compressible;
        description.digest = self.digest;
        description.is_settled = self.is_settled && is_honest;
        Representation {
            description: Arc::new(description),
            content,
        }
    }
}

/// How much is to be read of a file: all of a small one, some bytes of a large one.
fn wanted(fingerprint: &Fingerprint) -> usize {
    match fingerprint.size <= IN_MEMORY_MAX {
        true => fingerprint.size as usize,
        false => content_type::SNIFFED,
    }
}

/// Whether this is all that is to be read of a file.
fn is_whole(start: &[u8], fingerprint: &Fingerprint) -> bool {
    match fingerprint.size <= IN_MEMORY_MAX {
        true => start.len() == wanted(fingerprint),
        false => start.len() >= wanted(fingerprint),
    }
}

/// The digest of a file, if it has the length of its fingerprint and is still the same at the end.
fn digest_of(file: &File, fingerprint: &Fingerprint) -> io::Result<Option<u128>> {
    let digest = digest(file, fingerprint.size)?;
    let is_same = fingerprint_of(file).is_ok_and(|after| after == *fingerprint);
    Ok(digest.filter(|_| is_same))
}

/// Reads on behind `bytes`, which the file begins with, up to this length, or to its end.
pub(super) fn read_on(file: &File, bytes: &mut Vec<u8>, length: usize) -> Result<(), Errno> {
    bytes.reserve_exact(length.saturating_sub(bytes.len()));
    while bytes.len() < length {
        let offset = bytes.len() as u64;
        if retry_on_intr(|| pread(file, spare_capacity(bytes), offset))? == 0 {
            break;
        }
    }
    // The room may be larger than what was asked for.
    bytes.truncate(length);
    Ok(())
}

/// The bytes that were promised, by their digest.
#[derive(Debug)]
pub(super) struct Digested {
    pub(super) digest: u128,
    pub(super) length: u64,
}

impl Witness for Digested {
    fn has_promised_bytes(&self, file: &File) -> io::Result<bool> {
        Ok(digest(file, self.length)? == Some(self.digest))
    }
}

/// The digest of the first `size` bytes, or `None` if there are fewer.
fn digest(file: &File, size: u64) -> io::Result<Option<u128>> {
    let mut digest = Xxh3::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut offset = 0;
    while offset < size {
        let wanted = (size - offset).min(buffer.len() as u64) as usize;
        match retry_on_intr(|| pread(file, &mut buffer[..wanted], offset))? {
            0 => return Ok(None),
            count => {
                digest.update(&buffer[..count]);
                offset += count as u64;
            }
        }
    }
    Ok(Some(digest.digest128()))
}

fn failure(error: io::Error) -> Failure {
    Errno::from_io_error(&error).unwrap_or(Errno::IO).into()
}
