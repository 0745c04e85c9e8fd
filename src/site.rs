//! What the command serves: the handler of files, and around it what was asked for. A file of its own, because the
//! benches count what it costs.

use std::sync::Arc;

use sockeye::Handler;
use sockeye::cli::Options;
use sockeye::cli::directory::Chosen;
use sockeye::echo::Echo;
use sockeye::files::StaticFiles;
use sockeye::middleware::auth::User;
use sockeye::middleware::explain::Missing;
use sockeye::router::Router;

/// The files, and around them what was asked for: the doors outside of what leads to files, and outside of all what every
/// response says.
pub(crate) fn handler(
    options: &Options,
    files: StaticFiles,
    chosen: &Chosen,
    users: Vec<User>,
    is_local: bool,
    missing: Missing,
) -> Box<dyn Handler> {
    let files = Arc::new(files);
    let explainer = Arc::clone(&files);
    // What lies beside one file is nobody's business.
    let is_directory = chosen.file.is_none();
    let explain =
        move |path: &str, prefix: &str| is_directory.then(|| explainer.explain(path, prefix))?;
    let router = match options.files.no_echo {
        true => Router::new(),
        false => Router::new().any("/echo", Echo),
    };
    let router = router.fallback(files);
    let inside = chosen.around(router);
    let system = rustix::system::uname();
    let system = system.nodename().to_string_lossy();
    let inside = options.files.around(missing, explain, inside);
    let inside = options
        .access
        .around(users, (&options.host, is_local, &system), inside);
    options
        .responses
        .around(options.access.is_private(), inside)
}
