//! Server-sent events, by the grammar of the HTML standard (§9.2.5, *Parsing an event stream*).

use std::time::Duration;

use bytes::Bytes;

use super::{Sender, TrySendError, channel};
use crate::message::Response;

// A comment of nothing, and the end of the event that it is not.
const HEARTBEAT: &str = ":\n\n";

/// One event, as `EventSource` in a browser receives it.
///
/// ```
/// use sockeye::Event;
///
/// let event = Event::new("two\nlines").with_id("7").with_name("note");
/// assert_eq!(event.as_str(), "id: 7\nevent: note\ndata: two\ndata: lines\n\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Event {
    /// As it travels, the blank line included.
    text: String,
}

impl Event {
    /// An event with this data, of however many lines. CR LF, CR and LF all end a line, and all arrive as LF.
    pub fn new(data: impl AsRef<str>) -> Event {
        Event::lines("data", data.as_ref())
    }

    /// No event but a line or more that the client passes over.
    ///
    /// ```
    /// use sockeye::Event;
    ///
    /// assert_eq!(Event::comment("nothing new").as_str(), ": nothing new\n\n");
    /// ```
    pub fn comment(text: impl AsRef<str>) -> Event {
        Event::lines("", text.as_ref())
    }

    /// The same event with an id: a client that reconnects sends the last one it received, in `Last-Event-ID`.
    ///
    /// # Panics
    ///
    /// If there is a line end or a NUL in it, which no id has.
    pub fn with_id(self, id: impl AsRef<str>) -> Event {
        let id = id.as_ref();
        assert!(!id.contains('\0'), "an event's id has no NUL: {id:?}");
        self.with_field("id", id)
    }

    /// The same event with a name: what `addEventListener` in a browser listens to, instead of `message`.
    ///
    /// # Panics
    ///
    /// If there is a line end in it.
    pub fn with_name(self, name: impl AsRef<str>) -> Event {
        self.with_field("event", name.as_ref())
    }

    /// The same event with the time after which a client whose connection is lost comes back; in milliseconds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sockeye::Event;
    ///
    /// let event = Event::new("back at noon").with_retry(Duration::from_secs(60));
    /// assert_eq!(event.as_str(), "retry: 60000\ndata: back at noon\n\n");
    /// ```
    pub fn with_retry(self, after: Duration) -> Event {
        self.with_field("retry", &after.as_millis().to_string())
    }

    /// The event as it travels.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn lines(name: &str, text: &str) -> Event {
        let mut event = String::with_capacity(text.len() + 16);
        // CR LF is one end, not two. `lines` would pass over an empty last line.
        for line in text.replace("\r\n", "\n").split(['\r', '\n']) {
            event.extend([name, ": ", line, "\n"]);
        }
        event.push('\n');
        Event { text: event }
    }

    fn with_field(mut self, name: &str, value: &str) -> Event {
        assert!(
            !value.contains(['\r', '\n']),
            "an event's {name} is one line: {value:?}"
        );
        let data = self.data_at();
        self.text.insert_str(data, &format!("{name}: {value}\n"));
        self
    }

    /// Where the data, or the comment, begins.
    fn data_at(&self) -> usize {
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            if line.starts_with("data:") || line.starts_with(':') {
                break;
            }
            at += line.len();
        }
        at
    }
}

/// A text is an event with that data.
impl<T: AsRef<str>> From<T> for Event {
    fn from(data: T) -> Event {
        Event::new(data)
    }
}

impl From<Event> for Bytes {
    fn from(event: Event) -> Bytes {
        event.text.into()
    }
}

/// Sends events to one client, from any thread. The stream ends when the last clone is dropped.
///
/// ```
/// use sockeye::{Event, Response};
///
/// let (response, sender) = Response::events();
/// let working = std::thread::spawn(move || {
///     for percent in [0, 50, 100] {
///         if sender.try_send(Event::new(percent.to_string()).with_name("progress")).is_err() {
///             return; // The client has gone, or is too slow.
///         }
///     }
/// });
/// working.join().expect("it does not panic");
/// assert!(response.into_text()?.ends_with("event: progress\ndata: 100\n\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EventSender(Sender);

impl EventSender {
    /// Sends an event, or a text as one, without waiting; as [`Sender::try_send`] does.
    pub fn try_send(&self, event: impl Into<Event>) -> Result<(), TrySendError> {
        self.try_send_bytes(event.into().into())
    }

    /// Whether nothing is taken any more.
    ///
    /// ```
    /// use sockeye::Response;
    ///
    /// let (response, sender) = Response::events();
    /// drop(response); // As when the client has gone.
    /// assert!(sender.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(super) fn try_send_bytes(&self, event: Bytes) -> Result<(), TrySendError> {
        self.0.try_send(event)
    }
}

/// How a stream of events is kept.
///
/// ```
/// use std::time::Duration;
///
/// use sockeye::Events;
///
/// let events = Events { heartbeat: Some(Duration::from_secs(5)), ..Events::default() };
/// let (response, sender) = events.open();
/// assert!(sender.try_send("hello").is_ok() && !sender.is_closed());
/// assert_eq!(response.headers().get("Content-Type"), Some("text/event-stream"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Events {
    /// After so long without an event a comment is sent, so that no proxy on the way takes the
    /// connection for dead, and a client that has gone is noticed; `None` for never. 15 s by default.
    pub heartbeat: Option<Duration>,
    /// What may wait for a client that is slow, in bytes; an event counts with 32 on top. 64 KiB by default.
    pub buffer_bytes: usize,
}

impl Default for Events {
    fn default() -> Events {
        Events {
            heartbeat: Some(Duration::from_secs(15)),
            buffer_bytes: 64 * 1024,
        }
    }
}

impl Events {
    /// A stream of events kept so; see [`Response::events`].
    pub fn open(self) -> (Response, EventSender) {
        let heartbeat = self.heartbeat.map(|interval| (interval, HEARTBEAT));
        let (source, sender) = channel(self.buffer_bytes, heartbeat);
        let response = Response::stream(source)
            .with_header("Content-Type", "text/event-stream")
            .with_header("Cache-Control", "no-store")
            // nginx would gather events until they fill a page.
            .with_header("X-Accel-Buffering", "no");
        (response, EventSender(sender))
    }
}

impl Response {
    /// 200 with a stream of server-sent events, and who sends them. It costs a connection and no thread.
    ///
    /// With a comment every 15 s of silence and up to 64 KiB that wait for a slow client; [`Events`] has other numbers.
    /// To send the same to many, see [`Broadcast`](super::Broadcast).
    ///
    /// ```
    /// use sockeye::{Event, Response};
    ///
    /// let (response, sender) = Response::events();
    /// sender.try_send("hello")?;
    /// sender.try_send(Event::new("7 %").with_name("progress"))?;
    /// drop(sender);
    /// assert_eq!(response.into_text()?, "data: hello\n\nevent: progress\ndata: 7 %\n\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events() -> (Response, EventSender) {
        Events::default().open()
    }
}
