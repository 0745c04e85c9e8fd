//! The printing. An output that is closed or full loses the message and nothing else: `println!` would panic.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Exit;
use super::directory::shown;

/// What is printed when the server is ready.
#[derive(Debug, Clone, Default)]
pub struct Greeting {
    /// Where it is reached, the best way first.
    pub urls: Vec<String>,
    /// What it serves.
    pub directory: PathBuf,
    /// Why it serves that, if no directory was named.
    pub why: Option<&'static str>,
    /// The flags that are set.
    pub set_flags: Vec<String>,
    /// What was decided without being asked for.
    pub notes: Vec<String>,
    /// Whether only this machine can reach it.
    pub is_local: bool,
}

/// Says why it is over, and gives `main` its exit code.
pub fn leave(exit: &Exit) -> ExitCode {
    if exit.code == 0 {
        print(io::stdout(), &format!("{}\n", exit.text));
    } else {
        print(io::stderr(), &format!("sockeye: {}\n", exit.text));
    }
    ExitCode::from(exit.code)
}

/// Says that the server is ready: on a terminal a short banner; otherwise the URL alone on stdout, for a script to
/// read, and the rest in the log.
pub fn greet(greeting: &Greeting) {
    if io::stdout().is_terminal() {
        print(io::stdout(), &banner(greeting, wants_colour()));
    } else {
        for remark in remarks(greeting) {
            // Not to stderr itself, which may have stalled.
            tracing::info!(target: "sockeye", "{remark}");
        }
        print(io::stdout(), &first_url(greeting));
    }
}

/// Opens the browser at `path` of the first URL. Returns a sentence if that fails.
pub fn open(urls: &[String], path: &str) -> Option<String> {
    let url = format!("{}{}", urls.first()?, path.trim_start_matches('/'));
    match open::that_detached(&url) {
        Ok(()) => None,
        Err(_) => Some(format!("found no browser to open {url} in")),
    }
}

/// Whether lines on stderr shall be coloured: on a terminal that can, unless `NO_COLOR` is set (no-color.org).
pub fn colours_log() -> bool {
    io::stderr().is_terminal() && wants_colour()
}

/// Where the log goes: stderr through a descriptor of its own, so that a write that stalls there holds no lock that
/// another thread needs.
pub fn log_output() -> Box<dyn Write + Send> {
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(File::from(descriptor)),
        Err(_) => Box::new(io::stderr()),
    }
}

fn wants_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

fn print(mut output: impl Write, text: &str) {
    // The terminal is gone, and there is no other output.
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

fn banner(greeting: &Greeting, colour: bool) -> String {
    let (bold, end) = if colour {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut text = format!("{bold}sockeye{end} {}\n\n", serves(greeting));
    for (position, url) in greeting.urls.iter().enumerate() {
        match position {
            0 => text += &format!("  {bold}{url}{end}\n"),
            _ => text += &format!("  {url}\n"),
        }
    }
    text += "\n";
    for note in &greeting.notes {
        text += &format!("  {note}\n");
    }
    text + match greeting.is_local {
        true => "  Ctrl-C stops; --host lets other machines in\n\n",
        false => "  Ctrl-C stops\n\n",
    }
}

/// `serves ./public (no directory was named) with --spa, --cors`
fn serves(greeting: &Greeting) -> String {
    let mut text = format!("serves {}", shown(&greeting.directory));
    if let Some(why) = greeting.why {
        text += &format!(" ({why})");
    }
    if !greeting.set_flags.is_empty() {
        text += &format!(" with {}", greeting.set_flags.join(", "));
    }
    text
}

fn remarks(greeting: &Greeting) -> impl Iterator<Item = String> {
    let others = greeting
        .urls
        .iter()
        .skip(1)
        .map(|url| format!("also at {url}"));
    let notes = greeting.notes.iter().cloned();
    std::iter::once(serves(greeting)).chain(notes).chain(others)
}

fn first_url(greeting: &Greeting) -> String {
    greeting
        .urls
        .first()
        .map_or(String::new(), |url| format!("{url}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting() -> Greeting {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Greeting {
            urls: owned(&["http://localhost:8081/", "http://192.0.2.7:8081/"]),
            directory: PathBuf::from("./public"),
            why: Some("no directory was named"),
            set_flags: owned(&["--spa", "--cors (from SOCKEYE_CORS)"]),
            notes: owned(&["port 8080 is taken; using 8081 instead"]),
            is_local: true,
        }
    }

    #[test]
    fn a_terminal_gets_a_short_banner() {
        let plain = "sockeye serves ./public (no directory was named) with --spa, --cors (from SOCKEYE_CORS)\n\n  \
                         http://localhost:8081/\n  http://192.0.2.7:8081/\n\n  port 8080 is taken; using 8081 instead\n  \
                         Ctrl-C stops; --host lets other machines in\n\n";
        assert_eq!(banner(&greeting(), false), plain);
        assert!(banner(&greeting(), true).contains("\x1b[1mhttp://localhost:8081/\x1b[0m"));
    }

    #[test]
    fn a_script_gets_one_line_and_the_rest_goes_to_the_log() {
        assert_eq!(first_url(&greeting()), "http://localhost:8081/\n");
        let rest = [
            "serves ./public (no directory was named) with --spa, --cors (from SOCKEYE_CORS)",
            "port 8080 is taken; using 8081 instead",
            "also at http://192.0.2.7:8081/",
        ];
        assert!(remarks(&greeting()).eq(rest));
    }

    #[test]
    fn an_output_that_fails_is_survived() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        print(Closed, "lost");
    }
}
