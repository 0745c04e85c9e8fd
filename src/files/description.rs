//! The fields of one state of a file.

use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::encoding::Coding;
use super::representation::Digested;
use super::validators::{self, Timestamp, Validators, http_date};
use crate::message::{FileSlice, Fingerprint, Headers, Witness};

/// The fields that describe a file; made once for each state of it.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) fingerprint: Fingerprint,
    /// How many bytes there are. Not the size of the file where that lies, as sysfs does.
    pub(super) length: u64,
    pub(super) validators: Validators,
    /// The fields of a 200.
    pub(super) fields: Headers,
    /// Those of a 304, once there was one.
    unmodified_fields: OnceLock<Headers>,
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
    /// Whether it was made while its date could not be sent yet, and now it can: time to make it anew, so that the
    /// date is written once.
    pub(super) fn has_come_of_age(&self) -> bool {
        self.is_undated && !self.validators.is_undecided(validators::now())
    }

    /// As it stands in `Content-Type`.
    pub(super) fn media_type(&self) -> Option<&[u8]> {
        self.fields.all("Content-Type").next()
    }

    /// The fields of a 304: those of the 200 that RFC 9110 §15.4.5 asks for.
    pub(super) fn unmodified_fields(&self) -> &Headers {
        self.unmodified_fields.get_or_init(|| {
            let mut fields = Headers::new();
            for (name, value) in self.fields.iter() {
                if matches!(name, "Vary" | "ETag" | "Cache-Control") {
                    fields
                        .append(name, value)
                        .expect("it is a valid field of the 200");
                }
            }
            fields
        })
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

pub(super) fn describe(
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
    let mut say = |name: &str, value: &str| {
        let valid = "made of our own constants, digits and media types";
        fields.append(name, value).expect(valid);
    };
    say("Content-Type", media_type);
    if let Some(coding) = coding {
        say("Content-Encoding", coding.name());
    }
    if varies {
        say("Vary", "Accept-Encoding");
    }
    if let Some(date) = last_modified.filter(|_| !is_undated) {
        say("Last-Modified", &date);
    }
    if let Some(tag) = &validators.tag {
        say("ETag", tag);
    }
    say("Accept-Ranges", "bytes");
    say("Cache-Control", "no-cache");
    say("X-Content-Type-Options", "nosniff");
    Description {
        fingerprint,
        length: fingerprint.size,
        validators,
        fields,
        unmodified_fields: OnceLock::new(),
        digest: None,
        is_settled: false,
        is_undated,
        varies,
        is_compressible: false,
        is_hasty: false,
    }
}
