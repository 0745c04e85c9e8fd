//! The names that other servers have for what a flag does, and what does it here (pure).

use clap::{Arg, Command};

/// Names without dashes, as [`folded`] leaves them, and what to do instead. Whatever begins with two dashes there is a flag.
const SYNONYMS: [(&[&str], &str); 30] = [
    (
        &["s"],
        "`--spa` is what serve means by it, `--quiet` what http-server does",
    ),
    (
        &[
            "single",
            "fallback",
            "history",
            "historyapifallback",
            "entryfile",
            "tryfiles",
            "rewrite",
            "singlepage",
        ],
        "`--spa` answers a navigation to an unknown path with index.html, `--spa=FILE` with another page",
    ),
    (
        &[
            "corsalloworigin",
            "corsalloworigins",
            "corsallowheaders",
            "corsallowmethods",
            "corsallowcredentials",
            "corsorigin",
            "corsorigins",
            "alloworigin",
            "accesscontrolalloworigin",
            "enablecors",
        ],
        "`--cors` lets pages of all origins read, `--cors=ORIGIN,…` those of some; the rest follows from that",
    ),
    (
        &[
            "dir",
            "path",
            "folder",
            "webroot",
            "docroot",
            "documentroot",
            "publicdir",
            "static",
            "f",
        ],
        "name the directory alone: sockeye DIR",
    ),
    (
        &[
            "addr",
            "ip",
            "hostname",
            "interface",
            "bindaddress",
            "listenaddress",
            "bindhost",
        ],
        "`--host ADDR` listens on an address, `--host` alone on all interfaces",
    ),
    (
        &[
            "gzip",
            "g",
            "brotli",
            "zstd",
            "compression",
            "precompressed",
            "staticcompression",
        ],
        "`--compress` compresses text; app.js.br, .zst or .gz is served for app.js without a flag",
    ),
    (
        &[
            "ssl", "tls", "https", "cert", "key", "sslcert", "sslkey", "sslpass", "tlscert",
            "tlskey", "pem", "http2", "S", "C", "K",
        ],
        "there is no TLS; put a proxy that has it in front, such as caddy reverse-proxy",
    ),
    (
        &[
            "watch",
            "w",
            "live",
            "livereload",
            "reload",
            "noreload",
            "hot",
            "hmr",
            "wait",
        ],
        "it does not reload pages; whoever reloads one gets the files as they are then",
    ),
    (
        &[
            "upload",
            "uploadfiles",
            "enableupload",
            "allowupload",
            "mkdir",
            "overwritefiles",
            "put",
            "u",
        ],
        "there are no uploads; a program takes them by `router.upload` of the library",
    ),
    (
        &[
            "nodotfiles",
            "ignorehidden",
            "hidedotfiles",
            "ignorehiddenfiles",
        ],
        "names that begin with a dot are not served without `--hidden`",
    ),
    (
        &[
            "dotfiles",
            "all",
            "showhidden",
            "servehidden",
            "includehidden",
        ],
        "`--hidden` serves names that begin with a dot",
    ),
    (
        &["nosymlinks", "nofollow", "disablesymlinks"],
        "links that lead out of the directory are not followed without `--follow-symlinks`",
    ),
    (
        &["browser", "openbrowser", "launch"],
        "`--open` opens the browser, `--open=PATH` at a path",
    ),
    (
        &["nobrowser", "noopenbrowser"],
        "no browser is opened without `--open`",
    ),
    (
        &["proxy", "P", "proxyall", "proxyconfig"],
        "it is no proxy; put one in front that leads some paths here",
    ),
    (
        &[
            "ext",
            "e",
            "extensions",
            "htmlext",
            "prettyurls",
            "striphtml",
        ],
        "`--clean-urls` serves about.html at /about",
    ),
    (
        &[
            "cachecontrol",
            "maxage",
            "cachetime",
            "cacheage",
            "cachecontrolheaders",
            "c",
        ],
        "`--cache` says how long caches keep files, such as `--cache 1h`; they ask each time without it",
    ),
    (
        &["nocache", "noetag", "noetags"],
        "caches ask each time as it is, which `--cache no-cache` says; with `--cache off` they keep nothing",
    ),
    (
        &[
            "password",
            "pass",
            "username",
            "basicauth",
            "htpasswd",
            "credentials",
            "login",
        ],
        "`--auth USER` asks for the password, `--auth-file FILE` has users and hashes",
    ),
    (
        &[
            "mount",
            "prefix",
            "routeprefix",
            "pathprefix",
            "basepath",
            "baseurl",
            "publicurl",
            "publicpath",
            "contextpath",
        ],
        "`--base /repo/` serves the site under a prefix",
    ),
    (
        &[
            "browse",
            "autoindex",
            "showdir",
            "list",
            "listing",
            "directorylisting",
            "dirlisting",
            "nodirectorylisting",
            "nodirlisting",
            "nodirlist",
            "noautoindex",
            "noindex",
            "disableindexing",
            "disabledirectorylisting",
        ],
        "a directory without an index is listed, unless `--no-listing` says otherwise",
    ),
    (
        &["404", "page404", "errorpage", "notfound", "custom404"],
        "the nearest 404.html in the directory is the page of what is missing, without a flag",
    ),
    (
        &["daemon", "daemonize", "background", "detach", "fork", "D"],
        "it stays in the foreground; a service manager such as systemd starts it and restarts it",
    ),
    (
        &["strictport", "noportswitching", "autoport"],
        "a port that `--port` names is the one or none; without it the next free one is taken",
    ),
    (
        &["accesslog", "logpath"],
        "`--log-file FILE` has the lines about requests, `--log-format` says what they look like",
    ),
    (
        &["norequestlogging", "nolog", "nologs", "nologging", "L"],
        "`--quiet` leaves out the lines about requests",
    ),
    (
        &["config", "configfile", "envfile"],
        "there is no file of settings; every flag has a variable, such as SOCKEYE_PORT",
    ),
    (
        &["timeout", "t", "keepalive", "keepalivetimeout"],
        "`--idle-timeout` is the time between two requests, `--write-timeout` that of a client that takes nothing",
    ),
    (
        &[
            "allowedhosts",
            "allowedhost",
            "domain",
            "servername",
            "vhost",
        ],
        "`--allow-host NAME` answers requests for that name too",
    ),
    (
        &[
            "coop",
            "coep",
            "coi",
            "crossoriginisolated",
            "crossoriginisolation",
        ],
        "`--isolate` gives pages SharedArrayBuffer and threads",
    ),
];

