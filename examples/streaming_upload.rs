//! Files of any size, uploaded to a directory: a body goes to the disk while it comes, and is never in memory as a whole.
//!
//!     cargo run --example streaming_upload [PORT] [DIRECTORY]
//!     curl -T large.iso http://127.0.0.1:8080/
//!     curl http://127.0.0.1:8080/
//!
//! A client that is slow holds no thread, and one that is faster than the disk is held back by its socket. Half a file is
//! never seen: it has no name until its last byte is there, and is gone if its client breaks off. Whoever reaches this
//! server may fill the disk; in earnest a password goes before it (`Router::wrap`). Pages of other sites do not reach it,
//! even where their own name is made to lead here.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use sockeye::middleware::host_guard::{HostGuard, Hosts};
use sockeye::{Method, Request, Router, Server, StaticFiles, StatusCode, Upload};
use tempfile::NamedTempFile;

const FILE_BYTES_MAX: u64 = 100 * 1024 * 1024 * 1024;
const NAME_BYTES_MAX: usize = 255; // As most file systems have it.

fn router(directory: PathBuf) -> io::Result<Router> {
    let files = Arc::new(StaticFiles::new(&directory)?);
    // It is asked about the head of a request, before any of its body has been sent.
    let receive = move |request: &Request| {
        let name = request.param("name");
        let refuse = |sentence| Ok(Upload::refused((StatusCode::BAD_REQUEST, sentence)));
        if name.starts_with('.') || name.contains(['/', '\0']) || name.len() > NAME_BYTES_MAX {
            return refuse("a name is short, has no slash, and begins with no dot\n");
        }
        // As `curl -C -` sends it. Taken for all of the file, it would destroy what is there (RFC 9110 §14.5).
        if request.headers().contains("Content-Range") {
            return refuse("a file is uploaded whole, not in parts\n");
        }
        save(directory.join(name))
    };
    let router = Router::new()
        .upload(Method::PUT, "/{name}", receive)
        .any("/{name}", Arc::clone(&files));
    Ok(router.fallback(files))
}

/// An upload that becomes the file at `path`.
fn save(path: PathBuf) -> io::Result<Upload> {
    // In the same directory, so that giving it its name moves no bytes. Dropped without one, it is deleted.
    let file = NamedTempFile::new_in(path.parent().unwrap_or(&path))?;
    let upload = Upload::new(file, |file| {
        let status = match path.exists() {
            true => StatusCode::NO_CONTENT,
            false => StatusCode::CREATED,
        };
        match file.persist(path) {
            Ok(_) => Ok(status),
            Err(error) => Err(error.error), // 500, or 507 if there is no space, and a line in the log.
        }
    });
    Ok(upload.with_bytes_max(FILE_BYTES_MAX))
}

fn serve() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port"))?;
    let directory = PathBuf::from(std::env::args().nth(2).unwrap_or("uploads".to_owned()));
    std::fs::create_dir_all(&directory)
        .map_err(|error| format!("cannot save in `{}`: {error}", directory.display()))?;
    let router = router(directory)?;
    let server = Server::bind(("127.0.0.1", port))?;
    writeln!(io::stdout(), "listening on {}", server.local_addrs()[0])?;
    server.serve(HostGuard::new(Hosts::loopback(), router))?;
    Ok(())
}

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "streaming_upload: {error}"); // Nobody reads it? Then nobody misses it.
            ExitCode::FAILURE
        }
    }
}
