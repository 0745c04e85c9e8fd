//! Reads a transcript; the format is described in the parent.

use sockeye::wire::Limits;

/// One dialog between a client and the server.
#[derive(Debug, Default)]
pub(super) struct Dialog {
    pub(super) limits: Limits,
    pub(super) as_it_comes: bool,
    pub(super) whole: bool,
    pub(super) steps: Vec<Step>,
}

/// What happens next in a dialog.
#[derive(Debug)]
pub(super) enum Step {
    Say(Vec<u8>),
    CloseOneSide,
    FallSilent,
    FindNoRoom,
    Hear(Vec<Piece>),
    Closed,
    Drained,
}

/// A part of what must be heard.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Exactly(Vec<u8>),
    /// Whatever comes, up to a blank line.
    Any,
}

impl Dialog {
    /// The length of the longest thing the client says at once.
    pub(super) fn longest_saying(&self) -> usize {
        let lengths = self.steps.iter().map(|step| match step {
            Step::Say(bytes) => bytes.len(),
            _ => 0,
        });
        lengths.max().unwrap_or(0)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        match line.split_at_checked(2).unwrap_or((line, "")) {
            ("", "") | ("# ", _) => {}
            ("@ ", setting) => self.set(setting)?,
            (">=", " closes its side") => self.steps.push(Step::CloseOneSide),
            (">=", " finds no room") => self.steps.push(Step::FindNoRoom),
            (">=", " falls silent") => self.steps.push(Step::FallSilent),
            ("<=", " closed") => self.steps.push(Step::Closed),
            ("<=", " drained") => self.steps.push(Step::Drained),
            ("> " | ">", text) => {
                let said = self.said();
                match repetition(text) {
                    Some(times) => *said = said.repeat(times),
                    None => said.extend(unescape(text, true)?),
                }
            }
            ("< " | "<", text) => {
                let heard = self.heard();
                match repetition(text) {
                    Some(times) => {
                        let once = heard.clone();
                        heard.extend(vec![once; times - 1].into_iter().flatten());
                    }
                    None if text == "…" => heard.push(Piece::Any),
                    None => heard.push(Piece::Exactly(unescape(text, true)?)),
                }
            }
            _ => return Err("this is no line of a transcript".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, setting: &str) -> Result<(), String> {
        let (name, value) = setting.split_once(' ').unwrap_or((setting, "0"));
        let value = value
            .parse()
            .map_err(|error| format!("{value:?}: {error}"))?;
        match name {
            "as-it-comes" => self.as_it_comes = true,
            "whole" => self.whole = true,
            "request-line-bytes-max" => self.limits.request_line_bytes_max = value,
            "head-bytes-max" => self.limits.head_bytes_max = value,
            "body-bytes-max" => self.limits.body_bytes_max = value,
            _ => return Err(format!("there is no setting {name:?}")),
        }
        Ok(())
    }

    /// What is being said, to be continued.
    fn said(&mut self) -> &mut Vec<u8> {
        if !matches!(self.steps.last(), Some(Step::Say(_))) {
            self.steps.push(Step::Say(Vec::new()));
        }
        match self.steps.last_mut() {
            Some(Step::Say(said)) => said,
            _ => unreachable!("the last step was made to be this one"),
        }
    }

    /// What is being heard, to be continued.
    fn heard(&mut self) -> &mut Vec<Piece> {
        if !matches!(self.steps.last(), Some(Step::Hear(_))) {
            self.steps.push(Step::Hear(Vec::new()));
        }
        match self.steps.last_mut() {
            Some(Step::Hear(heard)) => heard,
            _ => unreachable!("the last step was made to be this one"),
        }
    }
}

/// All dialogs in a transcript, or the line that is none and why.
pub(super) fn read(text: &str) -> Result<Vec<Dialog>, String> {
    if !text.starts_with("# ") {
        return Err("1: a transcript begins with `# ` and its reason".to_owned());
    }
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
    let groups: Vec<_> = lines
        .chunk_by(|a, b| is_alternative(a.1) && a.1.get(..2) == b.1.get(..2))
        .collect();
    let sizes = groups
        .iter()
        .filter(|group| is_alternative(group[0].1))
        .map(|group| group.len());
    let readings = sizes.clone().max().unwrap_or(1);
    if sizes.clone().any(|size| size != readings) {
        return Err("1: all groups of alternatives must have as many lines".to_owned());
    }
    let mut dialogs = Vec::new();
    for reading in 0..readings {
        let mut dialog = Dialog::default();
        for group in &groups {
            let is_alternative = is_alternative(group[0].1);
            let (number, line) = if is_alternative {
                group[reading]
            } else {
                group[0]
            };
            let line = if is_alternative {
                line.replacen('|', "", 1)
            } else {
                line.to_owned()
            };
            dialog
                .take(&line)
                .map_err(|error| format!("{number}: {error}: {line}"))?;
        }
        dialogs.push(dialog);
    }
    Ok(dialogs)
}

fn is_alternative(line: &str) -> bool {
    line.starts_with(">|") || line.starts_with("<|")
}

/// 50 of `… (×50)`.
fn repetition(text: &str) -> Option<usize> {
    text.strip_prefix("… (×")?.strip_suffix(')')?.parse().ok()
}

/// The bytes that a text stands for; with CRLF behind them if it is a line and does not end in `\`.
fn unescape(mut text: &str, is_line: bool) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some((plain, escape)) = text.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let Some(letter) = escape.chars().next() else {
            return Ok(bytes);
        };
        text = &escape[letter.len_utf8()..];
        match letter {
            'r' => bytes.push(b'\r'),
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            '\\' => bytes.push(b'\\'),
            'x' => {
                let digits = text.get(..2).unwrap_or("");
                let byte = u8::from_str_radix(digits, 16).map_err(|error| error.to_string())?;
                bytes.push(byte);
                text = &text[2..];
            }
            '{' => {
                let (repeated, rest) = text.split_once('}').ok_or("`\\{` without `}`")?;
                let (piece, times) = repeated.rsplit_once('×').ok_or("`\\{` without `×`")?;
                let times: usize = times.parse().map_err(|_| "`\\{…×` without a number")?;
                bytes.extend(unescape(piece, false)?.repeat(times));
                text = rest;
            }
            _ => return Err(format!("`\\{letter}` is no escape")),
        }
    }
    bytes.extend_from_slice(text.as_bytes());
    if is_line {
        bytes.extend_from_slice(b"\r\n");
    }
    Ok(bytes)
}
