//! The command as a person or a script meets it.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use crate::program::Program;

fn sockeye(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockeye"));
    command.args(arguments).stdin(Stdio::null());
    // Whoever runs the tests may have them.
    command.env_remove("PORT").env_remove("HOST");
    command
}

fn run(arguments: &[&str], here: &Path) -> (Option<i32>, String, String) {
    let output: Output = sockeye(arguments).current_dir(here).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn help_and_version_go_to_stdout_and_exit_0() {
    let here = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(&["--help"], here.path());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("--port"));
    let version = format!("sockeye {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["-V"], here.path()), (Some(0), version, String::new()));
}

#[test]
fn the_limits_are_printed_without_serving() {
    let here = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(&["--print-limits", "--head-timeout", "2.5"], here.path());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("2.5 s  --head-timeout"), "{stdout}");
    let memory = |stdout: &str| stdout.lines().last().unwrap_or_default().to_owned();
    assert!(memory(&stdout).starts_with("Memory at most"), "{stdout}");
    let (_, explained, _) = run(&["--print-limits", "--explain"], here.path());
    assert_ne!(memory(&explained), memory(&stdout), "heads are kept");
    let ends = stdout.lines().filter_map(|line| line.find("  --"));
    let ends: std::collections::BTreeSet<usize> = ends.collect();
    assert_eq!(ends.len(), 1, "one column of limits: {stdout}");
}

#[test]
fn every_flag_has_a_variable_and_beats_it() {
    let limits = |arguments: &[&str]| {
        let mut command = sockeye(arguments);
        command
            .args(["--print-limits"])
            .env("SOCKEYE_HEAD_TIMEOUT", "2.5");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(limits(&[]).contains("2.5 s  --head-timeout"));
    assert!(limits(&["--head-timeout", "3"]).contains("  3 s  --head-timeout"));

    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join(".dot"), "dot").unwrap();
    for (value, status) in [
        ("1", 200),
        ("yes", 200),
        ("On", 200),
        ("TRUE", 200),
        ("0", 404),
        ("no", 404),
        ("off", 404),
        ("", 404),
    ] {
        let program = Program::start_with(here.path(), &[], |command| {
            command.stderr(Stdio::null()).env("SOCKEYE_HIDDEN", value);
        });
        assert_eq!(program.ask("GET /.dot").status, status, "{value:?}");
    }

    let output = sockeye(&[])
        .env("SOCKEYE_THREADS", "many")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("'many' for '--threads <N>'"), "{stderr}");
}

/// The flags in the help, by what follows them: a value, and none.
fn flags() -> [Vec<String>; 2] {
    let help = run(&["--help"], Path::new(".")).1;
    let lines = help
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'));
    let words = lines.filter_map(|line| line.split("  ").next()?.split(", ").last());
    let flags = words.filter(|flag| !["--help", "--version"].contains(flag));
    let (values, switches): (Vec<&str>, Vec<&str>) =
        flags.partition(|flag| flag.contains(['<', '[']));
    assert!(values.len() > 20 && switches.len() > 10, "{help}");
    let name = |flag: &str| flag.split([' ', '[', '=']).next().unwrap().to_owned();
    [values, switches].map(|flags| flags.into_iter().map(name).collect())
}

#[test]
fn a_variable_for_a_flag_without_a_value_is_true_or_false() {
    let [_, switches] = flags();
    for flag in switches {
        let variable = format!("SOCKEYE_{}", flag[2..].replace('-', "_").to_uppercase());
        let output = sockeye(&["--port=0", "/no/such"])
            .env(&variable, "maybe")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}: {said}");
        let sentence = format!("the variable {variable} is true or false");
        assert!(said.contains(&sentence), "{variable}: {said}");
        let output = sockeye(&["--port=0", "/no/such"])
            .env(&variable, "off")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4), "{variable}");
    }
}

#[test]
fn a_number_below_zero_ends_with_a_sentence_about_the_number() {
    let here = tempfile::tempdir().unwrap();
    for (flag, sentence) in [
        ("--threads", "a whole number from 1 to 1024"),
        ("--max-connections", "a whole number from 1 to 1000000"),
        ("--port", "a port from 0 to 65535"),
        ("-p", "a port from 0 to 65535"),
        ("--max-body", "expected bytes"),
        ("--cache-bytes", "expected bytes"),
        ("--head-timeout", "expected seconds"),
        ("--body-timeout", "expected seconds"),
        ("--write-timeout", "expected seconds"),
        ("--idle-timeout", "expected seconds"),
        ("--grace", "expected seconds"),
        ("--cache", "expected no-cache, off, auto"),
    ] {
        let (code, _, said) = run(&[flag, "-1"], here.path());
        assert_eq!(code, Some(2), "{flag}: {said}");
        assert!(said.contains(sentence), "{flag}: {said}");
    }
}

#[test]
fn every_flag_stands_in_the_manual_page_and_in_a_test_of_the_command() {
    let here = tempfile::tempdir().unwrap();
    let man = run(&["man"], here.path()).1.replace("\\-", "-");
    let help = run(&["--help"], here.path()).1;
    let mut tests = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => tests += &std::fs::read_to_string(path).unwrap(),
            }
        }
    }
    for flag in flags().iter().flatten() {
        let is_in = |text: &str| {
            let after = text
                .match_indices(flag)
                .map(|(at, _)| &text[at + flag.len()..]);
            let mut ends =
                after.map(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'));
            ends.any(|end| end)
        };
        assert!(is_in(&man), "{flag} in the manual page");
        assert!(is_in(&tests), "{flag} in a test");
    }
    let aliases = help.split("[alias: ").skip(1);
    let aliases: Vec<&str> = aliases.filter_map(|rest| rest.split(']').next()).collect();
    assert!(aliases.contains(&"--bind"), "{help}");
    for alias in aliases {
        assert!(man.contains(alias), "{alias} in the manual page");
    }
    let example = ".TP\n.B sockeye dist --spa --open\na single-page application, in the browser\n";
    assert!(man.contains(example), "{man}");
}

