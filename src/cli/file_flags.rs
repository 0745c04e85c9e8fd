//! The flags for which files are served, and how.

use std::path::{Component, Path, PathBuf};

use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Exit;
use super::directory::{Chosen, shown};
use super::units::{bytes, plain_bytes};
use crate::files::FilesConfig;
use crate::middleware::base::Base;
use crate::middleware::headers::Rule;

/// What stands in a path as it is.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Which files are served, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Files")]
pub struct FileFlags {
    /// Answer a navigation to an unknown path with FILE, or with the index
    #[arg(long, value_name = "FILE", require_equals = true, value_parser = beneath)]
    spa: Option<Option<PathBuf>>,

    /// Serve about.html at /about
    #[arg(long)]
    pub clean_urls: bool,

    /// The file that stands for its directory
    #[arg(long, value_name = "NAME", default_value_t = FilesConfig::default().index, value_parser = name)]
    pub index: String,

    /// Answer 404 for a directory without an index
    #[arg(long)]
    pub no_listing: bool,

    /// Do not answer at /echo; a file of that name is served
    #[arg(long)]
    pub no_echo: bool,

    /// Serve the site under a prefix such as /repo/
    #[arg(long, value_name = "PATH")]
    pub base: Option<Base>,

    /// Serve files that end in .EXT as TYPE; may be repeated
    #[arg(long, value_name = "EXT=TYPE", value_parser = media_type)]
    pub mime: Vec<(String, String)>,

    /// Serve and list names that begin with a dot
    #[arg(long)]
    pub hidden: bool,

    /// Follow symbolic links that lead out of the directory
    #[arg(long, alias = "symlinks")]
    pub follow_symlinks: bool,

    /// Do not serve app.js.br, app.js.zst or app.js.gz for app.js
    #[arg(long)]
    pub no_siblings: bool,

    /// Compress text (br, zstd, gzip) for clients that take it so, and keep it in half of --cache-bytes
    #[arg(long)]
    pub compress: bool,

    /// Memory for the contents of small files
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    #[arg(default_value = plain_bytes(FilesConfig::default().cache_bytes))]
    pub cache_bytes: usize,
}

impl FileFlags {
    /// The same as the handler of files wants it.
    pub fn config(&self) -> FilesConfig {
        FilesConfig {
            hidden: self.hidden,
            follow_symlinks: self.follow_symlinks,
            cache_bytes: self.cache_bytes,
            compress: self.compress,
            siblings: !self.no_siblings,
            index: self.index.clone(),
            listing: !self.no_listing,
            clean_urls: self.clean_urls,
            media_types: self.mime.clone(),
        }
    }

    /// The page of `--spa`, a path beneath the root: if none was named, the one file that is served, or the index.
    pub fn spa_page(&self, chosen: &Chosen) -> Option<PathBuf> {
        let usual = || match &chosen.file {
            Some([name, _]) => PathBuf::from(name),
            None => PathBuf::from(&self.index),
        };
        Some(self.spa.clone()?.unwrap_or_else(usual))
    }

    /// A sentence if the page of `--spa` is yet to be made, by a build that has only begun, say.
    ///
    /// # Errors
    ///
    /// If it was named, and is not there.
    pub fn check_spa(&self, chosen: &Chosen) -> Result<Option<String>, Exit> {
        let Some(page) = self.spa_page(chosen) else {
            return Ok(None);
        };
        let is_there = match &chosen.file {
            Some([name, _]) => page.as_os_str() == name,
            None => chosen.path.join(&page).is_file(),
        };
        let page = shown(&page);
        match &self.spa {
            _ if is_there => Ok(None),
            Some(Some(_)) => Err(Exit::usage(format!(
                "--spa: there is no file `{page}` in `{}`\n  name one by its path there; --spa alone is {}",
                shown(&chosen.path),
                self.index
            ))),
            _ => Ok(Some(format!(
                "--spa: there is no `{page}` yet, and unknown paths are 404 until then"
            ))),
        }
    }
}

/// The path of a URL for a path beneath the root.
pub fn url_path(file: &Path) -> String {
    let encoded = percent_encode(file.as_os_str().as_encoded_bytes(), NOT_IN_PATHS);
    format!("/{encoded}")
}

fn beneath(text: &str) -> Result<PathBuf, String> {
    let file = Path::new(text);
    let names: PathBuf = file
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    let is_beneath = names
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    match is_beneath && names.file_name().is_some() && !text.contains('\0') {
        true => Ok(names),
        false => Err("expected a file beneath the directory, such as app.html".to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains(['/', '\0']) || matches!(text, "." | "..") {
        true => Err("expected the name of a file, such as index.html".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn media_type(text: &str) -> Result<(String, String), String> {
    let (extension, media_type) = text.split_once('=').unwrap_or((text, ""));
    let extension = extension.trim_start_matches('.');
    let (kind, subtype) = media_type.split_once('/').unwrap_or(("", ""));
    let is_type = !kind.is_empty()
        && !subtype.is_empty()
        && format!("Content-Type: {media_type}")
            .parse::<Rule>()
            .is_ok();
    match !extension.is_empty()
        && !extension.contains(['/', '.'])
        && is_type
        && media_type.is_ascii()
    {
        true => Ok((extension.to_owned(), media_type.to_owned())),
        false => Err("expected an extension and a media type, such as foo=text/plain".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_that_cannot_be_is_an_error_that_says_what_to_do() {
        use crate::cli::Options;
        let parse = |arguments: &[&str]| Options::parse(arguments, |_| false, |_| None);
        let exit = parse(&["--compress", "--cache-bytes", "0"]).unwrap_err();
        let hint = match cfg!(feature = "compress") {
            true => "let --cache-bytes be 1M",
            false => "build it with `--features compress`",
        };
        assert_eq!(exit.code, 2);
        assert!(exit.text.contains(hint), "{}", exit.text);
        assert_eq!(parse(&["--compress"]).is_ok(), cfg!(feature = "compress"));
        assert!(parse(&["--cache-bytes", "0"]).is_ok());
    }

    #[test]
    fn values_are_checked_before_anything_is_served() {
        assert_eq!(beneath("./a/b.html"), Ok(PathBuf::from("a/b.html")));
        for text in ["", ".", "/a", "../a", "a/../../b"] {
            assert!(beneath(text).is_err(), "{text}");
        }
        assert_eq!(url_path(Path::new("a b/é.html")), "/a%20b/%C3%A9.html");
        assert!(name("home.htm").is_ok());
        for text in ["", ".", "..", "a/b"] {
            assert!(name(text).is_err(), "{text}");
        }
        assert_eq!(
            media_type(".foo=text/x; a=b"),
            Ok(("foo".to_owned(), "text/x; a=b".to_owned()))
        );
        for text in [
            "",
            "foo",
            "foo=",
            "foo=text",
            "=text/plain",
            "a.b=text/plain",
            "foo=text/\r\nX: y",
        ] {
            assert!(media_type(text).is_err(), "{text:?}");
        }
    }
}
