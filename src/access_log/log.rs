//! Lines on their way to an output that may be slow, stalled, full or gone.
//!
//! A line costs its thread one short lock and a copy. One other thread writes, in batches, and sleeps while there is
//! nothing to write: it is woken only when it sleeps, and stays up a few milliseconds after each batch to collect the
//! next, so that under load neither side pays a system call per line. What does not fit is dropped and counted, and the
//! count is written as soon as the output takes lines again.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::json;

use crate::sync::unpoisoned;

/// Bytes that wait or are being written at any time; 4 MiB is half a second of lines under full load.
///
/// ```
/// use sockeye::access_log::{LINE_BYTES_MAX, WAITING_BYTES_MAX};
///
/// assert_eq!(WAITING_BYTES_MAX / LINE_BYTES_MAX, 1024); // So many of the longest lines.
/// ```
pub const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long lines gather after a batch before the next is written.
const GATHER: Duration = Duration::from_millis(5);

/// How long to wait before an output that would block (a non-blocking pipe) is tried again.
const STALLED: Duration = Duration::from_millis(20);

/// Room that a buffer keeps when it is empty; a burst's memory is given back.
const KEPT_BYTES: usize = 64 * 1024;

/// Opens the output again, as for a file that was renamed.
type Open = Box<dyn FnMut() -> io::Result<Output> + Send>;
type Output = Box<dyn Write + Send>;

/// Takes lines from any thread without ever waiting for the output. Clones share the output; when the last is dropped
/// the writing thread ends after what is left.
///
/// ```
/// use std::time::Duration;
/// use std::{fs, io};
///
/// use sockeye::access_log::Log;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("access.log");
/// let file = path.clone();
/// let log = Log::opening(move || fs::File::options().create(true).append(true).open(&file))?;
/// log.push("yesterday\n");
/// fs::rename(&path, folder.path().join("access.log.1"))?;
/// log.reopen();
/// log.push("today\n");
/// assert!(log.flush(Duration::from_secs(5)));
/// assert_eq!(fs::read_to_string(path)?, "today\n");
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Log {
    shared: Arc<Shared>,
    _end: Arc<End>,
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
    /// The output is to be opened again after so many of the bytes that wait.
    reopen_after: Option<usize>,
    writer_sleeps: bool,
    closed: bool,
    /// Every line is JSON, a notice too.
    is_json: bool,
}

impl Log {
    /// Starts the thread that writes to `output`.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sockeye::access_log::Log;
    ///
    /// let log = Log::to(std::io::stderr())?;
    /// log.push("one line\n");
    /// assert!(log.flush(Duration::from_secs(5)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn to(output: impl Write + Send + 'static) -> io::Result<Log> {
        let cannot = || Err(io::Error::other("this output cannot be opened again"));
        Log::start(Box::new(output), Box::new(cannot))
    }

    /// The same for an output that can be opened again ([`Log::reopen`]); it is opened at once.
    ///
    /// # Errors
    ///
    /// If the output cannot be opened, or the thread not be started.
    pub fn opening<W: Write + Send + 'static>(
        mut open: impl FnMut() -> io::Result<W> + Send + 'static,
    ) -> io::Result<Log> {
        let mut open = move || open().map(|output| Box::new(output) as Output);
        Log::start(open()?, Box::new(open))
    }

    fn start(output: Output, open: Open) -> io::Result<Log> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            idle: Condvar::new(),
        });
        let writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_until_closed(&writer, output, open))?;
        Ok(Log {
            _end: Arc::new(End(Arc::clone(&shared))),
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

    /// Opens the output again: lines left from now on go to the new one, those before to the old one. For the moment
    /// after a log file was renamed. If it cannot be opened, the old one is kept, and an event reports it.
    pub fn reopen(&self) {
        let mut state = self.shared.lock();
        state.reopen_after = Some(state.waiting.len());
        state.writer_sleeps = false;
        drop(state);
        self.shared.work.notify_one();
    }

    /// Has notices of lost lines be JSON, as the lines are.
    pub(super) fn set_json(&self) {
        self.shared.lock().is_json = true;
    }

    /// Whether the lines of both go to one output.
    pub(super) fn is(&self, other: &Log) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Waits until every line so far is written or given up, `timeout` at most. Returns whether all is.
    pub fn flush(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        while state.is_due() || state.in_flight > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (state, _) = unpoisoned(self.shared.idle.wait_timeout(state, left));
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.state.lock())
    }

    /// Exchanges an empty buffer for the lines that wait; sleeps until there is something to do. `None` when all is
    /// written and the last [`Log`] is gone.
    fn next_batch(&self, lines: &mut Vec<u8>) -> Option<Batch> {
        let mut state = self.lock();
        state.in_flight = 0;
        if !state.is_due() {
            self.idle.notify_all();
        }
        while !state.is_due() {
            if state.closed {
                return None;
            }
            state.writer_sleeps = true;
            state = unpoisoned(self.work.wait(state));
        }
        state.writer_sleeps = false;
        std::mem::swap(&mut state.waiting, lines);
        // Not 0 while the output is being opened either.
        state.in_flight = lines.len().max(1);
        Some(Batch {
            lost: std::mem::take(&mut state.lost),
            reopen_after: state.reopen_after.take(),
        })
    }
}

impl State {
    /// Whether the writer has something to do.
    fn is_due(&self) -> bool {
        !self.waiting.is_empty() || self.reopen_after.is_some()
    }
}

/// What goes with the lines that the writer has taken.
struct Batch {
    /// How many were lost before them.
    lost: u64,
    /// The output is to be opened again after so many of their bytes.
    reopen_after: Option<usize>,
}

/// Closes the log when the last [`Log`] is dropped.
#[derive(Debug)]
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work.notify_one();
    }
}

fn write_until_closed(shared: &Shared, mut output: Output, mut open: Open) {
    let mut lines = Vec::with_capacity(KEPT_BYTES);
    while let Some(batch) = shared.next_batch(&mut lines) {
        let before = batch.reopen_after.unwrap_or(lines.len());
        write_lines(shared, &mut output, &lines[..before], batch.lost);
        if batch.reopen_after.is_some() {
            match open() {
                Ok(again) => output = again,
                Err(error) => {
                    tracing::error!(target: "sockeye", %error, "cannot open the log again, so it goes on where it was");
                }
            }
            write_lines(shared, &mut output, &lines[before..], 0);
        }
        lines.clear();
        lines.shrink_to(KEPT_BYTES);
        thread::sleep(GATHER);
    }
}

/// Writes `lines` after a notice of the `lost` ones before them. What the output does not take is lost too, and
/// counted.
fn write_lines(shared: &Shared, output: &mut Output, lines: &[u8], lost: u64) {
    let mut notice = String::new();
    if lost > 0 {
        let said = format!(
            "{lost} log lines were lost before this one: the output was too slow or failed"
        );
        match shared.lock().is_json {
            true => json::write_message(&mut notice, SystemTime::now(), "warn", &said),
            false => notice = format!("sockeye: {said}"),
        }
        notice.push('\n');
    }
    let written = write_all(output, notice.as_bytes()).and_then(|()| write_all(output, lines));
    if written.is_err() {
        // There is no other output for this error; the count is written with the next line that gets through.
        shared.lock().lost += lost + memchr::memchr_iter(b'\n', lines).count() as u64;
    }
}

/// `Write::write_all` that also waits for an output which would block.
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
mod tests;
