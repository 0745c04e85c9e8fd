//! The files that transcripts ask for: every one is from 2001-09-09 01:46:40, and they say what they are.

use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use sockeye::Handler;
use sockeye::files::{FilesConfig, StaticFiles};
use sockeye::message::{Request, Response};
use tempfile::TempDir;

pub(super) struct Site {
    _directory: TempDir,
    files: StaticFiles,
}

impl Site {
    pub(super) fn new() -> Site {
        let directory = tempfile::tempdir().expect("a directory of our own");
        let script = "let identity;\n".repeat(100);
        let salmon = "salmon\n".repeat(200);
        for (name, text, seconds) in [
            ("app.js", &*script, 0),
            ("app.js.br", "as br", 0),
            ("app.js.zst", "as zst", 1),
            ("app.js.gz", "as gz", 1),
            ("edited.js", "let edited;\n", 0),
            // Older than its file.
            ("edited.js.gz", "as gz", -1),
            ("salmon.txt", &salmon, 0),
            ("salmon.png", &salmon, 0),
            ("small.txt", "salmon\n", 0),
        ] {
            let mut file = File::create(directory.path().join(name)).expect("it is ours");
            file.write_all(text.as_bytes()).expect("there is room");
            let date =
                UNIX_EPOCH + Duration::from_secs(1_000_000_000_u64.saturating_add_signed(seconds));
            file.set_modified(date).expect("it is ours");
        }
        // The change of a date is a change, and only what is older than the clock's granularity is kept in memory.
        thread::sleep(Duration::from_millis(30));
        let config = FilesConfig {
            compress: cfg!(feature = "compress"),
            ..FilesConfig::default()
        };
        let files = StaticFiles::with_config(directory.path(), &config);
        Site {
            _directory: directory,
            files: files.expect("it was just made"),
        }
    }
}

impl Handler for Site {
    fn handle(&self, request: &Request) -> Response {
        self.files.handle(request)
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        self.files.handle_head(head)
    }

    fn complete(&self, request: &Request, response: Response) -> Response {
        self.files.complete(request, response)
    }
}
