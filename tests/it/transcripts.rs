//! Dialogs as text: what a client says, what it must hear, and why.
//!
//! Every file in `tests/transcripts` is replayed against a conversation, bytes in and bytes out, with no socket: each
//! thing the client says whole, and cut into pieces of every size. However it is cut, the answer is the same to the
//! byte.
//!
//! | a line | means |
//! |---|---|
//! | `# reason` | why the dialog is as it is; the first line always, others as needed |
//! | `@ body-bytes-max 10` | a smaller limit for this dialog; also `request-line-bytes-max`, `head-bytes-max` |
//! | `@ as-it-comes` | framing and `100 Continue` may depend on the cut; pieces are compared by what they carry |
//! | `@ whole` | is not cut, for the reason given |
//! | `> text` | the client says this line and CRLF |
//! | `< text` | it must hear this line and CRLF |
//! | `< …` | any bytes up to what follows, but never past a blank line: some fields, or the rest of a body |
//! | `> … (×50)` | what was said since the last answer is said 50 times in all; `< … (×50)` alike |
//! | `>\| text` | one of several readings: the dialog is held once with each line of the group; `<\|` alike, in step |
//! | (empty) | nothing; parts two groups |
//! | `>= closes its side` | the client says nothing more, but listens |
//! | `>= finds no room` | there are as many connections as there may be when the client says what follows |
//! | `>= falls silent` | the client takes longer than the server waits |
//! | `<= closed` | the connection is closed now; without this or the next, it must live on |
//! | `<= drained` | closed, but what the client still says is read first, so that it hears the answer |
//!
//! In a text, `\r`, `\n`, `\t`, `\\` and `\xHH` are bytes, `\{abc×50}` is `abc` 50 times, and a `\` at the end leaves
//! the CRLF away. `Date` is always `Sun, 06 Nov 1994 08:49:37 GMT`.

mod dialog;
mod replay;
mod site;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sockeye::Handler;
use sockeye::echo::Echo;
use sockeye::message::{Request, Response, StatusCode, Stream};
use sockeye::router::Router;
use sockeye::wire::Refusal;

use dialog::Dialog;

// Longer dialogs are cut into pieces of these sizes only.
const EVERY_SIZE_UP_TO: usize = 700;
const SOME_SIZES: [usize; 12] = [1, 2, 3, 7, 16, 61, 256, 1000, 1024, 4096, 8194, 32_768];

/// What answers in the transcripts: an endpoint for each way to answer.
fn endpoints() -> Router {
    let text = |text: &'static str| move |_: &Request| Response::text(text);
    let collect = |request: &Request| {
        Response::text(request.body().to_vec())
            .with_header("X-Bytes", request.body().len().to_string())
    };
    let nothing = |_: &Request| Response::new(StatusCode::NO_CONTENT);
    let reset =
        |_: &Request| Response::text("not to be sent\n").with_status(StatusCode::RESET_CONTENT);
    let unchanged =
        |_: &Request| Response::new(StatusCode::NOT_MODIFIED).with_header("ETag", "\"a\"");
    let stream = |_: &Request| {
        let reader = Box::new(&b"up the river\n"[..]);
        Response::new(StatusCode::OK).with_body(Stream {
            reader,
            length: None,
        })
    };
    let host = |request: &Request| {
        Response::text(format!("{}\n", request.authority().unwrap_or("nobody")))
    };
    Router::new()
        .get("/", text("salmon\n"))
        .post("/collect", collect)
        .any("/echo", Echo)
        .any("/early", Early)
        .get("/nothing", nothing)
        .get("/reset", reset)
        .get("/unchanged", unchanged)
        .get("/stream", stream)
        .get("/large", |_: &Request| {
            Response::text("salmon\n".repeat(10_000))
        })
        .get("/host", host)
        .nest("/site", site::Site::new())
}

/// Answers from the head alone, whatever the body.
struct Early;

impl Handler for Early {
    fn handle(&self, _: &Request) -> Response {
        Response::text("no need to hear more\n")
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        Some(self.handle(head))
    }

    fn complete(&self, _: &Request, response: Response) -> Response {
        response
    }
}

/// Every transcript by its file name: its text, and one dialog for each reading of it.
fn transcripts() -> Vec<(String, String, Vec<Dialog>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder).expect("tests/transcripts is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().expect("an entry has a name");
        let name = name.to_string_lossy().into_owned();
        assert!(name.ends_with(".http"), "{name} is no transcript");
        if name.starts_with("compressed-") && !cfg!(feature = "compress") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a transcript is text");
        let dialogs = dialog::read(&text).unwrap_or_else(|error| panic!("{name}:{error}"));
        all.push((name, text, dialogs));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!all.is_empty(), "there are transcripts");
    all
}