#[test]
fn what_fingers_know_from_other_servers_is_answered_with_what_to_do() {
    let here = tempfile::tempdir().unwrap();
    for (argument, word) in [
        ("--single", "`--spa`"),
        ("-s", "`--spa`"),
        ("--fallback=index.html", "`--spa`"),
        ("--history", "`--spa`"),
        ("--historyApiFallback", "`--spa`"),
        ("--cors-allow-origin=*", "`--cors`"),
        ("--dir", "sockeye DIR"),
        ("--addr", "`--host "),
        ("--gzip", "`--compress`"),
        ("--brotli", "`--compress`"),
        ("--ssl", "no TLS"),
        ("--tls", "no TLS"),
        ("--cert=a.pem", "no TLS"),
        ("-S", "no TLS"),
        ("--watch", "reload"),
        ("--livereload", "reload"),
        ("--live-reload", "reload"),
        ("--upload-files", "no uploads"),
        ("-u", "no uploads"),
        ("--404", "the nearest 404.html"),
        ("--daemon", "a service manager"),
        ("--no-dotfiles", "`--hidden`"),
        ("--strictPort", "`--port`"),
        ("-c-1", "`--cache`"),
        ("--proxy", "no proxy"),
        ("--prefix", "`--base "),
        ("--browse", "`--no-listing`"),
        ("--password", "`--auth "),
        ("--prot", "did you mean `--port`?"),
        ("--compres", "did you mean `--compress`?"),
        ("--log", "did you mean `--log-format` or `--log-file`?"),
        ("--clean_urls", "did you mean `--clean-urls`?"),
        ("--frobnicate", "`sockeye --help` lists the flags"),
        ("--zz", "`sockeye --help` lists the flags"),
    ] {
        let (code, _, said) = run(&[argument], here.path());
        assert_eq!(code, Some(2), "{argument}: {said}");
        let name = argument.split(['=', '1']).next().unwrap();
        let name = if name.starts_with("--") {
            name
        } else {
            &name[..2]
        };
        assert!(
            said.contains(&format!("unexpected argument `{name}`")),
            "{said}"
        );
        assert!(said.contains(word), "{argument}: {said}");
        // After a directory, too.
        let (_, _, again) = run(&[".", argument], here.path());
        assert_eq!(said, again);
    }
    let (_, _, said) = run(&["-port", "80"], here.path());
    assert!(
        said.contains("`-port` begins with one dash\n  did you mean `--port`?"),
        "{said}"
    );
    // A value after a blank would be a directory.
    let (code, _, said) = run(&["dist", "--spa", "200.html"], here.path());
    assert_eq!(code, Some(2));
    assert!(said.contains("`--spa=200.html`"), "{said}");
}

#[test]
fn port_and_host_of_the_environment_are_honoured_and_said() {
    let here = tempfile::tempdir().unwrap();
    let program = Program::start_with(here.path(), &[], |command| {
        command
            .stderr(Stdio::piped())
            .env("PORT", "1")
            .env("HOST", "127.0.0.1");
    });
    assert_eq!(program.ask("GET /").status, 200);
    program.signal(Signal::TERM);
    let (_, stderr) = program.wait();
    assert!(
        stderr.contains("HOST=127.0.0.1 from the environment; --host beats it\n"),
        "{stderr}"
    );
    assert!(!stderr.contains("PORT=1"), "{stderr}");

    let output = sockeye(&[]).env("PORT", "http").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn more_threads_than_any_machine_has_end_with_a_sentence() {
    let here = tempfile::tempdir().unwrap();
    let (code, _, stderr) = run(&["--threads", "999999"], here.path());
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("expected a whole number from 1 to 1024"),
        "{stderr}"
    );
}

#[test]
fn a_script_learns_the_url_only_of_a_server_that_serves() {
    let here = tempfile::tempdir().unwrap();
    // Room for fewer threads than it wants.
    let limited = "ulimit -v 1000000; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args([
            "-c",
            limited,
            env!("CARGO_BIN_EXE_sockeye"),
            "--threads=1024",
            "--port=0",
        ])
        .arg(here.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), &output.stdout[..]),
        (Some(1), &b""[..]),
        "{said}"
    );
    assert!(said.contains("ask for less with --threads"), "{said}");
}

#[test]
fn wrong_arguments_exit_2() {
    let here = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(&["--prot", "80"], here.path());
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(
        stderr.starts_with("sockeye: unexpected argument `--prot`\n  did you mean `--port`?\n"),
        "{stderr}"
    );
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_exits_3() {
    let here = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (code, stdout, stderr) = run(&["--port", &address.port().to_string()], here.path());
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    let expected = format!("sockeye: cannot listen on {address}: the port is taken\n");
    assert!(stderr.starts_with(&expected), "{stderr}");
}

#[test]
fn a_directory_that_is_not_there_exits_4_with_the_nearest_name() {
    let here = tempfile::tempdir().unwrap();
    std::fs::create_dir(here.path().join("public")).unwrap();
    let expected = "sockeye: `pubic` is not a directory\n  did you mean `public`?\n";
    assert_eq!(
        run(&["pubic"], here.path()),
        (Some(4), String::new(), expected.to_owned())
    );
}

#[test]
fn a_full_output_changes_no_exit_code() {
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["--prot"], 2),
        (&["/no/such/directory"], 4),
    ] {
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let status = sockeye(arguments)
            .stdout(full())
            .stderr(full())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}
