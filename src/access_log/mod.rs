//! One [`Record`] per request, at its end, and the formats that turn it into a line.
//!
//! The server calls [`record`], which costs a comparison while there is no subscriber. The subscriber that the command
//! installs ([`install`]) takes the record as it is, formats a line at once, on the thread that served, and leaves it
//! in a bounded buffer ([`Log`]); another thread writes. So no request waits for the log, whatever becomes of its
//! output. Any other `tracing` subscriber gets the same as one event with the target [`TARGET`].
//!
//! A format is a pure function over one record, in a file of its own.
//!
//! ```
//! use std::time::Duration;
//!
//! use sockeye::access_log::{self, Format, Log, LogLevel, Settings, Totals};
//!
//! let (log, totals) = (Log::to(std::io::stderr())?, Totals::default());
//! let settings = Settings {
//!     requests: Some((log.clone(), Format::Pretty)),
//!     level: LogLevel::Warn,
//!     totals: totals.clone(),
//!     ..Settings::default()
//! };
//! access_log::install(log.clone(), settings)?;
//! assert!(access_log::is_listened_to() && !access_log::explains());
//! // Here the program serves.
//! assert_eq!(totals.to_string(), "0 answers, 0 B");
//! assert!(log.flush(Duration::from_secs(5))); // Before it ends.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod combined;
mod common;
mod escape;
#[cfg(test)]
mod examples;
mod explain;
mod json;
mod log;
mod pretty;
mod subscriber;
mod time;
mod totals;

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use crate::message::{Request, StatusCode};

pub use log::{Log, WAITING_BYTES_MAX};
pub use subscriber::{LogLevel, Settings, Subscriber, install};
pub use totals::Totals;

/// The target of the events that [`record`] makes.
///
/// ```
/// use sockeye::access_log::TARGET;
///
/// // For `EnvFilter` of tracing-subscriber: warnings of everybody, and each request.
/// assert_eq!(format!("warn,{TARGET}=info"), "warn,sockeye::access=info");
/// ```
pub const TARGET: &str = "sockeye::access";

/// The longest line, its end included: what a pipe takes in one piece.
///
/// ```
/// use sockeye::access_log::LINE_BYTES_MAX;
///
/// assert_eq!(LINE_BYTES_MAX, 4096); // PIPE_BUF of Linux, so that lines of two processes do not mix.
/// ```
pub const LINE_BYTES_MAX: usize = 4096;

/// One request at its end: what was asked, what was answered, and what of the answer the kernel has taken.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use sockeye::Request;
/// use sockeye::access_log::{Format, Record};
///
/// // An upload that broke off: there was no answer.
/// let cut = Record {
///     request: &Request::post("/photos"),
///     received_line: None,
///     status: None,
///     sent_bytes: 0,
///     received_bytes: 70_000,
///     began: SystemTime::now(),
///     duration: Duration::from_millis(12),
///     reason: None,
///     is_cut: true,
///     exchange: None,
/// };
/// let mut line = String::new();
/// Format::Pretty.write(&mut line, &cut, false);
/// assert_eq!(line, "--- POST /photos 0 B 12 ms, received 70.0 kB, cut short\n");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The request, as far as it was understood; its client too, where there is a network.
    pub request: &'a Request,
    /// The first line as received, where it was not understood; then `request` holds nothing of it.
    pub received_line: Option<&'a [u8]>,
    /// The status that was sent; `None` if the request ended before there was an answer.
    pub status: Option<StatusCode>,
    /// How many bytes of the answer's body the kernel has taken.
    pub sent_bytes: u64,
    /// How many bytes of the request's body were received and used.
    pub received_bytes: u64,
    /// When the first byte of the request's head came, by the wall clock.
    pub began: SystemTime,
    /// How long it took from then until the last byte of the answer had gone to the kernel, or until it broke off.
    pub duration: Duration,
    /// Why the request was refused, as a sentence.
    pub reason: Option<&'static str>,
    /// Whether the connection was over before the answer, or the request, was complete.
    pub is_cut: bool,
    /// What travelled, and why, if that was [asked for](explains).
    pub exchange: Option<Exchange<'a>>,
}