#[test]
fn every_dialog_goes_as_written_however_it_is_cut() {
    let endpoints = endpoints();
    let mut failures = Vec::new();
    for (name, _, dialogs) in transcripts() {
        for (reading, dialog) in dialogs.iter().enumerate() {
            if let Err(failure) = go_through(dialog, &endpoints) {
                failures.push(format!("{name}, reading {}, {failure}", reading + 1));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

fn go_through(dialog: &Dialog, endpoints: &Router) -> Result<(), String> {
    let whole = replay::replay(dialog, usize::MAX, endpoints)
        .and_then(|whole| replay::compare(dialog, &whole).map(|()| whole))
        .map_err(|failure| format!("whole: {failure}"))?;
    let longest = dialog.longest_saying();
    let sizes: Vec<usize> = match longest {
        _ if dialog.whole => Vec::new(),
        0..=EVERY_SIZE_UP_TO => (1..longest).collect(),
        _ => SOME_SIZES
            .into_iter()
            .filter(|&size| size < longest)
            .chain([longest - 1])
            .collect(),
    };
    for size in sizes {
        replay::replay(dialog, size, endpoints)
            .and_then(|cut| replay::compare_cut(dialog, &whole, &cut))
            .map_err(|failure| format!("in pieces of {size}: {failure}"))?;
    }
    Ok(())
}

#[test]
fn every_refusal_has_a_transcript_that_names_its_sentence() {
    let endpoints = endpoints();
    let mut told = BTreeSet::new();
    for (_, text, dialogs) in transcripts() {
        for dialog in &dialogs {
            let whole = replay::replay(dialog, usize::MAX, &endpoints);
            let refusals = whole.map(|heard| heard.refusals).unwrap_or_default();
            let named = |refusal: &&Refusal| {
                let (status, sentence) = (refusal.status(), refusal.sentence());
                text.contains(&format!("HTTP/1.1 {status}")) && text.contains(sentence)
            };
            told.extend(
                refusals
                    .iter()
                    .filter(named)
                    .map(|refusal| format!("{refusal:?}")),
            );
        }
    }
    let targets = variants("src/message/target.rs", "TargetError");
    let mut all: BTreeSet<String> = variants("src/wire/refusal.rs", "Refusal").collect();
    assert!(all.remove("Target(TargetError)"), "{all:?}");
    all.extend(targets.map(|why| format!("Target({why})")));
    let untold: Vec<_> = all.difference(&told).collect();
    assert!(untold.is_empty(), "no transcript tells of {untold:?}");
}

#[test]
fn a_dialog_that_goes_otherwise_is_noticed() {
    let asked = "# \n> GET / HTTP/1.1\n> Host: a\n>\n";
    let answer = "< HTTP/1.1 200 OK\n< …\n<\n< salmon\\n\\\n";
    let goes = |text: &str| {
        let dialogs = dialog::read(text)?;
        dialogs
            .iter()
            .try_for_each(|dialog| go_through(dialog, &endpoints()))
    };
    assert_eq!(goes(&format!("{asked}{answer}")), Ok(()));
    for other in [
        "",
        "< HTTP/1.1 200 OK\n< …\n",
        "< HTTP/1.1 200 OK\n<\n< salmon\\n\\\n",
        "< HTTP/1.1 404 Not Found\n< …\n<\n< salmon\\n\\\n",
        "< HTTP/1.1 200 OK\n< …\n<\n< trout\\n\\\n",
        "< …\n",
        "< salmon\n< HTTP/1.1 200 OK\n< …\n",
    ] {
        assert!(goes(&format!("{asked}{other}")).is_err(), "{other}");
    }
    assert!(goes(&format!("{asked}{answer}<= closed\n")).is_err());
    assert!(goes(&format!("{asked}{answer}{answer}")).is_err());
    assert!(goes("# \n>\\\nGET").is_err());
}

/// The variants of an enum, as its source has them: new ones are not forgotten.
fn variants(path: &str, name: &str) -> impl Iterator<Item = String> {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    let source = source.expect("the source is there");
    let (_, body) = source
        .split_once(&format!("pub enum {name} {{\n"))
        .expect("the enum is there");
    let (body, _) = body.split_once("\n}").expect("it ends");
    let lines: Vec<String> = body
        .lines()
        .map(|line| line.trim().trim_end_matches(',').to_owned())
        .collect();
    lines.into_iter().filter(|line| !line.starts_with("//"))
}
