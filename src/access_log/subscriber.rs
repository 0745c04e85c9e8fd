//! A `tracing` subscriber: filters the crate's own events, formats them as lines, and leaves those in a [`Log`].
//!
//! We use no spans, so this is a whole `tracing` subscriber in a page; an event costs little beyond its formatting.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Interest, SetGlobalDefaultError};
use tracing::{Event, Level, Metadata, span};

use super::escape::Message;
use super::{Format, Log, Record, TARGET, Totals, explain, json};

// What a message begins with, and a blank.
const NAME: &str = "sockeye:";

/// Which events become lines, and what the lines look like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where there is a line for every request, and what it looks like; `None` for no lines.
    pub requests: Option<(Log, Format)>,
    /// Whether what travels is shown and explained, a block for each request, among the server's own messages.
    pub explain: bool,
    /// Which messages of the server itself are logged.
    pub level: LogLevel,
    /// Colour the status by its class, where the format is for people.
    pub colour: bool,
    /// Counts the requests of which there is a line or an explanation.
    pub totals: Totals,
}

/// The least urgent of the server's own messages that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what needs the operator's attention.
    Warn,
    /// What an operator likes to know.
    Info,
    /// What helps to understand a problem.
    Debug,
}

/// A `tracing` subscriber for the events of this crate; those of others are ignored.
#[derive(Debug)]
pub struct Subscriber {
    messages: Log,
    /// They stand between lines that are JSON.
    has_json_messages: bool,
    settings: Settings,
}

/// Installs a [`Subscriber`] for all events of this process, panics among them. Once per process.
///
/// A panic's usual message goes straight to stderr, and a thread that panics while stderr is stalled would wait there.
///
/// # Errors
///
/// If there is such a reader already.
pub fn install(messages: Log, settings: Settings) -> Result<(), SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(Subscriber::new(messages, settings))?;
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let words = payload.downcast_ref::<String>().map(String::as_str);
        let words = words
            .or(payload.downcast_ref::<&str>().copied())
            .unwrap_or("no words");
        match panic.location() {
            Some(place) => tracing::error!(target: "sockeye", "panicked at {place}: {words}"),
            None => tracing::error!(target: "sockeye", "panicked: {words}"),
        }
    }));
    Ok(())
}

impl Subscriber {
    /// A subscriber that leaves the server's own messages in `messages`, and lines about requests in the log of
    /// `settings`.
    pub fn new(messages: Log, settings: Settings) -> Subscriber {
        let json = match &settings.requests {
            Some((log, Format::Json)) => Some(log),
            _ => None,
        };
        json.inspect(|log| log.set_json());
        Subscriber {
            has_json_messages: json.is_some_and(|log| log.is(&messages)),
            messages,
            settings,
        }
    }

    /// Leaves a line about `record` and an explanation of it, as far as they are wanted.
    pub(super) fn write_record(&self, record: &Record<'_>) {
        self.settings.totals.count(record);
        if let Some((log, format)) = &self.settings.requests {
            with_line(|line| {
                format.write(line, record, self.settings.colour);
                log.push(line);
            });
        }
        if let Some(exchange) = &record.exchange {
            with_line(|block| {
                explain::write(block, record, exchange);
                self.messages.push(block);
            });
        }
    }

    fn level(&self) -> LevelFilter {
        match self.settings.level {
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
        }
    }
}

impl tracing::Subscriber for Subscriber {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.enabled(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        if target == TARGET {
            let is_wanted = match *metadata.level() {
                Level::TRACE => self.settings.explain,
                _ => self.settings.explain || self.settings.requests.is_some(),
            };
            return is_wanted && metadata.is_event();
        }
        let ours = target == "sockeye" || target.starts_with("sockeye::");
        ours && metadata.is_event() && *metadata.level() <= self.level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        match self.settings.requests {
            _ if self.settings.explain => Some(LevelFilter::TRACE),
            Some(_) => Some(self.level().max(LevelFilter::INFO)),
            None => Some(self.level()),
        }
    }

    /// Records do not come this way; see [`record`](super::record).
    fn event(&self, event: &Event<'_>) {
        with_line(|line| {
            line.push_str(NAME);
            event.record(&mut MessageLine(line));
            if self.has_json_messages {
                let said = line.split_off(line.len().min(NAME.len() + 1));
                let level = event.metadata().level().as_str().to_ascii_lowercase();
                line.clear();
                json::write_message(line, SystemTime::now(), &level, &said);
            }
            line.push('\n');
            self.messages.push(line);
        });
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Lends an empty line, most often the one that this thread used last.
fn with_line(write: impl FnOnce(&mut String)) {
    thread_local! {
        static LINE: RefCell<String> = const { RefCell::new(String::new()) };
    }
    LINE.with(|line| match line.try_borrow_mut() {
        Ok(mut line) => {
            line.clear();
            write(&mut line);
        }
        // A value that is being formatted makes an event of its own.
        Err(_) => write(&mut String::new()),
    });
}

/// `sockeye: message field=value`.
struct MessageLine<'a>(&'a mut String);

impl Visit for MessageLine<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.text(value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        write!(Message(self.0), "{value:?}").expect("a String takes everything");
    }
}

