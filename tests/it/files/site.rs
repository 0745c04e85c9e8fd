//! A directory of a test's own, and what its files answer.

use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sockeye::Handler;
use sockeye::files::{FilesConfig, StaticFiles};
use sockeye::message::{Body, Request, Response};

pub(super) struct Site {
    /// `outside` lies beside `www`, which is served.
    directory: tempfile::TempDir,
}

impl Site {
    pub(super) fn new() -> Site {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("www")).unwrap();
        fs::create_dir(directory.path().join("outside")).unwrap();
        Site { directory }
    }

    pub(super) fn with(name: &str, content: impl AsRef<[u8]>) -> Site {
        let site = Site::new();
        site.write(name, content);
        site
    }

    pub(super) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join("www").join(name)
    }

    pub(super) fn outside(&self, name: &str) -> PathBuf {
        self.directory.path().join("outside").join(name)
    }

    pub(super) fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Sets the modification time, as anyone may.
    pub(super) fn date(&self, name: &str, modified: SystemTime) {
        let file = fs::File::options()
            .write(true)
            .open(self.path(name))
            .unwrap();
        file.set_modified(modified).unwrap();
    }

    pub(super) fn files(&self) -> StaticFiles {
        StaticFiles::new(self.path("")).unwrap()
    }

    /// The files, served from a moment on when every change so far is beyond the clock's granularity.
    pub(super) fn settled_files(&self) -> StaticFiles {
        settle();
        self.files()
    }

    pub(super) fn files_with(&self, change: impl FnOnce(&mut FilesConfig)) -> StaticFiles {
        let mut config = FilesConfig::default();
        change(&mut config);
        StaticFiles::with_config(self.path(""), &config).unwrap()
    }
}

/// Waits until the clock is past the granularity of every change made so far.
pub(super) fn settle() {
    let start = SystemTime::now();
    while start.elapsed().unwrap_or_default() < Duration::from_millis(30) {
        std::thread::yield_now();
    }
}

/// What a handler answered, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) response: Response,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn field(&self, name: &str) -> &str {
        self.response.headers().get(name).unwrap_or("")
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(super) fn ask(files: &StaticFiles, request: &Request) -> Answer {
    let response = files
        .handle_head(request)
        .expect("files answer from the head");
    let status = response.status().as_u16();
    let (code, headers, body) = response.into_parts();
    let length = body.length();
    let body = read(body);
    if let Some(length) = length {
        assert_eq!(body.len() as u64, length, "the length promised");
    }
    let response = Response::new(code).with_headers(headers);
    Answer {
        status,
        response,
        body,
    }
}

pub(super) fn get(files: &StaticFiles, target: &str) -> Answer {
    ask(files, &Request::get(target))
}

fn read(body: Body) -> Vec<u8> {
    match body {
        Body::Empty => Vec::new(),
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::File(slice) => {
            let mut bytes = vec![0; slice.length() as usize];
            slice
                .file
                .read_exact_at(&mut bytes, slice.range.start)
                .unwrap();
            bytes
        }
        Body::Stream(mut stream) => {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            bytes
        }
        Body::Incoming | Body::IncomingRaw(_) => panic!("files have nothing to echo"),
    }
}
