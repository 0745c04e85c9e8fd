//! Files that are odd: in kind, in date, in size.

use std::fs;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, FileType, Mode};
use sockeye::files::StaticFiles;
use sockeye::message::Request;

use super::site::{Site, ask, get};

#[test]
fn pipes_sockets_and_devices_are_not_there() {
    let site = Site::new();
    rustix::fs::mkfifoat(CWD, site.path("pipe"), Mode::RWXU).unwrap();
    rustix::fs::mkfifoat(CWD, site.path("index.html"), Mode::RWXU).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(site.path("socket")).unwrap();
    // Needs privileges; without them there is nothing to see here.
    let device = rustix::fs::mknodat(
        CWD,
        site.path("zero"),
        FileType::CharacterDevice,
        Mode::RWXU,
        rustix::fs::makedev(1, 5),
    );
    let files = site.files();
    let mut urls = vec!["/pipe", "/socket", "/"];
    urls.extend(device.is_ok().then_some("/zero"));
    for url in urls {
        assert_eq!(get(&files, url).status, 404, "{url}");
    }
}

#[test]
fn a_writer_that_waits_on_a_pipe_is_not_woken() {
    let site = Site::new();
    rustix::fs::mkfifoat(CWD, site.path("pipe"), Mode::RWXU).unwrap();
    let path = site.path("pipe");
    let writer = std::thread::spawn(move || fs::File::options().write(true).open(path));
    let files = site.settled_files();
    for _ in 0..100 {
        assert_eq!(get(&files, "/pipe").status, 404);
    }
    assert!(!writer.is_finished());
    // Now somebody does read.
    drop(fs::File::open(site.path("pipe")).unwrap());
    writer.join().unwrap().unwrap();
}

#[test]
fn a_pipe_in_the_place_of_a_file_holds_nobody_and_is_not_read() {
    let site = Site::new();
    for name in ["small", "large"] {
        site.write(name, vec![b'a'; if name == "small" { 10 } else { 300_000 }]);
    }
    let files = site.settled_files();
    for name in ["small", "large"] {
        let url = format!("/{name}");
        // The directory is known, and so is the file.
        for _ in 0..3 {
            assert_eq!(get(&files, &url).status, 200);
        }
        fs::remove_file(site.path(name)).unwrap();
        rustix::fs::mkfifoat(CWD, site.path(name), Mode::RWXU).unwrap();
        let pipe = fs::File::options()
            .read(true)
            .write(true)
            .open(site.path(name));
        let mut pipe = pipe.unwrap();
        pipe.write_all(b"secret").unwrap();
        for _ in 0..3 {
            assert_eq!(get(&files, &url).status, 404, "{name}");
        }
        let mut bytes = [0; 6];
        pipe.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"secret");
    }
}

#[test]
fn no_date_is_too_odd() {
    let site = Site::with("a.txt", "hello");
    let day = Duration::from_secs(86_400);
    for (modified, told) in [
        (UNIX_EPOCH - 10_000 * day, ""),
        (UNIX_EPOCH - Duration::from_nanos(1), ""),
        (UNIX_EPOCH, ""),
        (UNIX_EPOCH + Duration::from_secs(1), ""),
        (UNIX_EPOCH + day, "Fri, 02 Jan 1970 00:00:00 GMT"),
        (UNIX_EPOCH + 20_000 * day, "Thu, 04 Oct 2024 00:00:00 GMT"),
        (UNIX_EPOCH + 4_000_000 * day, ""),
    ] {
        site.date("a.txt", modified);
        for files in [site.files(), site.settled_files()] {
            let answer = get(&files, "/a.txt");
            assert_eq!(answer.status, 200);
            // The file system may not hold what it was told; then the date it holds counts.
            if fs::metadata(site.path("a.txt"))
                .unwrap()
                .modified()
                .unwrap()
                == modified
            {
                assert_eq!(
                    answer.field("Last-Modified").get(5..),
                    told.get(5..),
                    "{modified:?}"
                );
            }
            assert_eq!(get(&files, "/").status, 200);
        }
    }
}

