//! One state of a file: its bytes, and everything an answer says about them.
//!
//! All of it comes from the one descriptor that will be sent, and holds together: if the file changes while it is
//! looked at, it is looked at again.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::Errno;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::content_type::{self, content_type};
use super::digests::Digests;
use super::encoders;
use super::encoding::{Coding, Codings};
use super::validators::{self, DIGESTED_MAX, Timestamp, Validators, http_date};
use crate::message::{FileSlice, Fingerprint, Headers, Witness};
use crate::tree::{Failure, fingerprint_of};

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
    /// How many bytes there are. Not the size of the file where that lies, as sysfs does.
    pub(super) length: u64,
    pub(super) validators: Validators,
    /// The fields of a 200.
    pub(super) fields: Headers,
    /// The fields of a 304: those of the 200 that RFC 9110 §15.4.5 asks for.
    pub(super) unmodified_fields: Headers,
    /// The digest of the bytes of a file that is not in memory, where there is one.
    pub(super) digest: Option<u128>,
    /// Whether an equal fingerprint will prove that all this still holds.
    pub(super) is_settled: bool,
    /// Whether `Last-Modified` depends on the time of the answer, and so is not among the fields.
    pub(super) is_undated: bool,
    /// Whether the file is sent in other codings too.
    pub(super) varies: bool,
    /// Whether it is worth compressing here.
    pub(super) is_compressible: bool,
    /// Whether it was compressed in haste, and can be better.
    pub(super) is_hasty: bool,
}

impl Description {
    /// Whether it was made while the date could not be told yet, and now it can: time to make it anew, so that the
    /// date is written once.
    pub(super) fn has_come_of_age(&self) -> bool {
        self.is_undated && !self.validators.is_undecided(validators::now())
    }

    /// A piece of the file that this describes.
    pub(super) fn slice(&self, file: &Arc<File>, range: Range<u64>) -> FileSlice {
        let length = self.length;
        let witness = |digest| Arc::new(Digested { digest, length }) as Arc<dyn Witness>;
        FileSlice {
            file: Arc::clone(file),
            range,
            fingerprint: self.fingerprint,
            witness: self.digest.map(witness),
        }
    }
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

/// What an answer says of a file that its bytes do not tell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// Its media type is told by the last name of this path; other codings of it may lie beside it.
    Named(&'a [u8], Codings),
    /// It is this media type in a coding.
    Encoded(&'a str, Coding),
}

impl Representation {
    /// Looks at an open file.
    pub(super) fn of(
        file: File,
        mut fingerprint: Fingerprint,
        kind: Kind<'_>,
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
            if look.is_short && fingerprint.size > IN_MEMORY_MAX {
                // It cannot be sent as long as it says it is.
                return Err(Failure::Missing);
            }
            let validators = match look.tag {
                Some(tag) if look.is_short => Validators::only(tag),
                Some(tag) => Validators::new(Some(tag), &fingerprint, terms.started),
                None => Validators::none(),
            };
            let media_type = match kind {
                Kind::Encoded(media_type, _) => Cow::Borrowed(media_type),
                Kind::Named(path, _) => {
                    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
                    content_type(name, &look.start, terms.media_types)
                }
            };
            let content = if fingerprint.size <= IN_MEMORY_MAX {
                Content::Memory(look.start.into())
            } else {
                Content::File(Arc::new(file))
            };
            let length = match &content {
                Content::Memory(bytes) => bytes.len() as u64,
                Content::File(_) => fingerprint.size,
            };
            // Only where the tag is the digest of the bytes.
            let is_known =
                !look.is_short && (look.digest.is_some() || matches!(content, Content::Memory(_)));
            let (coding, is_compressible, varies) = match kind {
                Kind::Encoded(_, coding) => (Some(coding), false, true),
                Kind::Named(path, codings) => {
                    let pays = terms.compresses && encoders::pays(&media_type, path, length);
                    (None, pays && is_known, pays || !codings.is_empty())
                }
            };
            let mut description =
                describe(fingerprint, validators, &media_type, (coding, varies), now);
            description.length = length;
            description.is_compressible = is_compressible;
            description.digest = look.digest;
            // What lies about its size changes without a trace.
            description.is_settled = is_settled && !look.is_short;
            return Ok(Representation {
                description: Arc::new(description),
                content,
            });
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

/// What reading a file tells: all of a small one, the start of a large one.
struct Look {
    start: Vec<u8>,
    tag: Option<String>,
    /// The digest of a large one, if it was made.
    digest: Option<u128>,
    /// Whether the file ended before its size.
    is_short: bool,
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
            return Ok(Look {
                tag: Some(validators::tag_of(xxh3_128(&start))),
                digest: None,
                is_short: (start.len() as u64) < size,
                start,
            });
        }
        let start = read_start(file, content_type::SNIFFED)?;
        let mut is_short = start.len() < content_type::SNIFFED;
        let mut digest = None;
        let tag = match terms.digests {
            _ if !is_settled => None,
            Some(digests) if size <= DIGESTED_MAX => {
                digest = digests.of(fingerprint, || digest_of(file, fingerprint))?;
                is_short |= digest.is_none();
                digest.map(validators::tag_of)
            }
            _ => Some(validators::tag_of_state(fingerprint)),
        };
        Ok(Look {
            start,
            tag,
            digest,
            is_short,
        })
    }
}

/// The digest of a file, if it is as long as its fingerprint says and still the same at the end.
fn digest_of(file: &File, fingerprint: &Fingerprint) -> io::Result<Option<u128>> {
    let digest = digest(file, fingerprint.size)?;
    let is_same = fingerprint_of(file).is_ok_and(|after| after == *fingerprint);
    Ok(digest.filter(|_| is_same))
}

/// Up to `length` bytes from the start.
pub(super) fn read_start(file: &File, length: usize) -> io::Result<Vec<u8>> {
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
        match read_at(file, &mut buffer[..wanted], offset)? {
            0 => return Ok(None),
            count => {
                digest.update(&buffer[..count]);
                offset += count as u64;
            }
        }
    }
    Ok(Some(digest.digest128()))
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
    mut validators: Validators,
    media_type: &str,
    (coding, varies): (Option<Coding>, bool),
    now: Timestamp,
) -> Description {
    validators.is_date_shared = varies;
    let is_undated = validators.is_undecided(now);
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
    if let Some(coding) = coding {
        say("Content-Encoding", coding.name(), false);
    }
    if varies {
        say("Vary", "Accept-Encoding", true);
    }
    if let Some(date) = last_modified.filter(|_| !is_undated) {
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
        length: fingerprint.size,
        validators,
        fields,
        unmodified_fields,
        digest: None,
        is_settled: false,
        is_undated,
        varies,
        is_compressible: false,
        is_hasty: false,
    }
}
