//! Nothing outside the root gets out.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::site::{Site, get};

#[test]
fn links_that_stay_inside_work() {
    let site = Site::with("real/a.txt", "hello");
    symlink("real/a.txt", site.path("relative")).unwrap();
    symlink(site.path("real/a.txt"), site.path("absolute")).unwrap();
    symlink("real", site.path("directory")).unwrap();
    symlink("../real/../relative", site.path("real/up")).unwrap();
    let files = site.files();
    for url in [
        "/relative",
        "/absolute",
        "/directory/a.txt",
        "/real/up",
        "/directory/up",
    ] {
        assert_eq!(get(&files, url).text(), "hello", "{url}");
    }
    assert_eq!(get(&files, "/directory").field("Location"), "/directory/");
}

#[test]
fn links_that_lead_out_are_not_there_unless_allowed() {
    let site = Site::with("a.txt", "inside");
    fs::write(site.outside("secret.txt"), "secret").unwrap();
    fs::write(site.outside("index.html"), "secret").unwrap();
    symlink(site.outside("secret.txt"), site.path("absolute")).unwrap();
    symlink("../outside/secret.txt", site.path("relative")).unwrap();
    symlink("../outside", site.path("directory")).unwrap();
    symlink("../www/a.txt", site.path("around")).unwrap();
    symlink("/", site.path("system")).unwrap();
    symlink("/proc/self/root", site.path("magic")).unwrap();
    symlink("loop", site.path("loop")).unwrap();
    symlink("nothing", site.path("dangling")).unwrap();
    let files = site.files();
    for url in [
        "/absolute",
        "/relative",
        "/directory",
        "/directory/",
        "/directory/secret.txt",
        "/around",
        "/system/etc/passwd",
        "/magic/etc/passwd",
        "/loop",
        "/dangling",
    ] {
        assert_eq!(get(&files, url).status, 404, "{url}");
    }
    let page = get(&files, "/");
    assert!(
        page.text().contains("a.txt")
            && !page.text().contains("\"relative\"")
            && !page.text().contains("\"directory\"")
    );
    let following = site.files_with(|config| config.follow_symlinks = true);
    for url in [
        "/absolute",
        "/relative",
        "/directory/",
        "/directory/secret.txt",
    ] {
        assert_eq!(get(&following, url).text(), "secret", "{url}");
    }
    assert_eq!(get(&following, "/loop").status, 404);
}

#[test]
fn an_index_that_is_a_link_out_is_not_served_nor_is_its_directory_listed() {
    let site = Site::with("a.txt", "inside");
    fs::write(site.outside("index.html"), "secret").unwrap();
    symlink("../outside/index.html", site.path("index.html")).unwrap();
    assert_eq!(get(&site.files(), "/").status, 404);
}

#[test]
fn a_link_swapped_while_it_is_asked_for_leaks_nothing() {
    let site = Site::with("inside/a.txt", "inside");
    fs::write(site.outside("a.txt"), "secret").unwrap();
    symlink("inside", site.path("link")).unwrap();
    let files = site.files();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                let target = if round % 2 == 0 {
                    "../outside"
                } else {
                    "inside"
                };
                symlink(target, site.path("next")).unwrap();
                fs::rename(site.path("next"), site.path("link")).unwrap();
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let (mut served, mut asked) = (0, 0);
        let end = Instant::now() + Duration::from_secs(10);
        // On a busy machine whoever swaps may stand still for all of those.
        while asked < 20_000 || served == 0 && Instant::now() < end {
            asked += 1;
            let answer = get(&files, "/link/a.txt");
            assert_ne!(answer.body, b"secret");
            served += usize::from(answer.status == 200);
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(served > 0, "the link never led inside");
    });
}