#[test]
fn a_date_in_the_future_is_told_as_now() {
    let site = Site::with("a.txt", "hello");
    site.date("a.txt", SystemTime::now() + Duration::from_secs(86_400));
    let files = site.settled_files();
    for _ in 0..2 {
        let before = SystemTime::now() - Duration::from_secs(1);
        let answer = get(&files, "/a.txt");
        let told = httpdate::parse_http_date(answer.field("Last-Modified")).unwrap();
        assert!(before <= told && told <= SystemTime::now(), "{told:?}");
    }
}

#[test]
fn a_huge_file_is_answered_without_reading_it() {
    let site = Site::with("huge.bin", "");
    let size = 5 * 1024 * 1024 * 1024u64;
    fs::File::options()
        .write(true)
        .open(site.path("huge.bin"))
        .unwrap()
        .set_len(size)
        .unwrap();
    let files = site.settled_files();
    let tail = ask(
        &files,
        &Request::get("/huge.bin").with_header("Range", "bytes=-2"),
    );
    assert_eq!((tail.status, &tail.body[..]), (206, &b"\0\0"[..]));
    assert_eq!(
        tail.field("Content-Range"),
        "bytes 5368709118-5368709119/5368709120"
    );
    let two = ask(
        &files,
        &Request::get("/huge.bin").with_header("Range", "bytes=4294967296-4294967297,0-0"),
    );
    assert!(
        two.text()
            .contains("Content-Range: bytes 4294967296-4294967297/5368709120\r\n")
    );
    assert!(!tail.field("ETag").is_empty());
}

#[test]
fn replicas_agree_on_the_tag_of_the_same_bytes() {
    let bytes = vec![7; 200_000];
    let tags = |site: &Site, date: u64| {
        site.date("large.bin", UNIX_EPOCH + Duration::from_secs(date));
        let files = site.settled_files();
        ["/a.txt", "/large.bin"].map(|url| get(&files, url).field("ETag").to_owned())
    };
    let sites = [(); 2].map(|()| {
        let site = Site::with("a.txt", "hello");
        site.write("large.bin", &bytes);
        site
    });
    assert_eq!(
        tags(&sites[0], 1_000_000_000),
        tags(&sites[1], 1_100_000_000)
    );
}

#[test]
fn the_kernels_own_files_are_as_long_as_they_say() {
    let files = StaticFiles::new("/proc/self").unwrap();
    let answer = get(&files, "/status");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(get(&files, "/root/etc/passwd").status, 404);
    assert_eq!(get(&files, "/exe").status, 404);
}

#[test]
fn a_file_shorter_than_its_size_is_answered_with_what_was_read() {
    // An attribute of sysfs says 4096 bytes, whatever it holds.
    let files = StaticFiles::new("/sys/kernel").unwrap();
    let text = fs::read("/sys/kernel/fscaps").unwrap();
    let ask = |lines: &[(&str, &str)]| {
        let request = lines
            .iter()
            .fold(Request::get("/fscaps"), |request, (name, value)| {
                request.with_header(name, *value)
            });
        super::site::ask(&files, &request)
    };
    for _ in 0..2 {
        let whole = ask(&[]);
        assert_eq!((whole.status, &whole.body), (200, &text));
        assert_eq!(whole.field("Last-Modified"), "", "its date tells nothing");
        let tag = whole.field("ETag");
        assert_eq!(ask(&[("If-None-Match", tag)]).status, 304);
        let end = ask(&[("Range", "bytes=-1")]);
        assert_eq!((end.status, &end.body[..]), (206, &text[text.len() - 1..]));
        assert_eq!(ask(&[("Range", "bytes=4000-")]).status, 416);
        assert_eq!(ask(&[("Range", "bytes=0-0, 4000-4001")]).status, 206);
    }
}

#[test]
fn what_is_missing_forbidden_or_elsewhere_looks_the_same() {
    let site = Site::with("locked.txt", "secret");
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(site.path("locked.txt"), fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything; then there is nothing to see here.
    if fs::File::open(site.path("locked.txt")).is_err() {
        let (locked, missing) = (
            get(&site.files(), "/locked.txt"),
            get(&site.files(), "/missing.txt"),
        );
        assert_eq!((locked.status, &locked.body), (404, &missing.body));
    }
}
