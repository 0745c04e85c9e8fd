//! What the command serves: files and `/echo`, and around them the middleware that the flags ask for, from the inside
//! out. A file of its own, because the benches count what it costs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use memchr::memmem;
use sockeye::Handler;
use sockeye::by_hand::ByHand;
use sockeye::cli::directory::Chosen;
use sockeye::cli::{Host, Options, url_path};
use sockeye::echo::Echo;
use sockeye::files::StaticFiles;
use sockeye::middleware::auth::{User, authenticated};
use sockeye::middleware::base;
use sockeye::middleware::cache_control::{CachePolicy, with_cache_policy};
use sockeye::middleware::cors::with_cors;
use sockeye::middleware::explain::{Explanation, Missing, explained};
use sockeye::middleware::headers::with_headers;
use sockeye::middleware::host_guard::{HostGuard, Hosts};
use sockeye::middleware::isolate::isolated;
use sockeye::middleware::own_pages::with_own_pages;
use sockeye::middleware::single_file::single_file;
use sockeye::middleware::spa::single_page;
use sockeye::router::Router;

/// What a page contains that needs `/echo/by-hand`.
const BY_HAND: &[u8] = b"<meta name=\"sockeye\" content=\"by-hand\">";

/// A larger page is not the demonstration.
const PAGE_BYTES_MAX: u64 = 64 * 1024;

/// Everything that answers. `is_local`: only this machine can reach the server. `missing` counts what is not there.
pub(crate) fn handler(
    options: &Options,
    files: StaticFiles,
    chosen: &Chosen,
    users: Vec<User>,
    is_local: bool,
    missing: Missing,
) -> Box<dyn Handler> {
    let has_by_hand = is_local && !options.files.no_echo && wants_by_hand(chosen);
    let by_hand = has_by_hand.then(|| Arc::new(ByHand::default()));
    let site = found(options, files, chosen, missing, by_hand.clone());
    let mut site = guarded(options, users, is_local, site);
    if let Some(base) = &options.files.base {
        site = Box::new(base::leading_home(base.clone(), site));
    }
    let site = completed(options, site);
    let Some(by_hand) = by_hand else { return site };
    let site: Arc<dyn Handler> = Arc::from(site);
    by_hand.lead_to(&site);
    Box::new(site)
}

/// Whether the first page of the directory needs `/echo/by-hand`. No other site has it: behind a proxy that gives no sign
/// of itself, it would lead around what the proxy forbids.
fn wants_by_hand(chosen: &Chosen) -> bool {
    let is_small = |page: &Path| {
        fs::metadata(page).is_ok_and(|page| page.is_file() && page.len() <= PAGE_BYTES_MAX)
    };
    let page = chosen.path.join("index.html");
    let page = (chosen.file.is_none() && is_small(&page)).then(|| fs::read(page));
    let page = page.and_then(Result::ok);
    page.is_some_and(|page| memmem::find(&page, BY_HAND).is_some())
}

/// Files and `/echo`, what leads requests to them by other paths, and errors that explain themselves.
fn found(
    options: &Options,
    files: StaticFiles,
    chosen: &Chosen,
    missing: Missing,
    by_hand: Option<Arc<ByHand>>,
) -> Box<dyn Handler> {
    let files = Arc::new(files);
    let flags = &options.files;
    let explainer = Arc::clone(&files);
    // The names beside one file are not served, so they are not disclosed either.
    let is_directory = chosen.file.is_none();
    let explain = move |path: &str, prefix: &str| {
        let sentence = is_directory.then(|| explainer.explain(path, prefix))??;
        let is_logged = explainer.has_logged(path);
        Some(Explanation {
            sentence,
            is_logged,
        })
    };
    let mut router = Router::new();
    if !flags.no_echo {
        router = router.any("/echo", Echo);
    }
    if let Some(by_hand) = by_hand {
        router = router.any("/echo/by-hand", by_hand);
    }
    let mut site: Box<dyn Handler> = Box::new(router.fallback(files));
    if let Some([name, real]) = &chosen.file {
        let name = name.as_encoded_bytes().to_vec();
        site = Box::new(single_file(name, url_path(real.as_ref()), site));
    }
    if let Some(page) = flags.spa_page(chosen) {
        site = Box::new(single_page(url_path(&page), site));
    }
    site = Box::new(with_own_pages(explained(missing, explain, site)));
    match &flags.base {
        Some(base) => Box::new(base::under(base.clone(), site)),
        None => site,
    }
}

/// The checks before `site`: the name by which a request addresses this machine, then the user.
fn guarded(
    options: &Options,
    users: Vec<User>,
    is_local: bool,
    mut site: Box<dyn Handler>,
) -> Box<dyn Handler> {
    if !users.is_empty() {
        site = Box::new(authenticated(users, site));
    }
    let mut names = Vec::new();
    if !is_local {
        let system = rustix::system::uname();
        let system = system.nodename().to_string_lossy();
        names.extend([system.to_string(), format!("{system}.local")]);
    }
    if let Host::Named(name) = &options.host {
        names.push(name.clone());
    }
    // What this machine calls itself may be no host name at all.
    let ours = names.iter().filter_map(|name| name.parse().ok());
    let reached = match is_local {
        true => Hosts::loopback(),
        false => Hosts::addresses(),
    };
    let allowed = options.access.allow_host.iter().cloned();
    let hosts = ours.chain(allowed).fold(reached, Hosts::and);
    Box::new(HostGuard::new(hosts, site))
}

/// The fields of every response.
fn completed(options: &Options, mut site: Box<dyn Handler>) -> Box<dyn Handler> {
    let is_private = options.access.is_private();
    let flags = &options.responses;
    if flags.cache != CachePolicy::NoCache {
        site = Box::new(with_cache_policy(flags.cache, is_private, site));
    }
    if flags.isolate {
        site = Box::new(isolated(!flags.cors.is_empty(), site));
    }
    if !flags.cors.is_empty() {
        site = Box::new(with_cors(flags.cors.clone(), site));
    }
    if !flags.header.is_empty() {
        site = Box::new(with_headers(flags.header.clone(), site));
    }
    site
}
