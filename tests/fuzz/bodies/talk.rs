//! One conversation from its first byte to its last, without a socket.

use sockeye::Handler;
use sockeye::echo::Echo;
use sockeye::message::{Body, Request, Response};
use sockeye::wire::{Conversation, Limits, Payload, Refusal, Turn};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// How the server behaves towards what it hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Every request is read whole and then answered with all that was understood of it.
    Collecting,
    /// `/echo` sends bodies back, `/early` answers from the head, `/mirror` sends a collected body back; all else is
    /// collected.
    ByTarget,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// After its body.
    Collected,
    /// From its head; the body was left to the conversation.
    Early,
    /// Its body went back while it came in.
    Relayed,
    /// Its body began to go back, or was about to, and broke off.
    BrokenOff,
    /// Not by a handler.
    Refused(Refusal),
}

/// A request as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: usize,
    /// What was collected.
    pub(crate) body: Vec<u8>,
    /// Whether it has an `Expect`.
    pub(crate) expects: bool,
    /// Whether its body was, or was to be, sent back while it comes in.
    pub(crate) is_echo: bool,
    pub(crate) way: Way,
}

/// All that was heard and said.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) heard: Vec<Heard>,
    pub(crate) output: Vec<u8>,
}

/// Lets a client say `pieces` one after the other and then nothing more, until the server wants to close.
pub(crate) fn talk<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, manners: Manners) -> Talk {
    let mut conversation = Conversation::new(Limits::default());
    let mut pieces = pieces.into_iter();
    let mut has_ended = false;
    let mut relaying = None;
    let mut talk = Talk {
        heard: Vec::new(),
        output: Vec::new(),
    };
    loop {
        match conversation.turn() {
            Turn::NeedBytes => {
                talk.take_output(&mut conversation);
                assert!(!has_ended, "a client that has ended is waited for");
                match pieces.next() {
                    Some(piece) => conversation.receive(piece),
                    None => (has_ended, _) = (true, conversation.receive_end()),
                }
            }
            Turn::Head => match early(conversation.request(), manners) {
                Some(response) => {
                    let is_echo = matches!(response.body(), Body::Incoming);
                    let heard = heard(&conversation, Way::Early, is_echo);
                    conversation.answer(response, DATE);
                    match is_echo {
                        true => relaying = Some(heard),
                        false => talk.heard.push(heard),
                    }
                }
                None => conversation.collect_body(),
            },
            Turn::Body => unreachable!("nobody here has uploads"),
            Turn::Answer => {
                talk.heard.push(heard(&conversation, Way::Collected, false));
                let response = answer(conversation.request());
                conversation.answer(response, DATE);
            }
            Turn::Refuse(refusal) => {
                let is_echo = relaying.take().is_some();
                talk.heard
                    .push(heard(&conversation, Way::Refused(refusal), is_echo));
                let response = refusal.response(conversation.request());
                conversation.answer(response, DATE);
            }
            Turn::Deliver => {
                talk.take_output(&mut conversation);
                match conversation.payload() {
                    Payload::Bytes(bytes) => talk.output.extend_from_slice(bytes),
                    other => panic!("nobody answered with {other:?}"),
                }
                conversation.delivered();
            }
            Turn::Answered => {
                talk.take_output(&mut conversation);
                talk.heard.extend(relaying.take().map(|heard| Heard {
                    way: Way::Relayed,
                    ..heard
                }));
            }
            Turn::Close => {
                talk.take_output(&mut conversation);
                talk.heard.extend(relaying.map(|heard| Heard {
                    way: Way::BrokenOff,
                    ..heard
                }));
                return talk;
            }
        }
    }
}

impl Talk {
    fn take_output(&mut self, conversation: &mut Conversation) {
        self.output.extend_from_slice(conversation.output());
        conversation.sent(conversation.output().len());
    }
}

fn early(head: &Request, manners: Manners) -> Option<Response> {
    let target = head.target().as_str();
    match manners {
        Manners::Collecting => None,
        Manners::ByTarget if target.contains("echo") => Echo.handle_head(head),
        Manners::ByTarget if target.contains("early") => Some(Response::text("early\n")),
        Manners::ByTarget => None,
    }
}

/// Says all that was understood, so that two answers are equal only if two requests were.
fn answer(request: &Request) -> Response {
    if request.target().as_str().contains("mirror") {
        return Response::text("").with_body(Body::Incoming);
    }
    let mut text = format!(
        "{} {} {:?}\n",
        request.method(),
        request.target().as_str(),
        request.version()
    )
    .into_bytes();
    for (name, value) in request.headers().iter() {
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text.extend_from_slice(request.body());
    Response::text(text)
}

fn heard(conversation: &Conversation, way: Way, is_echo: bool) -> Heard {
    let request = conversation.request();
    Heard {
        method: request.method().to_string(),
        target: request.target().as_str().to_owned(),
        fields: request.headers().len(),
        body: request.body().to_vec(),
        expects: request.headers().contains("Expect"),
        is_echo,
        way,
    }
}