/// A request and its answer as they travelled, but for their bodies, and the reasons.
///
/// ```
/// # use std::time::{Duration, SystemTime};
/// use sockeye::access_log::{self, Exchange, Log, Record, Settings, Subscriber};
/// use sockeye::{Request, StatusCode};
///
/// let exchange = Exchange {
///     request: b"GET /x HTTP/1.1\r\n\r\n",
///     answer: b"HTTP/1.1 404 Not Found\r\n\r\n",
///     explanation: Some("there is nothing here"),
///     connection: "connection kept: HTTP/1.1 and no \"close\"",
/// };
/// let record = Record {
///     request: &Request::get("/x"),
///     status: Some(StatusCode::NOT_FOUND),
///     exchange: Some(exchange),
/// #     received_line: None,
/// #     sent_bytes: 0,
/// #     received_bytes: 0,
/// #     began: SystemTime::now(),
/// #     duration: Duration::ZERO,
/// #     reason: None,
/// #     is_cut: false,
///     // …
/// };
/// let file = tempfile::NamedTempFile::new()?;
/// let log = Log::to(file.reopen()?)?;
/// let settings = Settings { explain: true, ..Settings::default() };
/// let subscriber = Subscriber::new(log.clone(), settings);
/// tracing::subscriber::with_default(subscriber, || access_log::record(&record));
/// assert!(log.flush(Duration::from_secs(5)));
/// let block = std::fs::read_to_string(file.path())?;
/// assert!(block.contains("< HTTP/1.1 404 Not Found   # there is nothing here\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The request's head as received, as far as it was looked at.
    pub request: &'a [u8],
    /// The heads that were sent, interim ones first.
    pub answer: &'a [u8],
    /// Why the answer is what it is, where its handler says so.
    pub explanation: Option<&'a str>,
    /// What becomes of the connection, and why.
    pub connection: &'static str,
}

/// Whether there is a subscriber for records; if not, there is no need to make one.
///
/// ```
/// use sockeye::access_log;
///
/// // Without a subscriber a server makes no records.
/// assert!(!access_log::is_listened_to());
/// ```
pub fn is_listened_to() -> bool {
    tracing::event_enabled!(target: TARGET, tracing::Level::INFO)
}

/// Whether the subscriber wants to know what travelled, too: it has events of the target [`TARGET`] down to `TRACE`.
///
/// ```
/// use sockeye::access_log::{Log, Settings, Subscriber, explains};
///
/// let settings = Settings { explain: true, ..Settings::default() };
/// let subscriber = Subscriber::new(Log::to(std::io::sink())?, settings);
/// tracing::subscriber::with_default(subscriber, || assert!(explains()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn explains() -> bool {
    tracing::event_enabled!(target: TARGET, tracing::Level::TRACE)
}

/// Gives one request's record to the subscriber, if there is one.
///
/// ```
/// # use std::time::{Duration, SystemTime};
/// use sockeye::access_log::{self, Format, Log, Record, Settings, Subscriber, Totals};
/// use sockeye::{Request, StatusCode};
///
/// let record = Record {
///     request: &Request::get("/app.js"),
///     status: Some(StatusCode::OK),
///     sent_bytes: 1_200,
/// #     received_line: None,
/// #     received_bytes: 0,
/// #     began: SystemTime::now(),
/// #     duration: Duration::ZERO,
/// #     reason: None,
/// #     is_cut: false,
/// #     exchange: None,
///     // …
/// };
/// let (log, totals) = (Log::to(std::io::sink())?, Totals::default());
/// let requests = Some((log.clone(), Format::Json));
/// let settings = Settings { requests, totals: totals.clone(), ..Settings::default() };
/// let subscriber = Subscriber::new(log, settings);
/// tracing::subscriber::with_default(subscriber, || access_log::record(&record));
/// assert_eq!(totals.to_string(), "1 answer, 1.2 kB");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn record(record: &Record<'_>) {
    if !is_listened_to() {
        return;
    }
    let is_written = tracing::dispatcher::get_default(|dispatch| {
        let ours = dispatch.downcast_ref::<Subscriber>();
        ours.map(|ours| ours.write_record(record)).is_some()
    });
    // Not within `get_default`: an event would be dropped there.
    if !is_written {
        make_event(record);
    }
}

