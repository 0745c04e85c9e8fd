//! A request written by hand, byte by byte, and what the server makes of it: for a page that teaches HTTP.
//!
//! A browser sends no request that is malformed, in chunks, or two at once. So the page sends the bytes as a query, and
//! they are read here as if they had come on a connection of their own: by the same parser, answered by the same handler.
//! No socket is opened. What carries the bytes lends them nothing, neither its fields nor its client's address, so they
//! are let in or refused as any others; only a page of this server in a browser on this machine may bring them.

use std::io::Read;
use std::mem;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime};

use crate::handler::Handler;
use crate::message::{Body, Method, Request, Response, StatusCode};
use crate::middleware::explain::is_from_this_machine;
use crate::text::push_json;
use crate::wire::{Conversation, Limits, Payload, Turn};

/// Requests that are answered at a time.
const EXCHANGES_MAX: usize = 8;

/// How long an answer is held back at most, as by `/echo`.
const DELAY_MAX: Duration = Duration::from_secs(60);

/// What of all answers is shown. A byte may become six, and a client may leave them all to us for as long as it likes: this
/// is less than it may leave of an answer otherwise.
const ANSWER_BYTES_MAX: usize = 32 * 1024;

/// Answers `GET ?request=` with what the server says to these bytes, as JSON.
///
/// `exchanges` has one object for each request that was answered: the head as received (`request`), all that was sent
/// (`answer`), the response's explanation or null (`why`), and what becomes of the connection (`connection`). `then` says
/// what follows, or is null where the next request may. Each character of `request` and `answer` is a byte.
///
/// ```
/// use std::sync::Arc;
///
/// use sockeye::by_hand::ByHand;
/// use sockeye::{Handler, Request, Router};
///
/// let by_hand = Arc::new(ByHand::default());
/// let router = Router::new().any("/by-hand", Arc::clone(&by_hand)).get("/", |_| "hello\n");
/// let site: Arc<dyn Handler> = Arc::new(router);
/// by_hand.lead_to(&site);
/// let request = Request::get("/by-hand?request=GET%20/%20HTTP/1.1%0D%0A%0D%0A")
///     .with_header("Host", "localhost")
///     .with_peer(([127, 0, 0, 1], 50312).into());
/// let said = site.handle(&request).into_text()?;
/// assert!(said.contains(r#""answer":"HTTP/1.1 400 Bad Request\u000d\u000a"#));
/// assert!(said.contains(r#""why":"HTTP/1.1 requires a Host field""#));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
pub struct ByHand {
    site: OnceLock<Weak<dyn Handler>>,
}

impl ByHand {
    /// The bytes go to `site`, of which this handler may be a part. The first site counts.
    pub fn lead_to(&self, site: &Arc<dyn Handler>) {
        self.site.get_or_init(|| Arc::downgrade(site));
    }

    fn answer(&self, request: &Request) -> Response {
        let refuse = |status, sentence| Response::problem(status, sentence, request);
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let sentence = "this is for GET: the request by hand is in the query";
            return refuse(StatusCode::METHOD_NOT_ALLOWED, sentence)
                .with_header("Allow", "GET, HEAD");
        }
        let from = request.headers().get("Sec-Fetch-Site");
        // Bytes by hand have no address, so that none of them can carry others.
        if !is_from_this_machine(request) || !matches!(from, None | Some("same-origin" | "none")) {
            let sentence = "only this server's own page may ask for this, on this machine";
            return refuse(StatusCode::FORBIDDEN, sentence);
        }
        let site = self.site.get().and_then(Weak::upgrade);
        let (Some(site), Some(bytes)) = (site, request.query("request")) else {
            let sentence = "`request` in the query is what to run, such as ?request=GET%20/";
            return refuse(StatusCode::BAD_REQUEST, sentence);
        };
        let mut run = Run::new(bytes.as_bytes());
        run.finish(&*site);
        Response::new(StatusCode::OK)
            .with_header("Content-Type", "application/json")
            .with_header("Cache-Control", "no-store")
            .with_header("X-Content-Type-Options", "nosniff")
            .with_header("Content-Security-Policy", "sandbox")
            .with_delay(run.delay.min(DELAY_MAX))
            .with_body(run.json)
    }
}

impl Handler for ByHand {
    fn handle(&self, request: &Request) -> Response {
        self.answer(request)
    }

    fn handle_head(&self, head: &Request) -> Option<Response> {
        Some(self.answer(head))
    }

    fn complete(&self, _request: &Request, response: Response) -> Response {
        response
    }
}

impl std::fmt::Debug for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByHand").finish_non_exhaustive()
    }
}

/// One conversation over bytes that are all there, written down as it goes.
struct Run {
    conversation: Conversation,
    json: Vec<u8>,
    exchanges: usize,
    /// Bytes of answers so far.
    shown: u64,
    /// How long the answers were to be held back, one after the other.
    delay: Duration,
}

impl Run {
    fn new(bytes: &[u8]) -> Run {
        let mut conversation = Conversation::new(Limits::default());
        conversation.keep_heads();
        conversation.receive(bytes);
        Run {
            conversation,
            json: b"{\"exchanges\":[".to_vec(),
            exchanges: 0,
            shown: 0,
            delay: Duration::ZERO,
        }
    }

