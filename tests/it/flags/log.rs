//! Where the lines about requests go, and what they look like.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;

use super::{get, place, refused, start};
use crate::program::{Program, command};
use crate::support::until;

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A request that has its line in the file `log`.
fn logged(program: &Program, path: &str, log: &Path) {
    assert_eq!(get(program, path, &[]).status, 200, "{path}");
    let line = format!("GET {path} HTTP/1.1\" 200 ");
    until("the line is written", || text(log).contains(&line));
}

#[test]
fn a_line_has_the_format_that_was_asked_for() {
    let place = place(&[("a.txt", "abc")]);
    for (format, beginning, end) in [
        ("pretty", "200 GET /a.txt", "ms\n"),
        (
            "common",
            "127.0.0.1 - - [",
            "] \"GET /a.txt HTTP/1.1\" 200 3\n",
        ),
        (
            "combined",
            "127.0.0.1 - - [",
            " 200 3 \"http://a.test/\" \"me\"\n",
        ),
        ("json", "{\"", "}\n"),
    ] {
        let program = Program::start_with(
            &place.path().join("public"),
            &["--log-format", format],
            |command| {
                command.stdin(Stdio::null()).stderr(Stdio::piped());
            },
        );
        let fields = [("Referer", "http://a.test/"), ("User-Agent", "me")];
        assert_eq!(get(&program, "/a.txt", &fields).text(), "abc");
        program.signal(Signal::TERM);
        let said = program.wait().1;
        let mut lines = said
            .split_inclusive('\n')
            .filter(|line| line.contains("/a.txt"));
        let line = lines.next().unwrap_or_else(|| panic!("{format}: {said}"));
        assert!(line.starts_with(beginning) && line.ends_with(end), "{line}");
        assert_eq!(lines.next(), None, "{said}");
    }
    assert!(refused(&["--log-format", "xml"]).contains("pretty, common, combined or json"));
    assert!(refused(&["-q", "--log-file", "a"]).contains("cannot be used with"));
}

#[test]
fn a_log_that_is_renamed_is_made_anew_at_the_signal_and_loses_nothing() {
    let place = place(&[("a.txt", "a"), ("b.txt", "b"), ("c.txt", "c")]);
    let logs = place.path().join("logs/of/it");
    fs::create_dir_all(&logs).unwrap();
    let (log, old) = (logs.join("access.log"), logs.join("access.log.1"));
    fs::write(&log, "from before\n").unwrap();
    let program = Program::start_with(
        &place.path().join("public"),
        &["--log-file", log.to_str().unwrap()],
        |command| {
            command.stdin(Stdio::null()).stderr(Stdio::piped());
        },
    );
    logged(&program, "/a.txt", &log);
    fs::rename(&log, &old).unwrap();
    logged(&program, "/b.txt", &old);
    program.signal(Signal::USR1);
    until("the log is made anew", || log.exists());
    logged(&program, "/c.txt", &log);

    let line = |path: &str| format!("\"GET {path} HTTP/1.1\" 200 1 \"-\" \"-\"\n");
    let (before, after) = (text(&old), text(&log));
    assert!(
        before.starts_with("from before\n127.0.0.1 - - ["),
        "{before}"
    );
    assert_eq!(before.lines().count(), 3, "{before}");
    assert!(before.contains(&line("/a.txt")) && before.ends_with(&line("/b.txt")));
    assert_eq!(after.lines().count(), 1, "{after}");
    assert!(after.ends_with(&line("/c.txt")), "{after}");

    // Where it cannot be made anew, it goes on where it is, and that is said.
    fs::rename(&logs, place.path().join("moved")).unwrap();
    program.signal(Signal::USR1);
    let mut program = program;
    let said = program.hear_until("cannot open the log again, so it goes on where it was");
    assert!(!said.contains("/a.txt"), "requests have the file: {said}");
    logged(&program, "/b.txt", &place.path().join("moved/access.log"));
    program.signal(Signal::TERM);
    assert_eq!(program.wait().0, Some(0));
}

