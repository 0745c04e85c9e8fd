//! Bytes in, bytes out: the whole way of a request but for the socket, as the benches and the instruction counts drive it.

#[path = "../../src/site.rs"]
mod command;

use std::ffi::OsString;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::Duration;

use sockeye::Handler;
use sockeye::cli::{Options, directory as cli_directory};
use sockeye::files::StaticFiles;
use sockeye::middleware::explain::Missing;
use sockeye::wire::{Conversation, Limits, Turn};
use tempfile::TempDir;

/// What wrk says.
pub(crate) const WRK: &str = "GET /1k.txt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// What a browser says.
pub(crate) const BROWSER: &str = "GET /1k.txt HTTP/1.1\r\n\
    Host: localhost:8080\r\n\
    Connection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\", \"Google Chrome\";v=\"140\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: http://localhost:8080/files/\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: theme=dark; session=0123456789abcdef0123456789abcdef\r\n\r\n";

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// What the command serves with these flags: a directory with one file of 1 KB, in memory from the first request on.
pub(crate) fn site(flags: &[&str]) -> (TempDir, impl Handler + use<>) {
    let directory = tempfile::tempdir().expect("a directory of our own");
    fs::write(directory.path().join("1k.txt"), [b'a'; 1024]).expect("room for 1 KB");
    let handler = served(directory.path(), flags, None);
    (directory, handler)
}

/// A directory with many more files of 1 KB than are kept in memory, and their requests.
#[allow(dead_code, reason = "not every bench asks for it")]
pub(crate) fn large_site() -> (TempDir, impl Handler, Vec<String>) {
    let directory = tempfile::tempdir().expect("a directory of our own");
    let requests = (0..8_000).map(|number| {
        let folder = format!("{:02}", number % 64);
        let folder_path = directory.path().join(&folder);
        fs::create_dir_all(&folder_path).expect("room for a directory");
        fs::write(folder_path.join(number.to_string()), [b'a'; 1024]).expect("room for 1 KB");
        WRK.replace("1k.txt", &format!("{folder}/{number}"))
    });
    let requests = requests.collect();
    let handler = served(directory.path(), &[], Some(1024 * 1024));
    (directory, handler, requests)
}

fn served(directory: &Path, flags: &[&str], cache_bytes: Option<usize>) -> impl Handler + use<> {
    // Only a file older than the clock's granularity is kept in memory, and its date is told once its second is over.
    thread::sleep(Duration::from_millis(1100));
    let flags = flags.iter().map(|flag| OsString::from(*flag));
    let arguments = flags.chain([directory.into()]);
    let options = Options::parse(arguments, |_| true, |_| None).expect("these flags are there");
    let chosen = cli_directory::choose(options.directory.as_deref(), Path::new("."));
    let chosen = chosen.expect("it was just made");
    let mut config = options.files.config();
    config.cache_bytes = cache_bytes.unwrap_or(config.cache_bytes);
    let files = StaticFiles::with_config(&chosen.path, &config);
    let files = files.expect("it was just made");
    let missing = Missing::default();
    command::handler(&options, files, &chosen, Vec::new(), true, missing)
}

/// A conversation in which nothing has been said.
pub(crate) fn conversation() -> Conversation {
    Conversation::new(Limits::default())
}

/// Says `requests` and answers them all; returns how many bytes the answers have.
pub(crate) fn exchange(
    conversation: &mut Conversation,
    handler: &dyn Handler,
    requests: &[u8],
) -> usize {
    conversation.receive(requests);
    while conversation.turn() == Turn::Head {
        let response = handler
            .handle_head(conversation.request())
            .expect("files answer from the head");
        conversation.answer(response, DATE);
        let turn = conversation.turn();
        assert_eq!(turn, Turn::Answered, "small answers are in the output");
    }
    let bytes = black_box(conversation.output()).len();
    conversation.sent(bytes);
    bytes
}