    fn finish(&mut self, site: &dyn Handler) {
        let then = loop {
            let conversation = &mut self.conversation;
            let response = match conversation.turn() {
                Turn::Head => match site.handle_head(conversation.request()) {
                    Some(response) => response,
                    None => {
                        conversation.collect_body();
                        continue;
                    }
                },
                Turn::Body => {
                    let request = conversation.request();
                    let upload = request.destination.as_ref();
                    match upload.map_or(Ok(()), |upload| upload.write(request.body())) {
                        Ok(()) => {
                            conversation.body_taken();
                            continue;
                        }
                        Err(error) => site.complete(request, Response::failure(error.kind())),
                    }
                }
                Turn::Answer => site.handle(conversation.request()),
                Turn::Refuse(refusal) => {
                    let request = conversation.request();
                    site.complete(request, refusal.response(request))
                }
                Turn::Deliver => match self.deliver() {
                    true => continue,
                    false => break Some("the rest of the answer is not shown"),
                },
                Turn::Answered => {
                    self.write_exchange();
                    let is_full = self.shown >= ANSWER_BYTES_MAX as u64;
                    match self.exchanges < EXCHANGES_MAX && !is_full {
                        true => continue,
                        false => break Some("what follows is not read: these are enough"),
                    }
                }
                Turn::NeedBytes if conversation.awaits_head() && conversation.has_input() => {
                    break Some(
                        "the server waits for the rest of the head, which a blank line ends",
                    );
                }
                Turn::NeedBytes if conversation.awaits_head() => break None,
                Turn::NeedBytes => break Some("the server waits for the rest of the body"),
                Turn::Close if conversation.has_input() => {
                    break Some("what follows is not read: the connection is closed");
                }
                Turn::Close => break None,
            };
            self.delay += response.delay();
            let date = httpdate::fmt_http_date(SystemTime::now());
            self.conversation.answer(response, &date);
        };
        if !self.conversation.output().is_empty() {
            self.write_exchange();
        }
        self.json.extend_from_slice(b"],\"then\":");
        push_sentence(&mut self.json, then);
        self.json.extend_from_slice(b"}\n");
        self.json.shrink_to_fit();
    }

    /// Appends the body to what is sent, as far as it is shown and at hand; whether that is all of it.
    fn deliver(&mut self) -> bool {
        let room = (ANSWER_BYTES_MAX as u64).saturating_sub(self.shown);
        let mut piece = Vec::new();
        let (is_whole, chunked) = match mem::take(self.conversation.payload()) {
            Payload::None => (true, false),
            Payload::Bytes(bytes) => {
                let length = bytes.len().min(room as usize);
                piece.extend_from_slice(&bytes[..length]);
                (length == bytes.len(), false)
            }
            Payload::File(mut slice) => {
                let length = slice.length();
                slice.range.end = slice.range.start + length.min(room);
                piece = Body::File(slice).into_bytes().unwrap_or_default();
                (piece.len() as u64 == length, false)
            }
            Payload::Stream { stream, chunked } => {
                let length = stream.length.unwrap_or(u64::MAX);
                let read = stream.take(length.min(room)).read_to_end(&mut piece);
                // A source that has nothing yet is an error here: nobody waits for it.
                let is_whole = read.is_ok_and(|read| (read as u64) < room || read as u64 == length);
                (is_whole, chunked)
            }
        };
        let is_open = chunked && is_whole && !piece.is_empty();
        self.conversation.push_stream(&piece, chunked);
        if is_open {
            self.conversation.push_stream(b"", chunked);
        }
        if is_whole {
            self.conversation.delivered();
        }
        is_whole
    }

    /// Writes down what was sent since the last time, and why.
    fn write_exchange(&mut self) {
        let conversation = &mut self.conversation;
        let answer = conversation.output().to_vec();
        conversation.sent(answer.len());
        let sent = conversation.take_finished();
        let kept = conversation.kept().expect("it keeps heads");
        self.json
            .extend_from_slice(if self.exchanges > 0 { b"," } else { b"" });
        self.json.extend_from_slice(b"{\"request\":");
        push_bytes(&mut self.json, &kept.request);
        self.json.extend_from_slice(b",\"answer\":");
        push_bytes(&mut self.json, &answer);
        self.json.extend_from_slice(b",\"why\":");
        push_sentence(&mut self.json, kept.explanation.as_deref());
        self.json.extend_from_slice(b",\"connection\":");
        let connection = sent.map(|sent| sent.persistence.sentence());
        push_sentence(&mut self.json, connection);
        self.json.push(b'}');
        self.exchanges += 1;
        self.shown += answer.len() as u64;
    }
}

fn push_sentence(json: &mut Vec<u8>, sentence: Option<&str>) {
    match sentence {
        Some(sentence) => push_json(json, sentence),
        None => json.extend_from_slice(b"null"),
    }
}

/// A string in which each character is a byte.
fn push_bytes(json: &mut Vec<u8>, bytes: &[u8]) {
    let text: String = bytes.iter().copied().map(char::from).collect();
    push_json(json, &text);
}
