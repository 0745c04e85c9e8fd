//! Lines on their way to an output that may be slow, stalled, full or gone.
//!
//! A line costs its thread one short lock and a copy. One other thread writes, in batches, and sleeps while there is
//! nothing to write: it is woken only when it sleeps, and stays up a few milliseconds after each batch to collect the next,
//! so that under load neither side pays a system call per line. What does not fit is dropped and counted, and the count is
//! said as soon as the output takes lines again.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes that wait or are being written at any time; 4 MiB is half a second of lines under full load.
pub const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long lines gather after a batch before the next is written.
const GATHER: Duration = Duration::from_millis(5);

/// How long to leave an output alone that says "not now" (a pipe that somebody made non-blocking).
const STALLED: Duration = Duration::from_millis(20);

/// Room that a buffer keeps when it is empty; a burst's memory is given back.
const KEPT_BYTES: usize = 64 * 1024;

/// Takes lines from any thread without ever waiting for the output. Clones share the output; when the last is dropped
/// the writing thread ends after what is left.
#[derive(Debug, Clone)]
pub struct Log {
    shared: Arc<Shared>,
    _open: Arc<Open>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There are lines, or it is over.
    work: Condvar,
    /// Everything was written or given up.
    idle: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// Bytes of the batch that the writer has taken and not finished.
    in_flight: usize,
    lost: u64,
    writer_sleeps: bool,
    closed: bool,
}

impl Log {
    /// Starts the thread that writes to `output`.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    pub fn to(output: impl Write + Send + 'static) -> io::Result<Log> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            idle: Condvar::new(),
        });
        let writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_until_closed(&writer, output))?;
        Ok(Log {
            _open: Arc::new(Open(Arc::clone(&shared))),
            shared,
        })
    }

    /// Leaves one line, its end included, or counts it as lost if too many wait.
    pub fn push(&self, line: &str) {
        let mut state = self.shared.lock();
        if state.waiting.len() + state.in_flight + line.len() > WAITING_BYTES_MAX {
            state.lost += 1;
            return;
        }
        state.waiting.extend_from_slice(line.as_bytes());
        if state.writer_sleeps {
            state.writer_sleeps = false;
            drop(state);
            self.shared.work.notify_one();
        }
    }

    /// Waits until every line so far is written or given up, `patience` at most; whether it came to that.
    pub fn flush(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.shared.lock();
        while !state.waiting.is_empty() || state.in_flight > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.idle.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Shared {
    /// Nothing can panic while the lock is held, save for want of memory; the state is sound even then.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges an empty buffer for the lines that wait, and how many were lost; sleeps until there are some. `None` when
    /// all is written and nobody can push any more.
    fn next_batch(&self, batch: &mut Vec<u8>) -> Option<u64> {
        let mut state = self.lock();
        state.in_flight = 0;
        if state.waiting.is_empty() {
            self.idle.notify_all();
        }
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state.writer_sleeps = true;
            let waited = self.work.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.writer_sleeps = false;
        std::mem::swap(&mut state.waiting, batch);
        state.in_flight = batch.len();
        Some(std::mem::take(&mut state.lost))
    }
}

/// Says that it is over when the last [`Log`] is gone.
#[derive(Debug)]
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work.notify_one();
    }
}

fn write_until_closed(shared: &Shared, mut output: impl Write) {
    let mut batch = Vec::with_capacity(KEPT_BYTES);
    while let Some(mut lost) = shared.next_batch(&mut batch) {
        if lost > 0 {
            let notice = format!(
                "sockeye: {lost} log lines were lost before this one: the output was too slow or failed\n"
            );
            batch.splice(..0, notice.into_bytes());
        }
        if write_all(&mut output, &batch).is_err() {
            // Nobody is left to tell; the count is, and it is said with the next line that gets through.
            let lines = memchr::memchr_iter(b'\n', &batch).count() as u64;
            lost = if lost > 0 { lost + lines - 1 } else { lines };
            shared.lock().lost += lost;
        }
        batch.clear();
        batch.shrink_to(KEPT_BYTES);
        thread::sleep(GATHER);
    }
}

/// `Write::write_all` that also waits for an output which says "not now".
fn write_all(output: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(STALLED),
            Err(error) => return Err(error),
        }
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// An output that does what the script says, write by write, and takes everything once the script is over.
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
    fn a_stalled_output_holds_nobody_up_and_the_lines_that_do_not_fit_are_counted() {
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
        let lost = format!("sockeye: {} log lines were lost", pushed - kept);
        assert!(text.contains(&lost), "{lost}");
    }

    #[test]
    fn a_failing_output_is_tried_again_and_what_was_lost_is_said() {
        let full = [
            Step::Fail(ErrorKind::StorageFull),
            Step::Fail(ErrorKind::BrokenPipe),
        ];
        let (log, output) = log_to(full);
        for line in ["a\nb\n", "c\n", "d\n"] {
            log.push(line);
            assert!(log.flush(LONG));
        }
        let text = text(&output);
        assert!(text.starts_with("sockeye: 3 log lines were lost"), "{text}");
        assert!(text.ends_with("\nd\n"));
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
    fn the_last_clone_to_go_ends_the_thread_after_what_is_left() {
        let (log, output) = log_to([]);
        let clone = log.clone();
        drop(log);
        clone.push("last words\n");
        drop(clone);
        // Ends when the thread drops its output.
        assert_eq!(output.iter().flatten().collect::<Vec<_>>(), b"last words\n");
    }
}
