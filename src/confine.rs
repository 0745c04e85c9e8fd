//! What the process gives up once it listens: another user's rights, new privileges, every file but those it serves.
//!
//! The files it may read are those of the directory and of every place where a new one may appear: beside it, beside
//! each link on the way to it, and beside what that link leads to, so that a build that replaces `dist` and a release
//! that is swapped in by its link are found. Where links may lead out of the directory, it may read everything. What
//! leads out is the business of [`sockeye::files`]; this is a second wall behind that one, and it lets nothing be
//! written but the log's file, which may be renamed and made anew where it is.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use nix::unistd::{Gid, Uid, User, getresgid, getresuid, setgid, setgroups, setuid};
use sockeye::cli::Exit;

/// As many links as Linux follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// Becomes `user`, if one is named, and lets go of what a server of `root` does not need that writes to the file `log`.
/// Is called while there is one thread. Returns a sentence about what was achieved.
pub(crate) fn confine(
    root: &Path,
    log: Option<&Path>,
    user: Option<&str>,
    may_escape: bool,
) -> Result<String, Exit> {
    if let Some(user) = user {
        become_user(user)?;
    }
    let directories = if may_escape {
        vec![PathBuf::from("/")]
    } else {
        readable(root)
    };
    let wall = match &directories[..] {
        [top] if may_escape => format!("reads what lies in {top:?}, where links may lead to"),
        [top] if top.parent().is_none() => {
            "reads what lies in \"/\", where the directory or a link to it may be replaced"
                .to_owned()
        }
        directories => format!("reads nothing but what lies in {}", list(directories)),
    };
    let written = if log.is_some() { "its log" } else { "nothing" };
    Ok(match restrict(root, &directories, log) {
        Ok(RulesetStatus::FullyEnforced) => format!("{wall}, and writes {written} (Landlock)"),
        Ok(RulesetStatus::PartiallyEnforced) => {
            format!("{wall}, and writes {written} (Landlock, as far as this kernel knows it)")
        }
        Ok(RulesetStatus::NotEnforced) => "this kernel has no Landlock".to_owned(),
        Err(error) => format!("Landlock is not in force: {error}"),
    })
}

fn list(directories: &[PathBuf]) -> String {
    let names: Vec<_> = directories.iter().map(|path| format!("{path:?}")).collect();
    names.join(", ")
}

/// Drops root's rights for those of `name`, groups first, and makes sure that they are gone.
fn become_user(name: &str) -> Result<(), Exit> {
    let failed = |error: &dyn std::fmt::Display| {
        Exit::failed(format!(
            "cannot become `{name}`: {error}\n  --user needs to be started as root"
        ))
    };
    let user = User::from_name(name)
        .map_err(|error| failed(&error))?
        .ok_or_else(|| {
            Exit::usage(format!(
                "there is no user `{name}`\n  name one that `getent passwd` knows"
            ))
        })?;
    setgroups(&[user.gid]).map_err(|error| failed(&error))?;
    setgid(user.gid).map_err(|error| failed(&error))?;
    setuid(user.uid).map_err(|error| failed(&error))?;
    let (uids, gids) = (getresuid(), getresgid());
    let is_user = uids.is_ok_and(|ids| [ids.real, ids.effective, ids.saved] == [user.uid; 3])
        && gids.is_ok_and(|ids| [ids.real, ids.effective, ids.saved] == [user.gid; 3]);
    let may_go_back = user.uid != Uid::from_raw(0) && setuid(Uid::from_raw(0)).is_ok();
    let may_go_back =
        may_go_back || user.gid != Gid::from_raw(0) && setgid(Gid::from_raw(0)).is_ok();
    if !is_user || may_go_back {
        return Err(failed(&"the rights did not go away"));
    }
    Ok(())
}

fn restrict(
    root: &Path,
    directories: &[PathBuf],
    log: Option<&Path>,
) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
        .create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    // The kernel looks for a rule from the file upwards, whenever one is opened: the nearer it finds one, the better.
    let rules = directories.iter().map(PathBuf::as_path).chain([root]);
    let rules = rules.map(|path| (path.to_owned(), read));
    for (path, access) in rules.chain(log.into_iter().flat_map(writable)) {
        // One that cannot be opened cannot be served either, or written to.
        if let Ok(descriptor) = PathFd::new(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(descriptor, access))?;
        }
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

/// The directories in which `root` lies now, or will when it or a link on the way to it is replaced; none beneath
/// another.
fn readable(root: &Path) -> Vec<PathBuf> {
    let mut ways = vec![std::path::absolute(root).unwrap_or_else(|_| root.to_owned())];
    let mut places = vec![root.to_owned()];
    let mut links = 0;
    while let Some(way) = ways.pop() {
        places.extend(way.parent().map(Path::to_owned));
        for link in way.ancestors() {
            if let (Ok(target), Some(holder)) = (link.read_link(), link.parent()) {
                links += 1;
                if links <= LINKS_MAX {
                    places.push(holder.to_owned());
                    ways.push(holder.join(target));
                }
            }
        }
    }
    let mut places: Vec<_> = places.iter().flat_map(|path| path.canonicalize()).collect();
    places.sort();
    // What lies beneath another comes right after it, or after its other children.
    places.dedup_by(|place, before| place.starts_with(before));
    places
}

/// What the log is written to: the directory of the file, by its name and by where it leads, since it is made anew
/// there. A device or a named pipe is not made anew.
fn writable(log: &Path) -> Vec<(PathBuf, BitFlags<AccessFs>)> {
    let is_kept = |path: &Path| path.metadata().is_ok_and(|found| !found.is_file());
    let named = std::path::absolute(log).unwrap_or_else(|_| log.to_owned());
    // An open pipe or socket, such as /dev/stdout, leads nowhere and needs no rule.
    let real = log.canonicalize().ok();
    let rule = |path: &Path| match is_kept(path) {
        true => Some((path.to_owned(), AccessFs::WriteFile.into())),
        false => Some((
            path.parent()?.to_owned(),
            AccessFs::WriteFile | AccessFs::MakeReg,
        )),
    };
    [Some(named), real]
        .iter()
        .flatten()
        .filter_map(|path| rule(path))
        .collect()
}
