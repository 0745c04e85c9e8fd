//! The flags for who may ask, and under which user the server runs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, directory, secret};
use crate::middleware::auth::User;
use crate::middleware::host_guard::HostName;

/// Who may ask, and under which user the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessFlags {
    /// Ask for a name and a password; `sockeye hash` makes a HASH, without one the password is asked for at the start
    #[arg(long, value_name = "USER[:HASH]")]
    pub auth: Vec<String>,

    /// The same, with a line USER:HASH for each, as htpasswd -B writes it
    #[arg(long, value_name = "FILE")]
    pub auth_file: Option<PathBuf>,

    /// Answer requests addressed to these too
    #[arg(long, value_name = "NAME")]
    #[arg(
        help = "Answer requests addressed to NAME too: name, .domain, address, [IPv6], *; may be repeated"
    )]
    pub allow_host: Vec<HostName>,

    /// Become this user once the port is bound
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

impl AccessFlags {
    /// Whether a name and a password are asked for.
    pub fn is_private(&self) -> bool {
        !self.auth.is_empty() || self.auth_file.is_some()
    }

    /// The users who may ask; empty if everyone may. `root` is what is served. May ask for a password at the terminal.
    ///
    /// # Errors
    ///
    /// What is wrong with a user, or with the file that holds them.
    pub fn users(&self, root: &Path) -> Result<Vec<User>, Exit> {
        let mut users = self
            .auth
            .iter()
            .map(|text| user(text))
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(file) = &self.auth_file {
            users.extend(users_in(file, root)?);
        }
        Ok(users)
    }
}

fn user(text: &str) -> Result<User, Exit> {
    if text.trim().is_empty() {
        return Err(Exit::usage(
            "--auth names nobody\n  say --auth USER to be asked for the password, or --auth 'USER:HASH'",
        ));
    }
    let Some((name, _)) = text.split_once(':') else {
        return match secret::ask(&format!("password for {text}: ")) {
            Ok(password) => User::with_password(text, &password).map_err(Exit::usage),
            Err(_) => Err(Exit::usage(format!(
                "there is no terminal to ask for the password of `{text}`\n  `sockeye hash` makes a hash; say --auth '{text}:HASH'"
            ))),
        };
    };
    text.parse().map_err(|error| {
        Exit::usage(format!(
            "the value of --auth is not used: {error}\n  a password on the command line can be read by every program; \
             `sockeye hash` makes a hash of it: --auth '{name}:HASH', in single quotes"
        ))
    })
}

fn users_in(file: &Path, root: &Path) -> Result<Vec<User>, Exit> {
    let shown = directory::shown(file);
    let text = fs::read_to_string(file)
        .map_err(|error| Exit::usage(format!("cannot read `{shown}` of --auth-file: {error}")))?;
    if directory::holds(root, file) {
        return Err(Exit::usage(format!(
            "`{shown}` of --auth-file lies in the directory that is served\n  put it beside the directory, so that nobody can fetch it"
        )));
    }
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let users = lines.map(|(number, line)| {
        line.parse().map_err(|error| {
            Exit::usage(format!("line {number} of `{shown}`: {error}\n  htpasswd -B and `sockeye hash` write such lines"))
        })
    });
    let users: Vec<User> = users.collect::<Result<_, _>>()?;
    match users.is_empty() {
        true => Err(Exit::usage(format!(
            "`{shown}` of --auth-file names nobody\n  each line is USER:HASH"
        ))),
        false => Ok(users),
    }
}
