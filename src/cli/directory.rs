//! The directory to serve, and the error where there is none.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Exit;
use crate::text::printable;

/// The directory to serve.
#[derive(Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its path, as it was given.
    pub path: PathBuf,
    /// If one file was named: the name it was given, and the one that it has in the directory, which is not the same
    /// where the first is a link's.
    pub file: Option<[OsString; 2]>,
    /// Why it is this one, if none was named.
    pub note: Option<&'static str>,
}

impl Chosen {
    /// What is served, for a person.
    pub fn shown(&self) -> PathBuf {
        match &self.file {
            Some([_, real]) => self.path.join(real),
            None => self.path.clone(),
        }
    }
}

/// The directory that was asked for, else `public` where there is one in `here`, else `here`.
///
/// # Errors
///
/// If that is not a directory that may be listed; the error suggests the nearest name.
pub fn choose(asked: Option<&Path>, here: &Path) -> Result<Chosen, Exit> {
    let Some(asked) = asked else {
        let public = here.join("public");
        return Ok(match public.is_dir() {
            true => Chosen {
                note: Some("no directory was named"),
                path: public,
                file: None,
            },
            false => Chosen {
                note: Some("no directory was named"),
                path: here.to_owned(),
                file: None,
            },
        });
    };
    let path = here.join(asked);
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Ok(Chosen {
            path: asked.to_owned(),
            file: None,
            note: None,
        }),
        Ok(metadata) if metadata.is_file() => one_file(asked, &path),
        Ok(_) => Err(not_a_directory(asked, parent(asked).map(Path::to_owned))),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(Exit::no_directory(format!(
                "cannot open `{}`: permission denied\n  serve a directory that you may read, or run as a user who may read this one",
                shown(asked)
            )))
        }
        Err(_) => Err(not_a_directory(asked, nearest(asked, here))),
    }
}

fn one_file(asked: &Path, path: &Path) -> Result<Chosen, Exit> {
    let real = path.canonicalize().ok();
    let parts = real
        .as_deref()
        .and_then(|real| Some((real.parent()?, real.file_name()?)));
    match (parts, path.file_name()) {
        (Some((directory, real)), Some(name)) => Ok(Chosen {
            path: directory.to_owned(),
            file: Some([name.to_owned(), real.to_owned()]),
            note: None,
        }),
        _ => Err(not_a_directory(asked, None)),
    }
}

fn not_a_directory(asked: &Path, instead: Option<PathBuf>) -> Exit {
    let hint = match (asked.to_str(), instead) {
        (Some(flag @ ("help" | "version")), _) => format!("if you mean the flag, say --{flag}"),
        (_, Some(instead)) => format!("did you mean `{}`?", shown(&instead)),
        (_, None) => {
            "name a directory that exists; without one, ./public or the current one is served"
                .to_owned()
        }
    };
    Exit::no_directory(format!("`{}` is not a directory\n  {hint}", shown(asked)))
}

/// `asked` with its first missing part replaced by the directory there whose name is most like it.
fn nearest(asked: &Path, here: &Path) -> Option<PathBuf> {
    let missing = asked
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty() && !here.join(part).is_dir())
        .last()?;
    let wanted = missing.file_name()?.to_str()?.to_lowercase();
    let parent = parent(missing)?;
    let siblings = fs::read_dir(here.join(parent)).ok()?.flatten();
    let likeness = |name: &OsStr| {
        // Letters to add, drop, change or swap with their neighbour.
        let distance = strsim::osa_distance(&wanted, &name.to_str()?.to_lowercase());
        (distance <= 1 + wanted.chars().count() / 4).then_some(distance)
    };
    let (_, name) = siblings
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| Some((likeness(&entry.file_name())?, entry.file_name())))
        .min()?;
    let found = match parent == Path::new(".") && !asked.starts_with(".") {
        true => PathBuf::from(name),
        false => parent.join(name),
    };
    let rest = asked.strip_prefix(missing).ok()?;
    let whole = found.join(rest);
    let exists = !rest.as_os_str().is_empty() && here.join(&whole).is_dir();
    Some(if exists { whole } else { found })
}

