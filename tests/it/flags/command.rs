//! What the command does besides serving.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{get, place, run};
use crate::program::Program;
use crate::support::until;

#[test]
fn open_starts_the_browser_at_the_url() {
    let place = place(&[("a.txt", "a")]);
    let (programs, opened) = (place.path().join("programs"), place.path().join("opened"));
    fs::create_dir(&programs).unwrap();
    let script = programs.join("xdg-open");
    fs::write(
        &script,
        format!(
            "#!/bin/sh\necho \"$1\" > {0}.part && /bin/mv {0}.part {0}\n",
            opened.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let program = Program::start_with(
        &place.path().join("public"),
        &["--open=/a.txt"],
        |command| {
            command
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .env("PATH", &programs);
        },
    );
    until("the browser is opened", || opened.exists());
    let url = fs::read_to_string(&opened).unwrap();
    assert_eq!(
        url.trim_end(),
        format!("http://localhost:{}/a.txt", program.address().port())
    );
    assert_eq!(get(&program, "/a.txt", &[]).text(), "a");
}

#[test]
fn completions_and_the_manual_page_know_every_flag() {
    let help = String::from_utf8(run(&["--help"], "").stdout).unwrap();
    let lines = help
        .lines()
        .filter(|line| line.trim_start().starts_with('-'));
    let words =
        lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    let flags: Vec<&str> = words
        .map(|word| word.split(['[', '=']).next().unwrap())
        .collect();
    assert!(flags.len() > 20, "{flags:?}");
    let man = run(&["man"], "");
    let man = String::from_utf8(man.stdout).unwrap().replace("\\-", "-");
    assert!(
        man.starts_with(".ie") && man.contains(".TH sockeye"),
        "{man}"
    );
    for flag in &flags {
        assert!(man.contains(flag), "{flag} in the manual page");
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell], "");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(
            text.contains("sockeye") && text.contains("allow-host"),
            "{shell}"
        );
    }
}

#[test]
fn hash_reads_the_password_from_a_terminal_that_does_not_show_it() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new())
        .unwrap()
        .into_string()
        .unwrap();
    let side = File::options().read(true).write(true).open(name).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockeye"));
    let command = command.arg("hash").stdin(side.try_clone().unwrap());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut terminal = File::from(terminal);
    for question in ["password: ", "again: "] {
        let mut asked = vec![0; question.len()];
        stderr.read_exact(&mut asked).unwrap();
        assert_eq!(asked, question.as_bytes());
        terminal.write_all(b"secret\n").unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && hash.starts_with("$2"), "{hash}");
    // What the terminal showed: the ends of the two lines.
    let mut shown = [0; 4];
    terminal.read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"\r\n\r\n");
}
