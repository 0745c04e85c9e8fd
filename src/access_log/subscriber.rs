//! The reader of our own events: filters them, makes lines of them, and leaves those in the [`Log`].
//!
//! We use no spans and one output, so this is a whole `tracing` subscriber in a page, and an event costs its formatting
//! and little else.

use std::cell::RefCell;
use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Interest, SetGlobalDefaultError};
use tracing::{Event, Metadata, span};

use super::line::{self, Escaped, escaped};
use super::{Log, TARGET};

/// Which events become lines, and what the lines look like.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// A line for every answer.
    pub answers: bool,
    /// How much else the server says of itself.
    pub level: LogLevel,
    /// Colour the status by its class.
    pub colour: bool,
}

/// The least urgent of the server's own messages that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what needs somebody's attention.
    Warn,
    /// What an operator likes to know.
    Info,
    /// What helps to understand a problem.
    Debug,
}

/// A `tracing` subscriber for the events of this crate; those of others are ignored.
#[derive(Debug)]
pub struct Subscriber {
    log: Log,
    settings: Settings,
}

/// Makes `log` the reader of all events of this process, panics among them. Once per process.
///
/// A panic's usual message goes straight to stderr, and a thread that panics while stderr is stalled would wait there.
///
/// # Errors
///
/// If there is such a reader already.
pub fn install(log: &Log, settings: Settings) -> Result<(), SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(Subscriber::new(log.clone(), settings))?;
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
    /// A reader that leaves its lines in `log`.
    pub fn new(log: Log, settings: Settings) -> Subscriber {
        Subscriber { log, settings }
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
            return self.settings.answers && metadata.is_event();
        }
        let ours = target == "sockeye" || target.starts_with("sockeye::");
        ours && metadata.is_event() && *metadata.level() <= self.level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        match self.settings.answers {
            true => Some(self.level().max(LevelFilter::INFO)),
            false => Some(self.level()),
        }
    }

    fn event(&self, event: &Event<'_>) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        LINE.with(|line| match line.try_borrow_mut() {
            Ok(mut line) => {
                line.clear();
                self.write_event(event, &mut line);
                self.log.push(&line);
            }
            // A value that is being formatted makes an event of its own.
            Err(_) => {
                let mut line = String::new();
                self.write_event(event, &mut line);
                self.log.push(&line);
            }
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

impl Subscriber {
    fn write_event(&self, event: &Event<'_>, line: &mut String) {
        if event.metadata().target() == TARGET {
            let colour = self.settings.colour;
            event.record(&mut AnswerLine { line, colour });
        } else {
            line.push_str("sockeye:");
            event.record(&mut MessageLine(line));
        }
        line.push('\n');
    }
}

/// `200 GET /app.js 1.2 kB 0.3 ms`: [`super::record`] names the fields in the order of the line.
struct AnswerLine<'a> {
    line: &'a mut String,
    colour: bool,
}

impl Visit for AnswerLine<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => line::status(self.line, value, self.colour),
            "bytes" => {
                line::size(self.line, value);
                self.line.push(' ');
            }
            _ => line::time(self.line, value),
        }
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        escaped(self.line, value);
        self.line.push(' ');
    }

    /// The peer is in the event for other subscribers; a person who watches has no use for it.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// `sockeye: message field=value`.
struct MessageLine<'a>(&'a mut String);

impl Visit for MessageLine<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        escaped(self.0, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        write!(Escaped(self.0), "{value:?}").expect("a String takes everything");
    }
}

impl MessageLine<'_> {
    fn name(&mut self, field: &Field) {
        escaped(self.0, " ");
        if field.name() != "message" {
            escaped(self.0, field.name());
            escaped(self.0, "=");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use super::super::{Record, record};
    use super::*;

    const PLAIN: Settings = Settings {
        answers: true,
        level: LogLevel::Info,
        colour: false,
    };

    /// Twelve seconds and a half ago, which is shown as `12 s` however slow the test is.
    fn answer() -> Record<'static> {
        Record {
            status: 200,
            method: "GET",
            target: "/app.js",
            bytes: 1_234,
            since: Instant::now() - Duration::from_millis(12_500),
            peer: None,
        }
    }

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

    fn log_of(settings: Settings, events: impl FnOnce()) -> String {
        let written = Written::default();
        let log = Log::to(written.clone()).unwrap();
        tracing::subscriber::with_default(Subscriber::new(log.clone(), settings), events);
        assert!(log.flush(Duration::from_secs(10)));
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn an_answer_is_one_short_line() {
        let peer = Some("192.0.2.1:1234".parse().unwrap());
        let log = log_of(PLAIN, || {
            record(&answer());
            record(&Record {
                status: 404,
                target: "/\n",
                bytes: 0,
                peer,
                ..answer()
            });
        });
        assert_eq!(
            log,
            "200 GET /app.js 1.2 kB 12 s\n404 GET /\\x0A 0 B 12 s\n"
        );
    }

    #[test]
    fn quiet_keeps_the_answers_out_but_not_the_warnings() {
        let quiet = Settings {
            answers: false,
            level: LogLevel::Warn,
            ..PLAIN
        };
        let log = log_of(quiet, || {
            record(&answer());
            tracing::info!(target: "sockeye", "stopping");
            tracing::warn!(target: "sockeye::files", "a link leads out: {}", "a\x1b[2Jb");
        });
        assert_eq!(log, "sockeye: a link leads out: a\\x1B[2Jb\n");
    }

    #[test]
    fn a_message_shows_its_fields_and_stays_one_line() {
        let log = log_of(PLAIN, || {
            tracing::info!(target: "sockeye", done = 3, who = "x\ny", "drained");
        });
        assert_eq!(log, "sockeye: drained done=3 who=x\\x0Ay\n");
    }

    #[test]
    fn what_other_crates_say_is_not_shown() {
        let log = log_of(
            Settings {
                level: LogLevel::Debug,
                ..PLAIN
            },
            || {
                tracing::error!(target: "sockeyes", "not ours");
                tracing::error!(target: "other", "not ours either");
                tracing::debug!(target: "sockeye::wire", "ours");
            },
        );
        assert_eq!(log, "sockeye: ours\n");
    }

    #[test]
    fn no_line_is_longer_than_the_limit() {
        let long = "\u{7f}".repeat(40_000);
        let log = log_of(
            Settings {
                colour: true,
                ..PLAIN
            },
            || {
                record(&Record {
                    method: &long,
                    target: &long,
                    bytes: u64::MAX,
                    ..answer()
                });
                tracing::info!(target: "sockeye", long, b = 1, c = %long, "{long}");
            },
        );
        assert_eq!(log.lines().count(), 2);
        assert!(log.lines().all(|line| line.len() < line::LINE_BYTES_MAX));
    }
}