impl MessageLine<'_> {
    fn name(&mut self, field: &Field) {
        self.text(" ");
        if field.name() != "message" {
            self.text(field.name());
            self.text("=");
        }
    }

    fn text(&mut self, text: &str) {
        Message(self.0)
            .write_str(text)
            .expect("a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::super::escape::MESSAGE_BYTES_MAX;
    use super::super::{examples, record};
    use super::*;
    use crate::message::Request;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What became of `events`: the lines about requests, and the messages.
    fn logs_of(
        requests: Option<Format>,
        level: LogLevel,
        events: impl FnOnce(),
    ) -> (String, String) {
        let outputs = [Written::default(), Written::default()];
        let [lines, messages] = outputs.each_ref().map(|out| Log::to(out.clone()).unwrap());
        let settings = Settings {
            requests: requests.map(|format| (lines.clone(), format)),
            explain: false,
            level,
            colour: false,
            totals: Totals::default(),
        };
        tracing::subscriber::with_default(Subscriber::new(messages.clone(), settings), events);
        assert!(lines.flush(Duration::from_secs(10)));
        assert!(messages.flush(Duration::from_secs(10)));
        let [lines, messages] =
            outputs.map(|out| String::from_utf8(out.0.lock().unwrap().clone()).unwrap());
        (lines, messages)
    }

    #[test]
    fn messages_between_lines_of_json_are_json() {
        let output = Written::default();
        let log = Log::to(output.clone()).unwrap();
        let settings = Settings {
            requests: Some((log.clone(), Format::Json)),
            explain: false,
            level: LogLevel::Info,
            colour: false,
            totals: Totals::default(),
        };
        let subscriber = Subscriber::new(log.clone(), settings.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "sockeye", port = 80, "\"taken\"\n");
            record(&examples::record(&Request::get("/")));
        });
        assert!(log.flush(Duration::from_secs(10)));
        let lines = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        let message = r#"Z","level":"warn","message":"\"taken\"\\x0A port=80"}"#;
        assert!(lines.lines().next().unwrap().ends_with(message), "{lines}");
        assert!(
            lines.lines().all(|line| line.starts_with("{\"time\":\"20")),
            "{lines}"
        );
        assert_eq!(settings.totals.to_string(), "1 answer, 1.2 kB");
    }

    fn messages_of(level: LogLevel, events: impl FnOnce()) -> String {
        logs_of(Some(Format::Pretty), level, events).1
    }

    #[test]
    fn a_request_is_one_line_in_the_format_and_the_place_that_were_chosen() {
        let request = Request::get("/app.js");
        for (_, format) in Format::ALL {
            let (lines, messages) = logs_of(Some(format), LogLevel::Warn, || {
                record(&examples::record(&request));
            });
            assert_eq!(lines, examples::line(format, &examples::record(&request)));
            assert_eq!(messages, "");
        }
    }

    #[test]
    fn quiet_keeps_the_requests_out_but_not_the_warnings() {
        let request = Request::get("/app.js");
        let (lines, messages) = logs_of(None, LogLevel::Warn, || {
            assert!(!super::super::is_listened_to());
            record(&examples::record(&request));
            tracing::info!(target: "sockeye", "stopping");
            tracing::warn!(target: "sockeye::files", "a link leads out: {}", "a\x1b[2Jb");
        });
        assert_eq!(lines, "");
        assert_eq!(messages, "sockeye: a link leads out: a\\x1B[2Jb\n");
    }

    #[test]
    fn a_message_shows_its_fields_and_stays_one_line() {
        let messages = messages_of(LogLevel::Info, || {
            tracing::info!(target: "sockeye", done = 3, who = "x\ny", "drained");
        });
        assert_eq!(messages, "sockeye: drained done=3 who=x\\x0Ay\n");
    }

    #[test]
    fn events_of_other_crates_are_not_shown() {
        let messages = messages_of(LogLevel::Debug, || {
            tracing::error!(target: "sockeyes", "not ours");
            tracing::error!(target: "other", "not ours either");
            tracing::debug!(target: "sockeye::wire", "ours");
        });
        assert_eq!(messages, "sockeye: ours\n");
    }

    #[test]
    fn no_message_is_longer_than_the_limit() {
        let long = "\u{7f}".repeat(40_000);
        let messages = messages_of(LogLevel::Info, || {
            tracing::info!(target: "sockeye", long, b = 1, c = %long, "{long}");
        });
        assert_eq!(messages.lines().count(), 1);
        assert!(messages.len() <= MESSAGE_BYTES_MAX + 1);
    }

    /// A subscriber of another crate, and the event it received.
    #[derive(Clone, Default)]
    struct Other(Arc<Mutex<Vec<String>>>);

    impl tracing::Subscriber for Other {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn event(&self, event: &Event<'_>) {
            struct Fields<'a>(&'a mut Vec<String>);
            impl Visit for Fields<'_> {
                fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                    self.0.push(format!("{}={value:?}", field.name()));
                }
            }
            assert_eq!(event.metadata().target(), TARGET);
            event.record(&mut Fields(&mut self.0.lock().unwrap()));
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn another_subscriber_gets_an_event_with_the_same_facts() {
        let other = Other::default();
        let request = Request::get("/a?b").with_header("Referer", "http://a.test/");
        tracing::subscriber::with_default(other.clone(), || {
            record(&examples::record(&request));
        });
        let fields = other.0.lock().unwrap().join(" ");
        assert_eq!(
            fields,
            "status=200 method=\"GET\" target=\"/a?b\" version=\"HTTP/1.1\" sent_bytes=1234 received_bytes=0 \
             micros=340 referer=\"http://a.test/\" is_cut=false"
        );
    }
}
