//! A piece of an open file as a body, and how it is known to be still what was promised.

use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// A piece of an open file, with what the file was when the answer was decided.
///
/// The server asks [`FileSlice::is_as_promised`] before the last byte goes out: a body is completed only if its
/// bytes are still those that were promised.
///
/// ```
/// use std::fs::File;
/// use std::sync::Arc;
///
/// use sockeye::message::{FileSlice, Fingerprint};
/// use sockeye::{Response, StatusCode};
///
/// let file = File::open("LICENSE-MIT")?;
/// let fingerprint = Fingerprint::from(&file.metadata()?);
/// let word = FileSlice { file: Arc::new(file), range: 4..11, fingerprint, witness: None };
/// assert_eq!((word.length(), word.is_as_promised()?), (7, true));
/// let response = Response::new(StatusCode::PARTIAL_CONTENT).with_body(word);
/// assert_eq!(response.into_text()?, "License");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileSlice {
    /// The open file.
    pub file: Arc<File>,
    /// Which bytes of it.
    pub range: Range<u64>,
    /// What it was when the answer was decided.
    pub fingerprint: Fingerprint,
    /// Knows more of the file than its fingerprint; is asked where that has changed.
    pub witness: Option<Arc<dyn Witness>>,
}

/// Knows whether a file still holds the bytes that were promised, though its fingerprint has changed.
///
/// ```
/// use std::fs::File;
/// use std::io;
/// use std::os::unix::fs::FileExt;
///
/// use sockeye::message::Witness;
///
/// /// The bytes themselves, for a file so small that they may be kept.
/// #[derive(Debug)]
/// struct Copy(Vec<u8>);
///
/// impl Witness for Copy {
///     fn has_promised_bytes(&self, file: &File) -> io::Result<bool> {
///         let mut now = vec![0; self.0.len()];
///         file.read_exact_at(&mut now, 0)?;
///         Ok(now == self.0)
///     }
/// }
///
/// let file = File::open("LICENSE-MIT")?;
/// assert!(Copy(b"MIT License".to_vec()).has_promised_bytes(&file)?);
/// # Ok::<(), io::Error>(())
/// ```
pub trait Witness: fmt::Debug + Send + Sync {
    /// Whether it does. May read the file.
    ///
    /// # Errors
    ///
    /// That the file cannot be read.
    fn has_promised_bytes(&self, file: &File) -> io::Result<bool>;
}

impl FileSlice {
    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Whether the file still holds what was promised of it: nothing changed, or what changed has left those bytes
    /// alone, as the witness knows, or as the fingerprints tell (see [`Fingerprint::has_kept_bytes`]).
    ///
    /// # Errors
    ///
    /// That the file cannot be looked at.
    pub fn is_as_promised(&self) -> io::Result<bool> {
        let now = Fingerprint::from(&self.file.metadata()?);
        match &self.witness {
            _ if now == self.fingerprint => Ok(true),
            Some(witness) => witness.has_promised_bytes(&self.file),
            None => Ok(now.has_kept_bytes(&self.fingerprint)),
        }
    }
}

/// What distinguishes one state of a file from another without reading it.
///
/// Two equal fingerprints mean equal bytes if the later one was taken more than the clock's granularity after
/// `changed`: no write can leave the change time alone.
///
/// ```
/// use sockeye::message::Fingerprint;
///
/// let file = tempfile::tempfile()?;
/// let before = Fingerprint::from(&file.metadata()?);
/// file.set_len(10)?;
/// let after = Fingerprint::from(&file.metadata()?);
/// assert!(before != after && after.has_kept_bytes(&before)); // It has only grown.
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The device the file lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// The modification time, in seconds and nanoseconds since 1970; anyone may set it.
    pub modified: (i64, u32),
    /// The time of the last change of bytes or attributes; only the kernel sets it.
    pub changed: (i64, u32),
    /// What else moves the change time: how many names it has, and who may do what with it.
    pub attributes: Attributes,
}

/// What may change of a file while its bytes do not.
///
/// ```
/// use std::fs::Permissions;
/// use std::os::unix::fs::PermissionsExt;
///
/// use sockeye::message::Fingerprint;
///
/// let file = tempfile::tempfile()?;
/// let before = Fingerprint::from(&file.metadata()?).attributes;
/// file.set_permissions(Permissions::from_mode(0o400))?;
/// let after = Fingerprint::from(&file.metadata()?).attributes;
/// assert_eq!((after.links, after.owner), (before.links, before.owner));
/// assert_ne!(after.mode, before.mode);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// How many names the file has.
    pub links: u64,
    /// Its type and permissions.
    pub mode: u32,
    /// Its user and group.
    pub owner: (u32, u32),
}

impl Fingerprint {
    /// Whether a file that is open all the while still begins with the bytes it had: it has only grown, or its change
    /// time has moved as far as its attributes explain. An edit that restores the modification time is not taken for
    /// that, and neither is a rename that leaves everything but the name; whether a file that has grown was also
    /// rewritten, no fingerprint shows.
    pub fn has_kept_bytes(&self, earlier: &Fingerprint) -> bool {
        let is_same_file = (self.device, self.inode) == (earlier.device, earlier.inode);
        let has_grown = self.size > earlier.size;
        let is_explained = (self.size, self.modified) == (earlier.size, earlier.modified)
            && (self.changed == earlier.changed || self.attributes != earlier.attributes);
        is_same_file && (has_grown || is_explained)
    }
}

impl From<&Metadata> for Fingerprint {
    fn from(metadata: &Metadata) -> Fingerprint {
        Fingerprint {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec() as u32),
            changed: (metadata.ctime(), metadata.ctime_nsec() as u32),
            attributes: Attributes {
                links: metadata.nlink(),
                mode: metadata.mode(),
                owner: (metadata.uid(), metadata.gid()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_changes_of_the_fingerprint_change_the_bytes() {
        let before = Fingerprint {
            device: 1,
            inode: 2,
            size: 3,
            modified: (4, 5),
            changed: (6, 7),
            attributes: Attributes {
                links: 1,
                mode: 0o644,
                owner: (8, 9),
            },
        };
        let changed = Fingerprint {
            changed: (6, 8),
            ..before
        };
        let with = |links, mode, owner| Fingerprint {
            attributes: Attributes { links, mode, owner },
            ..changed
        };
        for (now, is_kept, what) in [
            (before, true, "nothing"),
            (changed, false, "an edit that restored the date"),
            (with(0, 0o644, (8, 9)), true, "deleted or replaced"),
            (with(1, 0o000, (8, 9)), true, "forbidden"),
            (with(1, 0o644, (8, 0)), true, "given away"),
            (
                Fingerprint {
                    modified: (4, 6),
                    ..changed
                },
                false,
                "rewritten",
            ),
            (
                Fingerprint {
                    modified: (4, 6),
                    ..with(0, 0o644, (8, 9))
                },
                false,
                "rewritten and deleted",
            ),
            (Fingerprint { size: 2, ..changed }, false, "truncated"),
            (
                Fingerprint {
                    size: 4,
                    modified: (4, 6),
                    ..changed
                },
                true,
                "appended to",
            ),
            (
                Fingerprint {
                    size: 4,
                    inode: 3,
                    ..changed
                },
                false,
                "another file",
            ),
        ] {
            assert_eq!(now.has_kept_bytes(&before), is_kept, "{what}");
        }
    }
}
