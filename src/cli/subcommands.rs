//! What the command does instead of serving: completions, the manual page, the hash of a password.

use std::io::{self, IsTerminal, Write};

use clap_complete::Shell;

use super::{Exit, secret};
use crate::middleware::auth;

/// What to do instead of serving.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// Hash a password for --auth, typed at the terminal or read from stdin
    Hash,
}

impl Subcommand {
    /// What is to be printed. Every way it ends is an [`Exit`].
    pub(super) fn run(&self, mut command: clap::Command) -> Exit {
        let mut text = Vec::new();
        match self {
            Subcommand::Completions { shell } => {
                clap_complete::generate(*shell, &mut command, "sockeye", &mut text)
            }
            Subcommand::Man => {
                if let Err(error) = manual(command, &mut text) {
                    return Exit::failed(format!("cannot write the manual page: {error}"));
                }
            }
            Subcommand::Hash => return hash(),
        }
        let text = String::from_utf8_lossy(&text);
        Exit::done(text.trim_end())
    }
}

/// The manual page. clap_mangen would fill what stands below the help as one paragraph, examples and all.
fn manual(command: clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let below = command.get_after_help().map(ToString::to_string);
    let command = command.after_help(None).mut_args(with_aliases);
    clap_mangen::Man::new(command).render(page)?;
    for line in below.unwrap_or_default().replace('-', "\\-").lines() {
        match line.trim().split_once("  ") {
            Some((typed, meaning)) => writeln!(page, ".TP\n.B {typed}\n{}", meaning.trim())?,
            None if line == "Examples:" => writeln!(page, ".SH EXAMPLES")?,
            None if line.is_empty() => writeln!(page, ".SH NOTES")?,
            None => writeln!(page, ".PP\n{line}")?,
        }
    }
    Ok(())
}

/// Names the visible aliases of a flag in its help, as `--help` does by itself and the manual page does not.
fn with_aliases(flag: clap::Arg) -> clap::Arg {
    let aliases = flag.get_visible_aliases().unwrap_or_default();
    let names: Vec<String> = aliases.iter().map(|name| format!("--{name}")).collect();
    match flag.get_help() {
        Some(help) if !names.is_empty() => {
            let help = format!("{help} [alias: {}]", names.join(", "));
            flag.help(help)
        }
        _ => flag,
    }
}

fn hash() -> Exit {
    let word = match io::stdin().is_terminal() {
        false => secret::line(),
        true => secret::ask("password: ").and_then(|word| match secret::ask("again: ")? == word {
            true => Ok(word),
            false => Err(io::Error::other("the two are not the same")),
        }),
    };
    match word
        .map_err(|error| error.to_string())
        .and_then(|word| auth::hash(&word))
    {
        Ok(hash) => Exit::done(hash),
        Err(error) => Exit::usage(format!("no hash: {error}")),
    }
}
