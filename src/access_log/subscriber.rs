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

/// Which events become lines, and what the lines look like. By default the server's own messages do, down to
/// [`LogLevel::Info`], and nothing is said of requests; [the module](super) shows more.
#[derive(Debug, Clone, Default)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what needs the operator's attention.
    Warn,
    /// What an operator likes to know.
    #[default]
    Info,
    /// What helps to understand a problem.
    Debug,
}

/// A `tracing` subscriber for the events of this crate; those of others are ignored.
///
/// ```
/// use std::time::Duration;
///
/// use sockeye::access_log::{Log, Settings, Subscriber};
///
/// let file = tempfile::NamedTempFile::new()?;
/// let log = Log::to(file.reopen()?)?;
/// let subscriber = Subscriber::new(log.clone(), Settings::default());
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::warn!(target: "sockeye", "the disk is full");
///     tracing::warn!(target: "other", "not ours");
/// });
/// assert!(log.flush(Duration::from_secs(5)));
/// assert_eq!(std::fs::read_to_string(file.path())?, "sockeye: the disk is full\n");
/// # Ok::<(), std::io::Error>(())
/// ```
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
mod tests;