fn make_event(record: &Record<'_>) {
    let request = record.request;
    let line = record.received_line.map(<[u8]>::escape_ascii);
    let is_understood = line.is_none();
    tracing::event!(
        target: TARGET,
        tracing::Level::INFO,
        status = record.status.map(|status| status.as_u16()),
        method = is_understood.then(|| request.method().as_str()),
        target = is_understood.then(|| request.target().as_str()),
        version = is_understood.then(|| request.version().as_str()),
        line = line.map(tracing::field::display),
        sent_bytes = record.sent_bytes,
        received_bytes = record.received_bytes,
        micros = u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX),
        peer = request.peer().map(tracing::field::display),
        referer = request.headers().get("Referer"),
        user_agent = request.headers().get("User-Agent"),
        reason = record.reason,
        is_cut = record.is_cut,
        explanation = record.exchange.and_then(|exchange| exchange.explanation),
        connection = record.exchange.map(|exchange| exchange.connection),
    );
}

/// What a line about a request looks like.
///
/// ```
/// use sockeye::access_log::Format;
///
/// assert_eq!("combined".parse(), Ok(Format::Combined));
/// assert!("xml".parse::<Format>().is_err());
/// assert_eq!(Format::ALL.map(|(name, _)| name), ["pretty", "common", "combined", "json"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `200 GET /app.js 1.2 kB 0.3 ms`, for a person who watches.
    Pretty,
    /// Apache's Common Log Format: `%h %l %u %t "%r" %>s %b`. It has no room for a reason or a mark.
    Common,
    /// Apache's combined format: `common`, and `"%{Referer}i" "%{User-agent}i"`.
    Combined,
    /// One JSON object per line, always with the same keys, in ASCII.
    Json,
}

impl Format {
    /// Every format and its name.
    pub const ALL: [(&'static str, Format); 4] = [
        ("pretty", Format::Pretty),
        ("common", Format::Common),
        ("combined", Format::Combined),
        ("json", Format::Json),
    ];

    /// Appends one line about `record`, its end included: printable ASCII of [`LINE_BYTES_MAX`] at most, whatever the
    /// client sent. `colour` is for [`Format::Pretty`] alone. That appends nothing where something is not there for which
    /// browsers ask by themselves, such as `/favicon.ico`; the others are records.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use sockeye::access_log::{Format, Record};
    /// use sockeye::{Request, StatusCode};
    ///
    /// let record = Record {
    ///     request: &Request::get("/app.js"),
    ///     received_line: None,
    ///     status: Some(StatusCode::OK),
    ///     sent_bytes: 1234,
    ///     received_bytes: 0,
    ///     began: SystemTime::now(),
    ///     duration: Duration::from_micros(340),
    ///     reason: None,
    ///     is_cut: false,
    ///     exchange: None,
    /// };
    /// let mut line = String::new();
    /// Format::Pretty.write(&mut line, &record, false);
    /// assert_eq!(line, "200 GET /app.js 1.2 kB 0.3 ms\n");
    /// ```
    pub fn write(self, line: &mut String, record: &Record<'_>, colour: bool) {
        match self {
            Format::Pretty if pretty::is_noise(record) => return,
            Format::Pretty => pretty::write(line, record, colour),
            Format::Common => common::write(line, record),
            Format::Combined => combined::write(line, record),
            Format::Json => json::write(line, record),
        }
        line.push('\n');
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        match Format::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, format)) => Ok(*format),
            None => Err("expected pretty, common, combined or json".to_owned()),
        }
    }
}
