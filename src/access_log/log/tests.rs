//! Outputs that stall, fail, and are opened again.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// An output that follows the script, write by write, and takes everything once the script is over.
struct Scripted {
    script: VecDeque<Step>,
    taken: Sender<Vec<u8>>,
}

enum Step {
    Fail(ErrorKind),
    TakeAtMost(usize),
    StallUntil(Receiver<()>),
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut count = bytes.len();
        match self.script.pop_front() {
            Some(Step::Fail(kind)) => return Err(kind.into()),
            Some(Step::TakeAtMost(most)) => count = count.min(most),
            Some(Step::StallUntil(go)) => go.recv().unwrap_or(()),
            None => {}
        }
        // A test that has seen enough no longer listens.
        let _ = self.taken.send(bytes[..count].to_vec());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log_to(script: impl IntoIterator<Item = Step>) -> (Log, Receiver<Vec<u8>>) {
    let (taken, output) = mpsc::channel();
    let script = script.into_iter().collect();
    (Log::to(Scripted { script, taken }).unwrap(), output)
}

fn text(output: &Receiver<Vec<u8>>) -> String {
    String::from_utf8(output.try_iter().flatten().collect()).unwrap()
}

#[test]
fn lines_of_many_threads_arrive_whole_and_in_each_threads_order() {
    let (log, output) = log_to([]);
    thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || (0..1_000).for_each(|n| log.push(&format!("{thread} {n}\n"))));
        }
    });
    assert!(log.flush(LONG));
    let text = text(&output);
    for thread in 0..4 {
        let prefix = format!("{thread} ");
        let numbers = text.lines().filter_map(|line| line.strip_prefix(&prefix));
        assert!(numbers.eq((0..1_000).map(|n| n.to_string())));
    }
    assert_eq!(text.lines().count(), 4_000);
}

#[test]
fn a_stalled_output_blocks_no_thread_and_the_lines_that_do_not_fit_are_counted() {
    let (go, stalled) = mpsc::channel();
    let (log, output) = log_to([Step::StallUntil(stalled)]);
    let line = format!("{}\n", "x".repeat(1_023));
    let pushed = 5_000;
    (0..pushed).for_each(|_| log.push(&line));
    assert!(!log.flush(Duration::from_millis(10)), "it is stalled");
    go.send(()).unwrap();
    assert!(log.flush(LONG));
    let text = text(&output);
    let kept = text.lines().filter(|line| line.starts_with('x')).count();
    assert_eq!(kept, WAITING_BYTES_MAX / 1_024);
    // There may be a notice before the stall and one after it.
    let notices = text
        .lines()
        .filter_map(|line| line.strip_prefix("sockeye: "));
    let lost = notices.map(|notice| notice.split_once(' ').unwrap().0.parse::<usize>().unwrap());
    assert_eq!(lost.sum::<usize>(), pushed - kept);
}

#[test]
fn a_failing_output_is_tried_again_and_lost_lines_are_counted() {
    for (is_json, start, said) in [
        (false, "sockeye: ", ": 3 log lines were lost"),
        (
            true,
            "{\"time\":\"20",
            "\"message\":\"3 log lines were lost",
        ),
    ] {
        let full = [
            Step::Fail(ErrorKind::StorageFull),
            Step::Fail(ErrorKind::BrokenPipe),
        ];
        let (log, output) = log_to(full);
        if is_json {
            log.set_json();
        }
        for line in ["a\nb\n", "c\n", "d\n"] {
            log.push(line);
            assert!(log.flush(LONG));
        }
        let text = text(&output);
        let (notice, rest) = text.split_once('\n').unwrap();
        assert!(notice.starts_with(start) && notice.contains(said), "{text}");
        assert_eq!((notice.ends_with("\"}"), rest), (is_json, "d\n"));
    }
}

#[test]
fn short_and_interrupted_and_refused_writes_are_carried_on() {
    let (log, output) = log_to([
        Step::TakeAtMost(2),
        Step::Fail(ErrorKind::Interrupted),
        Step::TakeAtMost(1),
        Step::Fail(ErrorKind::WouldBlock),
    ]);
    log.push("0123456789\n");
    assert!(log.flush(LONG));
    assert_eq!(text(&output), "0123456789\n");
}

#[test]
fn an_output_that_is_opened_again_gets_the_lines_from_then_on() {
    let (sender, outputs) = mpsc::channel();
    let log = Log::opening(move || {
        let (taken, output) = mpsc::channel();
        sender.send(output).unwrap();
        let script = VecDeque::new();
        Ok(Scripted { script, taken })
    });
    let log = log.unwrap();
    for line in ["a\n", "b\n", "c\n"] {
        log.push(line);
        log.reopen();
    }
    log.push("d\n");
    assert!(log.flush(LONG));
    // Two that follow at once may be one.
    let texts: Vec<String> = outputs.try_iter().map(|output| text(&output)).collect();
    assert_eq!(texts.concat(), "a\nb\nc\nd\n");
    assert_eq!(texts.last().unwrap(), "d\n");
    assert!(texts[0].starts_with("a\n"));
}

#[test]
fn an_output_that_cannot_be_opened_again_is_kept() {
    let (log, output) = log_to([]);
    log.push("a\n");
    log.reopen();
    log.push("b\n");
    assert!(log.flush(LONG));
    assert_eq!(text(&output), "a\nb\n");
    let refused = Log::opening(|| Err::<Vec<u8>, _>(ErrorKind::PermissionDenied.into()));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn the_last_clone_to_go_ends_the_thread_after_what_is_left() {
    let (log, output) = log_to([]);
    let clone = log.clone();
    drop(log);
    clone.push("last words\n");
    drop(clone);
    // Ends when the thread drops its output.
    assert_eq!(output.iter().flatten().collect::<Vec<_>>(), b"last words\n");
}