/// Where `path` lies; `.` for a bare name.
fn parent(path: &Path) -> Option<&Path> {
    match path.parent()? {
        here if here.as_os_str().is_empty() => Some(Path::new(".")),
        parent => Some(parent),
    }
}

/// Whether `file`, which may not exist yet, would be found in `root`.
pub(super) fn holds(root: &Path, file: &Path) -> bool {
    let directory = parent(file).unwrap_or(Path::new("."));
    let found = [file.canonicalize(), directory.canonicalize()];
    root.canonicalize()
        .is_ok_and(|root| found.iter().flatten().any(|path| path.starts_with(&root)))
}

/// A path for a terminal: names found on a disk may hold anything.
pub fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(directories: &[&str]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for directory in directories {
            fs::create_dir_all(place.path().join(directory)).unwrap();
        }
        place
    }

    fn refused(asked: &str, directories: &[&str]) -> String {
        let place = place(directories);
        fs::write(place.path().join("notes.txt"), "").unwrap();
        let exit = choose(Some(Path::new(asked)), place.path()).unwrap_err();
        assert_eq!(exit.code, 4);
        exit.text
    }

    #[test]
    fn without_a_name_public_is_served_where_there_is_one_with_a_note() {
        let with = place(&["public"]);
        let chosen = choose(None, with.path()).unwrap();
        assert_eq!(chosen.path, with.path().join("public"));
        assert!(chosen.note.is_some());

        let without = place(&["publik"]);
        let chosen = choose(None, without.path()).unwrap();
        assert_eq!(chosen.path, without.path());
        assert!(chosen.note.is_some());
    }

    #[test]
    fn a_directory_that_was_named_is_served_without_a_word() {
        let place = place(&["a/b"]);
        let path = PathBuf::from("a/b");
        let chosen = choose(Some(&path), place.path()).unwrap();
        assert_eq!(
            chosen,
            Chosen {
                path,
                file: None,
                note: None
            }
        );
    }

    #[test]
    fn one_file_is_served_from_where_it_really_lies() {
        let place = place(&["a/b"]);
        let real = place.path().canonicalize().unwrap().join("a/b");
        fs::write(real.join("real.txt"), "").unwrap();
        std::os::unix::fs::symlink("b/real.txt", place.path().join("a/link")).unwrap();
        let chosen = choose(Some(Path::new("a/link")), place.path()).unwrap();
        assert_eq!((chosen.path, chosen.note), (real, None));
        assert_eq!(chosen.file, Some(["link", "real.txt"].map(OsString::from)));
    }

    #[test]
    fn a_missing_directory_brings_the_nearest_name_there_is() {
        for (asked, there, hint) in [
            ("pubic", "public", "did you mean `public`?"),
            ("PUBLIC", "public", "did you mean `public`?"),
            ("dsit", "dist", "did you mean `dist`?"),
            ("./pubic", "public", "did you mean `./public`?"),
            ("web/pubic", "web/public", "did you mean `web/public`?"),
            ("wbe/public", "web/public", "did you mean `web/public`?"),
            ("wbe/other", "web/public", "did you mean `web`?"),
            ("notes.txt/x", "public", "name a directory that exists"),
            ("zzz", "public", "name a directory that exists"),
            ("help", "public", "if you mean the flag, say --help"),
            ("version", "public", "if you mean the flag, say --version"),
            ("help", "halp", "if you mean the flag, say --help"),
        ] {
            let text = refused(asked, &[there]);
            assert!(
                text.starts_with(&format!("`{asked}` is not a directory\n")),
                "{text}"
            );
            assert!(text.contains(hint), "{asked}: {text}");
        }
    }

    #[test]
    fn a_name_from_the_disk_cannot_draw_on_the_terminal() {
        let text = refused("publi", &["public\x1b"]);
        assert!(text.contains("did you mean `public\\x1b`?"), "{text}");
    }
}
