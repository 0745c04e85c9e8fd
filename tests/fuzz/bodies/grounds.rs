//! A served directory with everything odd in it, and a canary beside it.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileExt, symlink};

use sockeye::Handler;
use sockeye::files::{FilesConfig, StaticFiles};
use sockeye::message::{Body, Method, Request, Target};

/// No answer holds this word: it is the name and the content of what lies outside, and nothing inside is called so.
const CANARY: &[u8] = b"canary";

/// The directory and two servers of it.
#[derive(Debug)]
pub(crate) struct Grounds {
    plain: StaticFiles,
    hidden: StaticFiles,
    _directory: tempfile::TempDir,
}

impl Grounds {
    /// Files, directories and links inside, and links that lead out.
    pub(crate) fn new() -> Grounds {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("www");
        let outside = directory.path().join("www-outside");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join("index/.git")).unwrap();
        fs::create_dir_all(outside.join("canary")).unwrap();
        fs::write(outside.join("canary.txt"), CANARY).unwrap();
        fs::write(directory.path().join("canary"), CANARY).unwrap();
        for name in [
            "a.txt",
            "a/b/c",
            "a/..b",
            "a\\b",
            "%2e%2e",
            "index/index.html",
            "index/.git/x",
            ".env",
            "é",
            "...",
        ] {
            fs::write(root.join(name), name).unwrap();
        }
        for (name, to) in [
            ("in", "a/b/c"),
            ("dir", "a"),
            ("up", ".."),
            ("out", "../www-outside"),
            ("file", "../www-outside/canary.txt"),
            ("a/up", "../.."),
            ("loop", "loop"),
            ("dangling", "nowhere"),
            ("root", "/"),
        ] {
            symlink(to, root.join(name)).unwrap();
        }
        symlink(&outside, root.join("absolute")).unwrap();
        let hidden = FilesConfig {
            hidden: true,
            ..FilesConfig::default()
        };
        Grounds {
            plain: StaticFiles::new(&root).unwrap(),
            hidden: StaticFiles::with_config(&root, &hidden).unwrap(),
            _directory: directory,
        }
    }
}

/// Whatever path is asked for, and with whatever range, the answer is from inside, and no fault of ours.
///
/// The input is a path and query, and behind a line feed a `Range`.
pub(crate) fn safe_path(grounds: &Grounds, bytes: &[u8]) {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let target = [b"/", lines.next().unwrap_or_default()].concat();
    let Ok(parsed) = Target::parse(&target, &Method::GET) else {
        return;
    };
    let range = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    for files in [&grounds.plain, &grounds.hidden] {
        let mut request = Request::get(parsed.as_str());
        if let Some(range) = range.filter(|range| range.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            request = request.with_header("Range", range);
        }
        let response = files
            .handle_head(&request)
            .expect("files answer from the head");
        let (status, headers, body) = response.into_parts();
        assert!(
            !status.is_server_error() && !status.is_informational(),
            "{status}: {parsed:?}"
        );
        if let Some(location) = headers.get("Location") {
            let (path, _) = location.split_once('?').unwrap_or((location, ""));
            assert!(
                path.starts_with('/') && !path.starts_with("//") && !path.contains('\\'),
                "{location}"
            );
        }
        let said = read(body);
        let is_outside = said.windows(CANARY.len()).any(|word| word == CANARY);
        assert!(
            status.is_redirection() || !is_outside,
            "{parsed:?} leads out"
        );
    }
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
