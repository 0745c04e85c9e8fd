//! A password, typed at a terminal that does not show it.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Asks for a line on stdin, which must be a terminal, without showing what is typed.
///
/// # Errors
///
/// If it is none, or ends.
pub(super) fn ask(prompt: &str) -> io::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let shown = tcgetattr(&stdin)?;
    let mut quiet = shown.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    quiet.local_modes.insert(LocalModes::ECHONL);
    // Flush: what was typed before the prompt does not belong to the password.
    tcsetattr(&stdin, OptionalActions::Flush, &quiet)?;
    let line = io::stderr()
        .write_all(prompt.as_bytes())
        .and_then(|()| line());
    tcsetattr(&stdin, OptionalActions::Now, &shown)?;
    line
}

/// The next line of stdin, without its end.
///
/// # Errors
///
/// If there is none.
pub(super) fn line() -> io::Result<String> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
