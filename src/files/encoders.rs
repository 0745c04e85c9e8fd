//! Makes text smaller, by crates that do nothing else.

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::content_type;
use super::encoding::{Coding, Codings};

/// Less fits into one packet with its head, and saves nothing.
const SOURCE_BYTES_MIN: u64 = 512;
/// More than scripts and style sheets have, and a tenth of a second in haste.
pub(super) const SOURCE_BYTES_MAX: u64 = 4 << 20;

/// Whether a file of this media type, path and length may be smaller compressed. Names that say that it is compressed
/// already are left alone: whoever serves them may say so in a field of his own.
pub(super) fn pays(media_type: &str, path: &[u8], length: u64) -> bool {
    let is_encoded = |coding: Coding| path.ends_with(coding.suffix().as_bytes());
    (SOURCE_BYTES_MIN..=SOURCE_BYTES_MAX).contains(&length)
        && content_type::is_compressible(media_type)
        && !Coding::ALL.into_iter().any(is_encoded)
}

/// The codings that there is an encoder for.
pub(super) fn codings() -> Codings {
    let all = Coding::ALL.into_iter();
    all.filter(|coding| cfg!(feature = "zstd") || *coding != Coding::Zstd)
        .filter(|_| cfg!(feature = "compress"))
        .fold(Codings::default(), Codings::with)
}

/// How much work a smaller text is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// About a millisecond for 64 KiB: somebody waits.
    Hasty,
    /// Up to some seconds for a megabyte.
    Best,
}

impl Effort {
    pub(super) fn name(self) -> &'static str {
        match self {
            Effort::Hasty => "in haste",
            Effort::Best => "as small as can be",
        }
    }

    /// What an encoder takes of memory at most, in bytes, besides its input and output. Measured with 4 MiB: in haste brotli
    /// takes 6 MiB, zstd 2 and gzip 1; at its best brotli 37, zstd 26 and gzip 1.
    pub(super) const fn memory_bytes(self) -> usize {
        match self {
            Effort::Hasty => 7 << 20,
            Effort::Best => 40 << 20,
        }
    }
}

/// `source` in this coding, or `None` where that takes more than `bytes_max`. It is given up when `is_over`.
pub(super) fn encode(
    source: &[u8],
    coding: Coding,
    effort: Effort,
    bytes_max: usize,
    is_over: &AtomicBool,
) -> Option<Vec<u8>> {
    let mut input = Input {
        rest: source,
        is_over,
    };
    let mut output = Output {
        bytes: Vec::new(),
        bytes_max,
    };
    // A panic of an encoder's costs no more than what it was to save.
    let work = AssertUnwindSafe(|| run(&mut input, &mut output, source.len(), coding, effort));
    let is_done = catch_unwind(work).is_ok_and(|done| done.is_ok());
    is_done.then_some(output.bytes)
}

/// A text that ends with an error once nobody wants it any more.
struct Input<'a> {
    rest: &'a [u8],
    is_over: &'a AtomicBool,
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.is_over.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => self.rest.read(buffer),
        }
    }
}

/// Takes so many bytes and no more.
struct Output {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "compress")]
fn run(
    input: &mut Input<'_>,
    output: &mut Output,
    length: usize,
    coding: Coding,
    effort: Effort,
) -> io::Result<()> {
    // Beyond, a larger window costs more memory than it saves bytes.
    const WINDOW_LOG_MAX: u32 = 21;
    let window_log = usize::BITS - (length + 16).leading_zeros();
    let window_log = window_log.clamp(10, WINDOW_LOG_MAX);
    match coding {
        Coding::Gzip => {
            let level = flate2::Compression::new(if effort == Effort::Best { 9 } else { 4 });
            let mut encoder = flate2::write::GzEncoder::new(output, level);
            io::copy(input, &mut encoder)?;
            encoder.finish()?;
        }
        Coding::Brotli => {
            let mut parameters = brotli::enc::BrotliEncoderParams {
                lgwin: window_log as i32,
                size_hint: length,
                ..Default::default()
            };
            (parameters.quality, parameters.lgblock) = match effort {
                // Small blocks save a third of the memory, and cost a thousandth of what is saved.
                Effort::Best => (11, 16),
                // From a megabyte on, 4 takes four times the memory.
                Effort::Hasty if length < 1 << 20 => (4, 0),
                Effort::Hasty => (3, 0),
            };
            brotli::BrotliCompress(input, output, &parameters)?;
        }
        Coding::Zstd => zstd_encode(input, output, length, (effort, window_log))?,
    }
    Ok(())
}

#[cfg(feature = "zstd")]
fn zstd_encode(
    input: &mut Input<'_>,
    output: &mut Output,
    length: usize,
    (effort, window_log): (Effort, u32),
) -> io::Result<()> {
    let level = if effort == Effort::Best { 19 } else { 3 };
    let mut encoder = zstd::stream::write::Encoder::new(output, level)?;
    encoder.set_pledged_src_size(Some(length as u64))?;
    encoder.window_log(window_log)?;
    io::copy(input, &mut encoder)?;
    encoder.finish().map(drop)
}

#[cfg(all(feature = "compress", not(feature = "zstd")))]
fn zstd_encode(_: &mut Input<'_>, _: &mut Output, _: usize, _: (Effort, u32)) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(feature = "compress"))]
fn run(_: &mut Input<'_>, _: &mut Output, _: usize, _: Coding, _: Effort) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Lets every other thread go first from now on. Where that is not to be had, this one is as good as any.
pub(super) fn step_back() {
    #[cfg(feature = "compress")]
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
}