#[test]
fn a_log_is_found_through_a_link_and_may_be_no_file_at_all() {
    let place = place(&[("a.txt", "a")]);
    for name in ["here", "there"] {
        fs::create_dir(place.path().join(name)).unwrap();
    }
    let (link, real) = (
        place.path().join("here/log"),
        place.path().join("there/log"),
    );
    fs::write(&real, "").unwrap();
    symlink(&real, &link).unwrap();
    let program = start(&place, &["--log-file", link.to_str().unwrap()]);
    logged(&program, "/a.txt", &real);
    program.signal(Signal::USR1);
    logged(&program, "/a.txt?again", &real);
    for device in ["/dev/null", "/dev/stderr"] {
        let program = start(&place, &["--log-file", device]);
        program.signal(Signal::USR1);
        assert_eq!(get(&program, "/a.txt", &[]).status, 200);
    }
}

#[test]
fn without_a_file_the_signal_that_rotates_logs_changes_nothing() {
    let place = place(&[("a.txt", "a")]);
    let program = start(&place, &[]);
    for _ in 0..5 {
        program.signal(Signal::USR1);
        assert_eq!(get(&program, "/a.txt", &[]).status, 200);
    }
}

#[test]
fn a_log_that_cannot_be_written_or_would_be_served_is_refused_with_a_sentence() {
    let place = place(&[("a.txt", "a")]);
    let public = place.path().join("public");
    let missing = place.path().join("no/such/log");
    symlink(&public, place.path().join("link")).unwrap();
    let pipe = place.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    for (log, sentence) in [
        (pipe, "a pipe needs its reader first"),
        (missing, "of --log-file: No such file or directory"),
        (place.path().to_owned(), "of --log-file: Is a directory"),
        (public.join("log"), "put it beside the directory"),
        (place.path().join("link/log"), "put it beside the directory"),
    ] {
        let arguments = [
            public.to_str().unwrap(),
            "--port=0",
            "--log-file",
            log.to_str().unwrap(),
        ];
        let said = refused(&arguments);
        assert!(said.contains(sentence), "{said}");
        assert!(!log.is_file());
    }
}

#[test]
fn a_second_log_counts_in_the_memory_that_is_printed() {
    let place = place(&[]);
    let printed = |arguments: &[&str]| {
        let mut command = command(&place.path().join("public"), arguments);
        let output = command
            .args([
                "--print-limits",
                "--threads=1",
                "--cache-bytes=0",
                "--max-connections=1",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let row = text.lines().find(|row| row.starts_with("Memory at most"));
        let row = row.unwrap_or_else(|| panic!("{text}"));
        let parts = row.split_whitespace().collect::<Vec<_>>();
        parts[3].parse::<f64>().unwrap_or_else(|_| panic!("{row}"))
    };
    let more = printed(&["--log-file", "a"]) - printed(&[]);
    assert!((3.5..4.5).contains(&more), "{more} MiB");
}

#[test]
fn another_user_writes_the_log_where_this_user_may() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let place = place(&[("a.txt", "a")]);
    let logs = place.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let (log, old) = (logs.join("log"), logs.join("log.1"));
    let arguments = ["--user=nobody", "--log-file", log.to_str().unwrap()];
    let public = place.path().join("public");
    let output = command(&public, &arguments)
        .arg("--port=0")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("of --log-file: Permission denied"), "{said}");
    assert_eq!(output.status.code(), Some(2));

    fs::set_permissions(&logs, Permissions::from_mode(0o777)).unwrap();
    let program = start(&place, &arguments);
    logged(&program, "/a.txt", &log);
    fs::rename(&log, &old).unwrap();
    program.signal(Signal::USR1);
    until("the log is made anew", || log.exists());
    logged(&program, "/a.txt?again", &log);
}
