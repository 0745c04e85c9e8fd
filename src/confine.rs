//! What the process gives up once it listens: another user's rights, new privileges, every file but those it serves.
//!
//! The files it may read are the directory and what lies beside it: a build that replaces `dist`, or a release that
//! is swapped in by its link, is found beside the old one. What leads out of the directory is the business of
//! [`sockeye::files`]; this is a second wall behind that one. Written is the log's file alone, which may be renamed and
//! made anew where it is.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use nix::unistd::{Gid, Uid, User, getresgid, getresuid, setgid, setgroups, setuid};
use sockeye::cli::Exit;

/// Becomes `user`, if one is named, and lets go of what a server of `root` does not need that writes to the file `log`.
/// To be called while there is one thread. Returns what was achieved, in words.
pub(crate) fn confine(root: &Path, log: Option<&Path>, user: Option<&str>) -> Result<String, Exit> {
    if let Some(user) = user {
        become_user(user)?;
    }
    Ok(match restrict(root, log) {
        Ok(RulesetStatus::FullyEnforced) => "reads nothing but the directory and what lies beside it (Landlock)".to_owned(),
        Ok(RulesetStatus::PartiallyEnforced) => {
            "reads nothing but the directory and what lies beside it (Landlock, as far as this kernel knows it)".to_owned()
        }
        Ok(RulesetStatus::NotEnforced) => "this kernel has no Landlock".to_owned(),
        Err(error) => format!("Landlock is not in force: {error}"),
    })
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

fn restrict(root: &Path, log: Option<&Path>) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
        .create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let rules = readable(root).into_iter().map(|path| (path, read));
    for (path, access) in rules.chain(log.into_iter().flat_map(writable)) {
        // One that cannot be opened cannot be served either, or written to.
        if let Ok(descriptor) = PathFd::new(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(descriptor, access))?;
        }
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

/// `root` by name and by where it leads, each with its parent: there a new `root` will appear when it is replaced.
/// The root of the file system has no parent, and is nobody's second wall.
fn readable(root: &Path) -> Vec<PathBuf> {
    let named = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut directories = vec![real.clone()];
    for path in [named, real] {
        let parent = path.parent().filter(|parent| parent.parent().is_some());
        directories.extend(parent.map(Path::to_owned));
    }
    directories
}

/// What the log is written to: the directory of the file, by its name and by where it leads, since it is made anew there.
/// What is no file (a device, a named pipe) stays what it is.
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
