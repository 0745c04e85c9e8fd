//! What each flag makes of answers, through the command as it is built.

mod access;
mod by_hand;
mod command;
mod explain;
mod files;
mod log;
mod missing;
mod responses;

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::program::Program;
use crate::support::Answer;

/// `public/` with files of these paths, and the place it lies in.
fn place(files: &[(&str, &str)]) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("public")).unwrap();
    for (path, text) in files {
        let path = place.path().join("public").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

fn start(place: &TempDir, arguments: &[&str]) -> Program {
    Program::start(&place.path().join("public"), arguments)
}

/// Asks for `path` with these fields.
fn get(program: &Program, path: &str, fields: &[(&str, &str)]) -> Answer {
    send(program, &format!("GET {path}"), fields)
}

fn send(program: &Program, request: &str, fields: &[(&str, &str)]) -> Answer {
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut client = program.connect();
    client.say(format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
    ));
    client.hear()
}

/// Every value of a field.
fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let fields = answer.head.lines().filter_map(|line| line.split_once(": "));
    let named = fields.filter(|(other, _)| other.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value).collect()
}

/// Runs the command, which is to end by itself.
fn run(arguments: &[&str], stdin: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockeye"));
    command
        .args(arguments)
        .env_remove("PORT")
        .env_remove("HOST");
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// What it says when it refuses these arguments, with exit code 2.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments, "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    said
}

const HTML: (&str, &str) = ("Accept", "text/html");
