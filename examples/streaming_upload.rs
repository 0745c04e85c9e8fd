//! Files of any size, uploaded to a directory: a body goes to the disk while it comes, and is never in memory as a whole.
//!
//!     cargo run --example streaming_upload [PORT] [DIRECTORY]
//!     curl -T large.iso http://127.0.0.1:8080/
//!     curl http://127.0.0.1:8080/
//!
//! A client that is slow holds no thread, and one that is faster than the disk is held back by its socket. Half a file is
//! never seen: until its last byte is there it lies in `.incoming`, which nobody can ask for. Whoever reaches this server
//! may fill the disk; in earnest a password goes before it (`Router::wrap`). Pages of other sites do not reach it, even
//! where their own name is made to lead here.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use sockeye::middleware::host_guard::{HostGuard, Hosts};
use sockeye::{Method, Request, Router, Server, StaticFiles, StatusCode, Upload};
use tempfile::NamedTempFile;

const FILE_BYTES_MAX: u64 = 100 * 1024 * 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let directory = PathBuf::from(std::env::args().nth(2).unwrap_or("uploads".to_owned()));
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    let incoming = directory.join(".incoming");
    fs::create_dir_all(&incoming)?;
    let lock = File::open(&directory)?;
    lock.try_lock()
        .map_err(|_| "another server saves in this directory")?;
    fs::remove_dir_all(&incoming)?; // What a server left there that was killed.
    fs::create_dir(&incoming)?;
    // Ctrl-C: uploads have `Config::grace` to finish, then they are dropped, and with them their files.
    let (stopper, mut signals) = (server.stopper(), Signals::new([SIGINT, SIGTERM])?);
    std::thread::spawn(move || signals.forever().for_each(|_| stopper.stop()));
    let files = Arc::new(StaticFiles::new(&directory)?);
    let router = Router::new()
        .upload(Method::PUT, "/{name}", move |it| save(it, &directory))
        .any("/{name}", Arc::clone(&files))
        .fallback(files);
    writeln!(io::stdout(), "listening on {}", server.local_addrs()[0])?;
    server.serve(HostGuard::new(Hosts::loopback(), router))?;
    Ok(())
}

/// Where the body goes. It is asked about the head of a request, before any of the body has been sent.
fn save(request: &Request, directory: &Path) -> io::Result<Upload> {
    let name = request.param("name");
    let path = directory.join(name);
    let refuse = |status, sentence| Ok(Upload::refused((status, sentence)));
    // Most file systems take 255 bytes.
    if name.starts_with('.') || name.contains(['/', '\0']) || name.len() > 255 {
        let sentence = "a name is short, has no slash, and begins with no dot\n";
        return refuse(StatusCode::BAD_REQUEST, sentence);
    }
    if path.is_dir() {
        return refuse(StatusCode::CONFLICT, "a directory has this name\n");
    }
    // As `curl -C -` sends it. Taken for all of the file, it would destroy what is there (RFC 9110 §14.5).
    if request.headers().contains("Content-Range") {
        let sentence = "a file is uploaded whole, not in parts\n";
        return refuse(StatusCode::BAD_REQUEST, sentence);
    }
    // On the same file system, so that giving it its name moves no bytes. Dropped without one, it is deleted.
    let file = NamedTempFile::new_in(directory.join(".incoming"))?;
    let upload = Upload::new(file, |file| {
        let status = match path.exists() {
            true => StatusCode::NO_CONTENT,
            false => StatusCode::CREATED,
        };
        // An error is a 500, or a 507 if there is no space, and a line in the log.
        file.persist(path).map(|_| status).map_err(io::Error::from)
    });
    Ok(upload.with_bytes_max(FILE_BYTES_MAX))
}
