//! Which events become lines, and where they go.

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
fn logs_of(requests: Option<Format>, level: LogLevel, events: impl FnOnce()) -> (String, String) {
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
