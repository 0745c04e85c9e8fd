//! Numbers in decimal, and sizes for people. Answers, log lines and rows of listings hold them, so they are written by hand:
//! `format!` would cost a tenth of a whole answer.

/// A short ASCII text, written from its end to its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Short {
    bytes: [u8; 24],
    start: usize,
}

/// `number` in decimal.
pub(crate) fn decimal(number: u64) -> Short {
    let mut text = Short::new();
    text.push_decimal(number);
    text
}

/// `bytes` for people, in powers of 1000, rounded: `999 B`, `1.2 kB`, `34.0 MB`, `5.4 GB`.
pub(crate) fn size(bytes: u64) -> Short {
    let mut text = Short::new();
    if bytes < 1000 {
        text.push(b" B");
        text.push_decimal(bytes);
        return text;
    }
    let bytes = u128::from(bytes);
    let mut unit = 1000;
    let mut units = [b" kB", b" MB", b" GB", b" TB", b" PB", b" EB"].into_iter();
    let mut name = units.next().unwrap_or(b" kB");
    // 999.95 is where one decimal would round up to four digits.
    while bytes >= unit / 20 * 19_999
        && let Some(next) = units.next()
    {
        (unit, name) = (unit * 1000, next);
    }
    let tenths = (bytes * 10 + unit / 2) / unit;
    text.push(name);
    text.push(&[b'.', b'0' + (tenths % 10) as u8]);
    text.push_decimal((tenths / 10) as u64);
    text
}

impl Short {
    fn new() -> Short {
        let bytes = [0; 24];
        let start = bytes.len();
        Short { bytes, start }
    }

    /// Puts `text` before what is there.
    fn push(&mut self, text: &[u8]) {
        let end = self.start;
        self.start -= text.len();
        self.bytes[self.start..end].copy_from_slice(text);
    }

    fn push_decimal(&mut self, mut number: u64) {
        loop {
            self.start -= 1;
            self.bytes[self.start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return;
            }
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("it is ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 9, 10, 1234, u64::MAX] {
            assert_eq!(decimal(number).as_str(), number.to_string());
        }
    }

    #[test]
    fn sizes_are_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1234, "1.2 kB"),
            (34_000_000, "34.0 MB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (5_368_709_120, "5.4 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes).as_str(), text);
        }
    }
}