/// What to do instead of `argument`, an unknown flag.
pub(super) fn hint(argument: &str, command: &Command) -> String {
    let name = folded(argument);
    let known = SYNONYMS.iter().find(|(names, _)| names.contains(&&*name));
    let flags: Vec<&str> = command.get_arguments().filter_map(Arg::get_long).collect();
    let off = argument
        .strip_prefix("--no-")
        .filter(|off| flags.contains(off));
    match (known, off) {
        (Some((_, hint)), _) => (*hint).to_owned(),
        (None, Some(off)) => format!("that is so, unless `--{off}` says otherwise"),
        (None, None) => match nearest(&name, &flags).as_slice() {
            [] => "`sockeye --help` lists the flags there are".to_owned(),
            flags => format!("did you mean {}?", flags.join(" or ")),
        },
    }
}

/// The flags that begin so, else the one that differs in a letter or two.
fn nearest(name: &str, flags: &[&str]) -> Vec<String> {
    let begins = |flag: &&&str| name.len() > 2 && folded(flag).starts_with(name);
    let begun: Vec<_> = flags.iter().filter(begins).collect();
    // The opposite is near by its letters.
    let likeness = |flag: &&&str| {
        let distance = strsim::osa_distance(name, &folded(flag));
        (name.starts_with("no") == flag.starts_with("no")).then_some(distance)
    };
    let like = flags
        .iter()
        .filter_map(|flag| Some((likeness(&flag)?, flag)))
        .min();
    let like = like.filter(|(distance, _)| *distance <= 1 + name.len() / 6);
    let found = match begun.len() {
        1..=3 => begun,
        _ => like.map(|(_, flag)| flag).into_iter().collect(),
    };
    found.iter().map(|flag| format!("`--{flag}`")).collect()
}

/// `--strictPort` and `strict_port` are one name; a letter alone means what it is.
fn folded(flag: &str) -> String {
    let name = flag.trim_start_matches('-');
    match name.chars().count() {
        1 => name.to_owned(),
        _ => name.replace(['-', '_'], "").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::command;
    use super::*;

    #[test]
    fn every_hint_names_flags_that_are_there_and_is_reached() {
        let mut command = command();
        command.build();
        let mut names = Vec::new();
        for flag in command.get_arguments() {
            let letters = flag.get_short_and_visible_aliases().unwrap_or_default();
            let aliases = flag.get_all_aliases().unwrap_or_default();
            names.extend(flag.get_long().into_iter().chain(aliases).map(folded));
            names.extend(letters.into_iter().map(String::from));
        }
        for (synonyms, hint) in SYNONYMS {
            for word in hint.split([' ', '`', '=']) {
                let is_flag = word.starts_with("--");
                assert!(!is_flag || names.contains(&folded(word)), "{word}: {hint}");
            }
            for synonym in synonyms {
                assert_eq!(folded(synonym), *synonym);
                assert!(
                    !names.contains(&(*synonym).to_owned()),
                    "{synonym} is a flag"
                );
            }
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        for (argument, expected) in [
            ("--hots", "did you mean `--host`?"),
            ("--threds", "did you mean `--threads`?"),
            ("--max-conn", "did you mean `--max-connections`?"),
            ("--no-list", "did you mean `--no-listing`?"),
            ("--no-spa", "that is so, unless `--spa` says otherwise"),
            ("--nospa", "`sockeye --help` lists the flags there are"),
            ("-x", "`sockeye --help` lists the flags there are"),
        ] {
            assert_eq!(hint(argument, &command()), expected);
        }
    }
}
